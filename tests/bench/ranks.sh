#!/bin/sh
# Two ranks of one thread against one of two threads, by turns: how much of the speed is left, in each round and in the middle.
#   make MPI=1 && tests/bench/ranks.sh [ROUNDS [MODEL.json [SAMPLES]]]
# Wants a machine with two cores and nothing else to do.
set -eu
cd "$(dirname "$0")/../.."
rounds=${1:-5} model=${2:-examples/models/splitting_small_3block_10.json} samples=${3:-64}
export OPENBLAS_NUM_THREADS=1 BLIS_NUM_THREADS=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
half=$((samples / 2))
for round in $(seq "$rounds"); do
    one=$(build/examples/cluster --model "$model" --threads 2 --local "$samples" --batch "$samples" --steps 3 </dev/null |
        sed -n "s/^a step of $samples samples takes \([^ ]*\) s$/\1/p")
    two=$(mpirun -n 2 build/examples/cluster --model "$model" --threads 1 --local $half --batch "$samples" --steps 3 </dev/null |
        sed -n "s/^2 ranks of $half samples: a step takes \([^ ]*\) s,.*/\1/p" | head -n 1)
    echo "$one $two" | awk -v round="$round" '{ printf "round %d: one rank %s s, two ranks %s s: %.3f\n", round, $1, $2, $1 / $2 }'
done | tee "$work/said"
sed 's/.*: //' "$work/said" | sort -n | awk '{ r[NR] = $1 } END { print "in the middle: " r[int((NR + 1) / 2)] }'
