#!/bin/sh
# The source tree inside a CMake project, by add_subdirectory (a shared library) and by FetchContent of the tarball (an archive):
# programs in C and C++ build and come to the numbers of the Makefile's library, which exports the same symbols.
#   check_cmake.sh [LIB]   where that library is (lib)
set -eu
cd "$(dirname "$0")/.."
if ! command -v cmake >/dev/null; then
    echo 'CMake: left out, it is not installed'
    exit 0
fi
tree=$PWD lib=$(cd "${1-lib}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "check_cmake.sh: $*"
    exit 1
}
quiet() {
    "$@" >"$work/log" 2>&1 || { cat "$work/log"; fail "failed: $*"; }
}
cp -r tests/consumer "$work/consumer"
gzip -dc examples/data/digits.csv.gz >"$work/digits.csv"
export OPENBLAS_NUM_THREADS=1
say() {
    for program in consumer digits headers; do
        "$1/$program" "$work/digits.csv" || fail "$program of $1 failed"
    done
}

mkdir "$work/made"
for program in consumer.c digits.c headers.cpp; do
    compiler=${CC:-cc} standard=c11
    [ $program != headers.cpp ] || compiler=${CXX:-c++} standard=c++17
    quiet $compiler -std=$standard -Iinclude -Iexamples/cpp -pthread -o "$work/made/${program%.*}" \
        "$work/consumer/$program" "$lib/libffebm.so" -Wl,-rpath,"$lib"
done
say "$work/made" >"$work/expected"

quiet cmake -S "$work/consumer/tree" -B "$work/inside" -DFFEBM_TREE="$tree" -DBUILD_SHARED_LIBS=ON
quiet cmake --build "$work/inside"
exports() { nm -D --defined-only "$1" | sed 's/.* //' | sort; }
exports "$lib/libffebm.so" >"$work/exported"
exports "$work/inside/ffebm/libffebm.so" | diff "$work/exported" - || fail 'CMake exports other symbols than the Makefile'
readelf -d "$work/inside/ffebm/libffebm.so" | grep -o 'soname.*' >"$work/soname"
readelf -d "$lib/libffebm.so" | grep -o 'soname.*' | diff - "$work/soname" || fail 'another soname'

lib/dist.sh "$work/libffebm.tar.gz"
quiet cmake -S "$work/consumer/tree" -B "$work/fetched" -DFFEBM_ARCHIVE="file://$work/libffebm.tar.gz"
quiet cmake --build "$work/fetched"
[ -f "$work/fetched/_deps/ffebm-build/libffebm.a" ] || fail 'FetchContent has made no archive'
for way in inside fetched; do
    say "$work/$way" | diff "$work/expected" - || fail "$way: other numbers than with the Makefile's library"
done
grep '^digits' "$work/expected"
echo "the same with add_subdirectory and FetchContent, and the same $(wc -l <"$work/exported") symbols"
