#!/bin/sh
# Build tests/consumer from an empty folder with an installed libffebm, and run it: with pkg-config's answers alone,
# shared and static, in C99 and C++17, with every compiler there is; and through CMake, if that is there.
#   check_consumer.sh LIBDIR   where libffebm.so, pkgconfig/ and cmake/ have been installed
# COMPILERS are those to try. What pkg-config answers is for a shell to read, as a path in it may have spaces: hence eval.
# shellcheck disable=SC2016,SC2086  # compilers may be several words
set -eu
libdir=$(realpath -s "${1:?usage: check_consumer.sh LIBDIR}")
pkg_config=${PKG_CONFIG:-pkg-config}
empty=$(mktemp -d)
trap 'rm -rf "$empty"' EXIT
cp "$(dirname "$0")"/consumer/* "$empty"
cd "$empty"
export PKG_CONFIG_PATH="$libdir/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
shared_path=$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}

quiet() {
    "$@" >log 2>&1 || { cat log; echo "failed: $*"; exit 1; }
}
ran=
# run PROGRAM NAME: all programs must come to the same numbers.
run() {
    LD_LIBRARY_PATH=$shared_path "./$1" >said 2>&1 || { cat said; echo "$2 failed"; exit 1; }
    [ -f expected ] || cp said expected
    cmp -s said expected || { diff expected said; echo "$2 came to other numbers"; exit 1; }
    ran="$ran, $2"
}

# Where both libraries are, the linker takes the shared one: so -lffebm becomes the archive's name.
static=$($pkg_config --static --libs ffebm | sed 's|-lffebm|"$libdir/libffebm.a"|')
try() {
    compiler=$1 language=$2 standard=$3
    case " ${COMPILERS-gcc clang g++ clang++} " in
    *" $compiler "*) command -v "$compiler" >/dev/null || return 0 ;;
    *) return 0 ;;
    esac
    flags="-x $language -std=$standard -pedantic-errors -Wall -Wextra -Werror -O1"
    flags="$flags $($pkg_config --cflags ffebm)"
    eval "quiet $compiler $flags consumer.c -x none -o shared $($pkg_config --libs ffebm)"
    readelf -d shared | grep -q 'NEEDED.*libffebm\.so' || { echo 'not linked with libffebm.so'; exit 1; }
    run shared "$compiler $standard"
    eval "quiet $compiler $flags consumer.c -x none -o static $static"
    ! readelf -d static | grep -q 'NEEDED.*libffebm\.so' || { echo 'not linked with libffebm.a'; exit 1; }
    run static "$compiler $standard static"
}
try gcc c c99
try clang c c99
try g++ c++ c++17
try clang++ c++ c++17
[ -n "$ran" ] || { echo 'no compiler found'; exit 1; }

if command -v cmake >/dev/null; then
    quiet cmake -S . -B made -DCMAKE_PREFIX_PATH="$libdir;$libdir/cmake" -Dffebm_DIR="$libdir/cmake/ffebm"
    quiet cmake --build made
    for kind in shared static pkgconfig; do
        run "made/consumer_$kind" "cmake $kind"
    done
    # A release that is asked for and is not there.
    sed 's/find_package(ffebm 0.1/find_package(ffebm 0.99/' CMakeLists.txt >later && mv later CMakeLists.txt
    if cmake -S . -B later -Dffebm_DIR="$libdir/cmake/ffebm" >log 2>&1; then
        echo 'CMake takes this release for 0.99'
        exit 1
    fi
fi
cat expected
echo "the same from ${ran#, }"
