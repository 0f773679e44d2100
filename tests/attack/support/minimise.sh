#!/bin/sh
# Merge what the fuzz targets have found into the corpora of the tree, and leave out what reaches nothing that another
# input does not: minimise.sh [TARGET ...], after `make attack`.
# shellcheck disable=SC2046,SC2012 # names have no spaces
set -eu
cd "$(dirname "$0")/../../.."
[ $# -gt 0 ] || set -- $(ls build/attack/corpus)
for target; do
    corpus=tests/attack/corpus/$target
    rm -rf "build/attack/merged/$target"
    mkdir -p "build/attack/merged/$target"
    "build/fuzz/tests/attack/fuzz_$target" -set_cover_merge=1 -max_len=4096 "build/attack/merged/$target" "$corpus" \
        "build/attack/corpus/$target" >"build/attack/merge-$target.log" 2>&1
    rm -f "$corpus"/[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]*
    cp "build/attack/merged/$target"/* "$corpus/"
    echo "$target: $(ls "$corpus" | wc -l) files, $(du -bs "$corpus" | cut -f1) bytes"
done
