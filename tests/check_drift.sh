#!/bin/sh
# How far runs part that differ in the order of additions alone, or in one bit of each parameter: a table for each model, by
# tests/drift/drift.c. What it ends on: float64 on two and four ranks to 1e-6, float32 no further from one rank than a run is from
# itself that began one bit off. For docs/cluster.md; takes minutes.
#   check_drift.sh [MODEL.json ..]
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- examples/models/digits.json examples/models/fashion_conv.json examples/models/cifar10_small_10.json
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2046  # options, split on purpose
${CC:-cc} -std=c11 -D_POSIX_C_SOURCE=200809L -O2 -Iinclude -o "$work/drift" tests/drift/drift.c lib/libffebm.a \
    $(pkg-config --libs openblas libcjson) -lm -pthread
export OPENBLAS_NUM_THREADS=1
for model in "$@"; do
    echo "== $model"
    "$work/drift" "$model" float64 20 0 'two ranks' 'four ranks' 'one bit' | tee "$work/double"
    "$work/drift" "$model" float32 20 | tail -n +2 | tee "$work/single"
    awk -F '\t' '/ranks\t/ && !($7 <= 1e-6) { exit 1 }' "$work/double" || { echo "$model: float64 is apart"; exit 1; }
    awk -F '\t' '/^again/ && $6 != 0 { exit 1 } /ranks/ && $6 > worst { worst = $6 } /^(one bit|avx2|portable)/ && $6 > bit { bit = $6 }
        END { exit !(worst <= 1e-4 || worst <= bit) }' "$work/single" || { echo "$model: float32 is apart"; exit 1; }
done
