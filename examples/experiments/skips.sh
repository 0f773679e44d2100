#!/bin/sh
# Do skips inside an energy block help?
#
#   sh examples/experiments/skips.sh OUT CIFAR10
#
# Trains a small Hopfield-ResNet (after arXiv:2509.26003) and the same network without its skips, on CIFAR-10, whose binary
# files are in the directory CIFAR10. Writes every run to a directory in OUT, and prints a table. Called again, it goes on
# where it was.
#
#   MODELS       hopfield_resnet_small hopfield_plain_small
#   EPOCHS       6
#   LIMIT_TRAIN  10000  training images; 0: all 50,000
#   LIMIT_TEST   0      test images; 0: all 10,000
#   SEEDS        0 1 2
#   OPTIONS             more options of train, as in --max-minutes 5
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 2 ] || { sed -n '2,/^here/s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
. "$here/runs.sh"
out=$1

mkdir -p "$out"
rm -f "$out/table"
for model in ${MODELS:=hopfield_resnet_small hopfield_plain_small}; do
    for seed in ${SEEDS:=0 1 2}; do
        run=$out/$model-$seed
        train "$run" --model "$here/../models/${model}_10.json" --dataset cifar10 --data "$2" --epochs "${EPOCHS:=6}" \
            --limit-train "${LIMIT_TRAIN:=10000}" --limit-test "${LIMIT_TEST:=0}" --seed "$seed" --quiet ${OPTIONS-}
        printf '%s\t%s\t%s\t%s\t%s\n' "$model" "$(number "$run/result.json" test_accuracy)" \
            "$(number "$run/result.json" train_loss)" \
            "$(mean "$run/log.jsonl" free_sweeps)" "$(mean "$run/log.jsonl" nudged_sweeps)" >>"$out/table"
    done
done

echo
echo "$EPOCHS epochs of $LIMIT_TRAIN images; seeds $SEEDS, mean +- standard deviation"
echo
echo '| model | runs | test accuracy | training loss | free sweeps | nudged sweeps |'
echo '|---|---|---|---|---|---|'
average 1 <"$out/table"
