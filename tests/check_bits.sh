#!/bin/sh
# Does another build compute the same bits? check_bits.sh OLD compares this tree with the checkout OLD, both built: three
# steps of training (tests/bits/bits.c) of models that take every path there is, in float64 and in float32 with each
# instruction set, on one and two threads. For moves that are not meant to change numbers; it takes a minute or two.
# check_bits.sh OLD NAME.. takes these models alone.
set -eu
cd "$(dirname "$0")/.."
old=${1:?usage: check_bits.sh OLD [NAME..]}
shift
[ $# -gt 0 ] || set -- digits fashion_conv splitting_small_1block_10 scaling_small_100 resistors odd tiny
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# print TREE NAME..: the fingerprints of a build.
print() (
    tree=$1
    shift
    # shellcheck disable=SC2046  # options, split on purpose
    ${CC:-cc} -std=c11 -O1 -I"$tree/include" -I"$tree/examples" -o "$work/bits" "$tree/tests/bits/bits.c" \
        "$tree/examples/blocks/resistor_network.c" "$tree/lib/libffebm.a" \
        $(pkg-config --libs openblas libcjson) -lm -pthread
    OPENBLAS_NUM_THREADS=1 "$work/bits" "$@"
)

print . "$@" >"$work/new"
print "$old" "$@" >"$work/old"
if ! diff "$work/old" "$work/new"; then
    echo "other bits than $old"
    exit 1
fi
echo "the same bits in $(wc -l <"$work/new") runs"
