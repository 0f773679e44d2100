#!/bin/sh
# Install, build programs with what is there, run them, uninstall: with each BLAS, with which some unit tests run too.
# shellcheck disable=SC2086  # make may be several words
set -eu
cd "$(dirname "$0")/.."
make="${MAKE:-make} WERROR=1"
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
    quiet $make "$1" DESTDIR="$work/stage" PREFIX=/usr libdir=/usr/lib/here includedir=/usr/include/here \
        docdir=/usr/share/doc/ffebm-doc
}
staged install
pc=$work/stage/usr/lib/here/pkgconfig/ffebm.pc
cmake=$work/stage/usr/lib/here/cmake/ffebm
for file in include/here/ffebm.h include/here/ffebm/core.h share/doc/ffebm-doc/LICENSE \
    share/doc/ffebm-doc/docs/math.md; do
    [ -f "$work/stage/usr/$file" ] || { echo "install has left out /usr/$file"; exit 1; }
done
grep -qF "libdir=\${prefix}/lib/here" "$pc" || { echo 'ffebm.pc does not give libdir'; exit 1; }
if grep -F "$work" "$pc" "$cmake"/*; then echo 'a file mentions DESTDIR'; exit 1; fi
if grep @ "$pc" "$cmake"/*; then echo 'a placeholder is left'; exit 1; fi
staged uninstall
nothing_left "$work/stage"

# As a user does.
for blas in openblas blis netlib; do
    echo "-- $blas"
    out=build/$blas
    [ $blas != openblas ] || out=build
    prefix=$work/$blas
    user="BLAS=$blas OUT=$out PREFIX=$prefix DESTDIR= libdir=$prefix/lib includedir=$prefix/include docdir=$prefix/doc"
    quiet $make $user install unit
    [ -f "$prefix/lib/libffebm.so" ] || { echo 'libffebm.so leads nowhere'; exit 1; }
    $make --silent $user installcheck
    for suite in reference convolution optimizer; do
        CK_RUN_SUITE=$suite $make --silent $user run-unit | tail -n 1
    done
    if [ $blas = openblas ]; then
        strip -o "$work/stripped" "$prefix/lib/libffebm.so"
        echo "libffebm.so without debugging information: $(wc -c <"$work/stripped") bytes"
    fi
    quiet $make $user uninstall
    nothing_left "$prefix"
done
