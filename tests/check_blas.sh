#!/bin/sh
# How many threads may be in each BLAS at once, shared and as an archive: an OpenBLAS for one thread, and one that nothing
# is known of, get one call at a time, the others several. What is not installed is left out.
# shellcheck disable=SC2086  # flags are words
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
arch=$(${CC:-cc} -print-multiarch)
lib=/usr/lib/$arch
include=/usr/include/$arch
header='cblas.h'
[ -f "$include/cblas-netlib.h" ] && header='cblas-netlib.h'

# expect ANSWER WHAT LIBRARIES [PATH]: linked with these, and run with the libraries in PATH.
expect() {
    ${CC:-cc} -std=c11 -D_POSIX_C_SOURCE=200809L -Isrc -Iinclude -DFFEBM_CBLAS_HEADER="<$header>" tests/blas/turns.c \
        $3 -lm -pthread -o "$work/turns" 2>"$work/log" || { cat "$work/log"; exit 1; }
    said=$(LD_LIBRARY_PATH=${4-} "$work/turns") || { echo "$2: wrong products"; exit 1; }
    [ "$said" = "$1 at a time" ] || { echo "$2: calls come $said, expected $1"; exit 1; }
    ran="${ran:+$ran, }$2"
}

for kind in pthread openmp serial; do
    answer=several
    [ $kind != serial ] || answer=one
    dir=$lib/openblas-$kind
    [ ! -f "$dir/libopenblas.a" ] || expect $answer "$kind OpenBLAS static" "$dir/libopenblas.a -fopenmp"
    [ ! -f "$dir/libopenblas.so" ] || expect $answer "$kind OpenBLAS" "-L$dir -lopenblas" "$dir"
    # The alternative that Debian's loader may give a program that was linked with the reference BLAS.
    [ ! -f "$dir/libblas.so.3" ] || [ ! -f "$lib/blas/libblas.so" ] ||
        expect $answer "$kind OpenBLAS for netlib" "-L$lib/blas -lblas" "$dir"
done
for dir in "$lib"/blis-*; do
    [ -f "$dir/libblis.a" ] || continue
    expect several "${dir##*/} static" "$dir/libblis.a -fopenmp"
    expect several "${dir##*/}" "-L$dir -lblis" "$dir"
done
[ ! -f "$lib/blas/libblas.so" ] || expect several netlib "-L$lib/blas -lblas" "$lib/blas"
expect one unknown tests/blas/unknown.c
echo "$ran"
