#!/bin/sh
# What `make install` puts where, and `make uninstall` takes away: install.sh install|uninstall. The Makefile says by the
# environment where (DESTDIR PREFIX bindir libdir includedir datadir docdir mandir) and what (LIB TRAIN VERSION MAJOR MINOR SOFILE SONAME
# BLAS_LIBS CJSON_LIBS). Any of these may have spaces in it.
# shellcheck disable=SC2154  # the places are assigned by eval
set -eu
umask 022 # files are for all to read, whatever the umask of who installs
cd "$(dirname "$0")/.."

fail() {
    echo "install.sh: $*" >&2
    exit 1
}
PREFIX=${PREFIX:-/}
for name in PREFIX bindir libdir includedir datadir docdir mandir; do
    eval "place=\$$name"
    case $place in
    /*) eval "$name=\$(realpath -ms -- \"\$place\")" ;;
    *) fail "$name is '$place', expected an absolute path" ;;
    esac
done
[ -z "${DESTDIR-}" ] || DESTDIR=$(realpath -ms -- "$DESTDIR")
DESTDIR=${DESTDIR%/}

# All of it: file MODE FROM TO, program FROM TO, link TARGET TO, filled FROM TO.
everything() {
    file 644 "$LIB/libffebm.a" "$libdir/libffebm.a"
    file 755 "$LIB/$SOFILE" "$libdir/$SOFILE"
    link "$SOFILE" "$libdir/$SONAME"
    link "$SOFILE" "$libdir/libffebm.so"
    file 644 include/ffebm.h "$includedir/ffebm.h"
    for header in include/ffebm/*.h; do
        file 644 "$header" "$includedir/ffebm/${header##*/}"
    done
    for header in examples/cpp/ffebm.hpp examples/cpp/ffebm/*.hpp; do
        file 644 "$header" "$includedir/${header#examples/cpp/}"
    done
    program "${TRAIN-}" "$bindir/ffebm-train"
    for model in examples/models/*.json examples/models/README.md; do
        file 644 "$model" "$datadir/ffebm/models/${model##*/}"
    done
    for part in examples/conformance/*.[ch]; do
        case $part in
        */broken*) ;; # tests of the kit
        *) file 644 "$part" "$datadir/ffebm/conformance/${part##*/}" ;;
        esac
    done
    filled ffebm.pc.in "$libdir/pkgconfig/ffebm.pc"
    filled lib/ffebmConfig.cmake.in "$libdir/cmake/ffebm/ffebmConfig.cmake"
    filled lib/ffebmConfigVersion.cmake.in "$libdir/cmake/ffebm/ffebmConfigVersion.cmake"
    for text in README.md CHANGELOG.md LICENSE docs/*.md docs/*.png docs/*.svg; do
        file 644 "$text" "$docdir/$text"
    done
    file 644 docs/ffebm.7 "$mandir/man7/ffebm.7"
}

# The pkg-config file finds the rest from its own place, so that what is installed can be moved, or used where it is staged:
# if libdir and includedir are below PREFIX, and no symbolic link leads from there to elsewhere.
is_below() {
    case $1/ in
    "${PREFIX%/}"/*) [ "$(realpath -m -- "$DESTDIR$1")" = "$(realpath -m -- "$DESTDIR$PREFIX")${1#"${PREFIX%/}"}" ] ;;
    *) false ;;
    esac
}
# As pkg-config wants a path.
escaped() { printf %s "$1" | sed 's/[\\ "#'\'']/\\&/g'; }
find_places() {
    INCLUDEDIR=$includedir
    TO_INCLUDEDIR=$(realpath -ms --relative-to="$libdir" -- "$includedir")
    PC_PREFIX=$(escaped "$PREFIX")
    PC_LIBDIR=$(escaped "$libdir")
    PC_INCLUDEDIR=$(escaped "$includedir")
    PC_DATADIR=$(escaped "$datadir")
    if is_below "$libdir" && is_below "$includedir"; then
        PC_PREFIX="\${pcfiledir}/$(realpath -ms --relative-to="$libdir/pkgconfig" -- "$PREFIX")"
        PC_LIBDIR="\${prefix}$(escaped "${libdir#"${PREFIX%/}"}")"
        PC_INCLUDEDIR="\${prefix}$(escaped "${includedir#"${PREFIX%/}"}")"
        ! is_below "$datadir" || PC_DATADIR="\${prefix}$(escaped "${datadir#"${PREFIX%/}"}")"
    fi
    export INCLUDEDIR TO_INCLUDEDIR PC_PREFIX PC_LIBDIR PC_INCLUDEDIR PC_DATADIR
}

# Each @NAME@ of standard input, from the environment.
fill() {
    awk '{
        done = ""
        while (match($0, /@[A-Z_]+@/)) {
            done = done substr($0, 1, RSTART - 1) ENVIRON[substr($0, RSTART + 1, RLENGTH - 2)]
            $0 = substr($0, RSTART + RLENGTH)
        }
        print done $0
    }'
}

# Directories that uninstall has emptied go, but for PREFIX, DESTDIR and those that a system has from the beginning.
prune() {
    directory=$1
    while [ "$directory" != "${DESTDIR:-$PREFIX}" ]; do
        case $directory in
        /usr/local/bin | /usr/local/include | /usr/local/lib | /usr/local/share | /usr/local/share/man) break ;;
        esac
        rmdir "$directory" 2>/dev/null || break
        directory=${directory%/*}
    done
}
remove() {
    rm -f "$DESTDIR$1"
    prune "$(dirname "$DESTDIR$1")"
}

# A place in the source tree would be filled from itself, and its sources taken away.
file() {
    [ "$(realpath -m -- "$2")" != "$(realpath -m -- "$DESTDIR$3")" ] ||
        fail "$DESTDIR$3 is a file of this tree, expected another place"
}
program() { :; }
link() { :; }
filled() { :; }
everything

case ${1-} in
install)
    file() { install -D -m "$1" "$2" "$DESTDIR$3"; }
    program() { [ -z "$1" ] || file 755 "$1" "$2"; }
    link() { ln -sf "$1" "$DESTDIR$2"; }
    filled() {
        mkdir -p "$DESTDIR${2%/*}"
        fill <"$1" >"$DESTDIR$2"
        chmod 644 "$DESTDIR$2"
    }
    mkdir -p "$DESTDIR$libdir" "$DESTDIR$includedir" "$DESTDIR$datadir"
    find_places
    everything
    echo "libffebm $VERSION: $DESTDIR$libdir, $DESTDIR$includedir"
    ;;
uninstall)
    file() { remove "$3"; }
    program() { remove "$2"; }
    link() { remove "$2"; }
    filled() { remove "$2"; }
    everything
    ;;
*) fail 'usage: install.sh install|uninstall' ;;
esac
