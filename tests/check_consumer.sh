#!/bin/sh
# Build tests/consumer from an empty folder with an installed libffebm, and run it: with pkg-config's answers alone,
# shared and static, in C99 and C++17, with every compiler there is; and through CMake, if that is there.
# Likewise what else is installed: the C++ headers, the conformance kit, the models and the training program.
#   check_consumer.sh LIBDIR [BINDIR]   where libffebm.so, pkgconfig/ and cmake/, and ffebm-train, have been installed
# COMPILERS are those to try. What pkg-config answers is for a shell to read, as a path in it may have spaces: hence eval.
# shellcheck disable=SC2016,SC2086  # compilers may be several words
set -eu
libdir=$(realpath -s "${1:?usage: check_consumer.sh LIBDIR [BINDIR]}")
bindir=${2:-$libdir/../bin}
digits=$(realpath "$(dirname "$0")/../examples/data")
pkg_config=${PKG_CONFIG:-pkg-config}
empty=$(mktemp -d)
trap 'rm -rf "$empty"' EXIT
cp "$(dirname "$0")"/consumer/*.* "$empty"
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

with_flags="$($pkg_config --cflags ffebm) -Wall -Wextra -Werror -O1"
to_link=$($pkg_config --libs ffebm)
eval "datadir=$($pkg_config --variable=datadir ffebm)"
works() {
    LD_LIBRARY_PATH=$shared_path "$@" >said 2>&1 || { cat said; echo "$1 failed"; exit 1; }
}
if command -v g++ >/dev/null; then
    eval "quiet g++ -std=c++17 -pthread $with_flags headers.cpp -o headers $to_link"
    works ./headers
    ran="$ran, ffebm.hpp"
fi
eval "quiet ${CC:-cc} -std=c11 -I\"\$datadir\" $with_flags kit.c \"\$datadir\"/conformance/*.c -o kit $to_link -lm"
works ./kit
ran="$ran, the kit"
if [ -e "$bindir/ffebm-train" ]; then
    works "$bindir/ffebm-train" --model "$datadir/models/digits.json" --data "$digits" --epochs 1 --limit-train 64 \
        --limit-test 64 --quiet
    works "$bindir/ffebm-train" --help
    grep -q '^Usage: ffebm-train --model' said || { cat said; echo 'ffebm-train does not know its name'; exit 1; }
    ran="$ran, ffebm-train"
fi

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
