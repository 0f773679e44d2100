#!/bin/sh
# Does accuracy hold as energy blocks shrink, and how much does the time fall? (Table 1 of arXiv:2409.03306.)
#
#   sh examples/experiments/splitting.sh OUT CIFAR10
#
# One network of six layers, cut into uniform blocks of 6, 3 and 2 (the models splitting_small), by equilibrium
# propagation and by implicit differentiation, on CIFAR-10, whose binary files are in the directory CIFAR10. Writes every
# run to a directory in OUT, and prints a table. Called again, it goes on where it was. Smaller than the paper's by:
#
#   WIDTH        0.25   times the paper's channels; first values are drawn accordingly
#   EPOCHS       10     (paper: 200)
#   LIMIT_TRAIN  10000  training images; 0: all 50,000
#   LIMIT_TEST   0      test images; 0: all 10,000
#   SEEDS        0 1 2
#   BLOCKS       1 2 3
#   ALGORITHMS   ep id
#   OPTIONS             more options of train, as in --max-minutes 5
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 2 ] || { sed -n '2,/^here/s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
. "$here/runs.sh"
out=$1
data=$2

sh "$here/../models/generate.sh" "$out/models" "${WIDTH:=0.25}"
for seed in ${SEEDS:=0 1 2}; do
    for blocks in ${BLOCKS:=1 2 3}; do
        for algorithm in ${ALGORITHMS:=ep id}; do
            train "$out/$blocks-$algorithm-$seed" --model "$out/models/splitting_small_${blocks}block_10.json" \
                --dataset cifar10 --data "$data" --limit-train "${LIMIT_TRAIN:=10000}" --limit-test "${LIMIT_TEST:=0}" \
                --epochs "${EPOCHS:=10}" --batch 64 --lr 1e-3 --lr-min 1e-6 --schedule-per step --augment flip \
                --free-sweeps 200 --free-tolerance 1e-4 --nudged-sweeps 20 --nudged-tolerance 1e-2 --switches hold \
                --algorithm "$algorithm" --seed "$seed" --log-every 50 ${OPTIONS-}
        done
    done
done

echo
echo "width $WIDTH, $EPOCHS epochs of $( [ "$LIMIT_TRAIN" -gt 0 ] && echo "$LIMIT_TRAIN" || echo all ) images, seeds $SEEDS; mean +- standard deviation over seeds"
echo
echo '| layers a block | by | runs | test accuracy | top-5 | training loss | seconds | samples/s | free sweeps | nudged sweeps |'
echo '|---|---|---|---|---|---|---|---|---|---|'
for blocks in $BLOCKS; do
    for algorithm in $ALGORITHMS; do
        for seed in $SEEDS; do
            run=$out/$blocks-$algorithm-$seed
            printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' $((6 / blocks)) "$algorithm" \
                "$(number "$run/result.json" test_accuracy)" "$(number "$run/result.json" test_top5)" \
                "$(number "$run/result.json" train_loss)" "$(number "$run/result.json" seconds)" \
                "$(number "$run/result.json" samples_per_second)" \
                "$(mean "$run/log.jsonl" free_sweeps)" "$(mean "$run/log.jsonl" nudged_sweeps)"
        done
    done
done | average 2
