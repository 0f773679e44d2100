#!/bin/sh
# Install, build a program with nothing but pkg-config's answers, shared and static, run it, uninstall.
# shellcheck disable=SC2086  # compilers, flags and make may be several words
set -eu
cd "$(dirname "$0")/.."
make=${MAKE:-make}
cc=${CC:-cc}
pkg_config=${PKG_CONFIG:-pkg-config}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

quiet() {
    "$@" >"$work/log" 2>&1 || { cat "$work/log"; echo "failed: $*"; exit 1; }
}
nothing_left() {
    left=$(find "$1" ! -type d -o -name 'ffebm*')
    [ -z "$left" ] || { echo "uninstall left: $left"; exit 1; }
}

# As a packager does: all below DESTDIR, directories of his own, and no file that knows of DESTDIR.
staged() {
    quiet $make "$1" DESTDIR="$work/stage" PREFIX=/usr libdir=/usr/lib/here includedir=/usr/include/here
}
staged install
pc=$work/stage/usr/lib/here/pkgconfig/ffebm.pc
[ -f "$work/stage/usr/include/here/ffebm.h" ] || { echo 'includedir is not honoured'; exit 1; }
grep -qF "libdir=\${prefix}/lib/here" "$pc" || { echo 'ffebm.pc does not give libdir'; exit 1; }
! grep -rqF "$work" "$work/stage" --include=ffebm.pc || { echo 'ffebm.pc mentions DESTDIR'; exit 1; }
! grep -q @ "$pc" || { echo 'ffebm.pc has a placeholder left'; exit 1; }
staged uninstall
nothing_left "$work/stage"

# As a user does.
prefix=$work/prefix
quiet $make install PREFIX="$prefix" DESTDIR= libdir="$prefix/lib" includedir="$prefix/include"
export PKG_CONFIG_PATH="$prefix/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"

cat >"$work/version.c" <<'END'
#include <ffebm.h>
#include <stdio.h>
int main(void)
{
    ffebm_context *context = NULL;
    ffebm_status status = ffebm_context_create(&context, NULL);
    printf("%s\n", ffebm_version());
    ffebm_context_destroy(context);
    return status;
}
END
programs=$work/version.c
[ ! -f examples/quickstart.c ] || programs="$programs examples/quickstart.c"

# build WHAT PKG-CONFIG-OPTIONS...: build and run every program.
build() {
    what=$1
    shift
    for source in $programs; do
        # shellcheck disable=SC2046  # pkg-config answers with several words
        quiet $cc -std=c11 ${CFLAGS-} $($pkg_config --cflags ffebm) "$source" -o "$work/program" ${LDFLAGS-} \
            $($pkg_config "$@" --libs ffebm)
        "$work/program" >"$work/log" 2>&1 || { cat "$work/log"; echo "$source ($what) failed"; exit 1; }
        printf '%s, %s: %s\n' "${source##*/}" "$what" "$(tail -n 1 "$work/log")"
    done
}
version=$($pkg_config --modversion ffebm)
(
    LD_LIBRARY_PATH="$prefix/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
    export LD_LIBRARY_PATH
    build shared
    readelf -d "$work/program" | grep -q 'NEEDED.*libffebm\.so' || { echo 'not linked with libffebm.so'; exit 1; }
)
mkdir "$work/aside"
mv "$prefix"/lib/libffebm.so* "$work/aside" # or the linker would take it
build static --static
mv "$work"/aside/* "$prefix/lib"
[ -n "$version" ] || { echo 'ffebm.pc has no version'; exit 1; }

quiet $make uninstall PREFIX="$prefix" DESTDIR= libdir="$prefix/lib" includedir="$prefix/include"
nothing_left "$prefix"
