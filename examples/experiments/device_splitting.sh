#!/bin/sh
# Does splitting a deep block into shorter ones help against noise, too?
#
#   sh examples/experiments/device_splitting.sh OUT
#
# Trains eight layers of 64 units on the digits as one, two and four energy blocks, each behind a linear map in place of a
# coupling, with readings of every layer that have noise. Writes every run to a directory in OUT, all accuracies to
# OUT/splitting.tsv, and prints a table. Called again, it goes on where it was.
#
#   BLOCKS       4 2 1
#   NOISES       0 1e-2 3e-2         of readings, in units of states
#   SEEDS        0 1 2
#   BETA         1
#   OPTIONS                          more options of train
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 1 ] || { sed -n '2,/^here/s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
. "$here/runs.sh"
. "$here/device.sh"
out=$1
: "${BLOCKS:=4 2 1}" "${NOISES:=0 1e-2 3e-2}" "${SEEDS:=0 1 2}" "${BETA:=1}"

# model BLOCKS NOISE
model() {
    awk -v blocks="$1" -v noise="$2" 'BEGIN {
        print "{\"input\": [64], \"loss\": \"cross_entropy\", \"stages\": ["
        for (b = 0; b < blocks; b++) {
            print "  {\"feedforward\": [{\"type\": \"linear\", \"out_features\": 64}]},"
            print "  {\"energy\": {\"type\": \"hopfield\", \"clamp_last\": false,"
            print "   \"activation\": {\"type\": \"hard_sigmoid\", \"slope\": 0.25, \"lower\": -1, \"upper\": 1},"
            print "   \"device\": {\"seed\": 1, \"read\": \"all\", \"output\": {\"noise\": " noise "}},"
            printf "   \"couplings\": ["
            for (c = 1; c < 8 / blocks; c++) printf "%s{\"type\": \"dense\", \"out_features\": 64}", (c > 1 ? ", " : "")
            print "]}},"
        }
        print "  {\"feedforward\": [{\"type\": \"linear\", \"out_features\": 10}]}]}" }'
}

mkdir -p "$out"
rm -f "$out/splitting.tsv"
for blocks in $BLOCKS; do
    for noise in $NOISES; do
        run=$out/$blocks-$noise
        model "$blocks" "$noise" >"$run.json"
        seeds "$run" --model "$run.json" --epochs 12 --batch 32 --optimizer adam --lr 2e-3 --label-smoothing 0.1 \
            --nudging linear --free-sweeps 60 --nudged-sweeps 30 --beta "$BETA" ${OPTIONS-}
        accuracies "$run" "$blocks	$noise" >>"$out/splitting.tsv"
    done
done

echo
echo "beta $BETA; seeds $SEEDS, mean +- standard deviation"
echo
echo '| blocks | noise of readings | runs | test accuracy |'
echo '|---|---|---|---|'
average 2 <"$out/splitting.tsv"
