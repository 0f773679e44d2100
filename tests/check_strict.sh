#!/bin/sh
# Every source, and the library in one file, refuses to be compiled without NaN and infinity: each on its own, since an
# object compiled with other flags than the rest would lose its checks in silence.
# shellcheck disable=SC2086  # flags are words
set -eu
cd "$(dirname "$0")/.."
amalgamation=${1:?usage: check_strict.sh ffebm.c}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

refuses() {
    if ${CC:-cc} -std=c11 -D_POSIX_C_SOURCE=200809L -DFFEBM_CBLAS_HEADER='<stddef.h>' -DFFEBM_BLAS_NAME='""' \
        ${2-} -Iinclude -Isrc -E "$1" >/dev/null 2>"$work/log"; then
        echo "$1 is compiled with $2: it does not include core/strict.h"
        exit 1
    fi
    grep -q 'could not tell NaN and infinity' "$work/log" || { cat "$work/log"; exit 1; }
}
for source in src/*/*.c; do
    refuses "$source" -ffast-math
done
for flag in -ffast-math -Ofast -ffinite-math-only; do
    refuses "$amalgamation" $flag
done
