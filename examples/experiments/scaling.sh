#!/bin/sh
# How far do the paper's deep models get on this machine? (Table 2 of arXiv:2409.03306.)
#
#   sh examples/experiments/scaling.sh OUT CIFAR10
#
# Trains scaling_small and scaling_large at full width, with the paper's recipe, on the CIFAR-10 images in the directory
# CIFAR10, for some minutes each: a loss curve, not a trained model. Writes every run to a directory in OUT, and prints a
# table; the times of full runs in it are extrapolated from the samples per second, for as many cores as are here, and for
# 64 as if speed grew with their number.
#
#   MINUTES      15      for each model
#   MODELS       scaling_small scaling_large
#   LIMIT_TEST   1000    test images in the end
#   FULL_IMAGES  50000   training images of a full run; its epochs are the recipe's
#   OPTIONS              more options of train
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 2 ] || { sed -n '2,/^here/s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
. "$here/runs.sh"
out=$1
data=$2

sh "$here/../models/generate.sh" "$out/models" 1 10
for model in ${MODELS:=scaling_small scaling_large}; do
    train "$out/$model" --model "$out/models/${model}_10.json" --dataset cifar10 --data "$data" \
        --max-minutes "${MINUTES:=15}" --limit-test "${LIMIT_TEST:=1000}" --log-every 1 ${OPTIONS-}
    picture "$out/$model"
done

# The loss of the first and the last tenth of the steps, and how many there are.
losses() {
    sed -n 's/.*"loss": \([^,]*\),.*/\1/p' "$1" | awk '
    { loss[NR] = $1 }
    END {
        tenth = int((NR + 9) / 10)
        for (i = 1; i <= tenth; i++) { first += loss[i]; last += loss[NR + 1 - i] }
        if (NR) printf "%d\t%.4f\t%.4f", NR, first / tenth, last / tenth; else printf "0\t-\t-"
    }'
}

cores=$(getconf _NPROCESSORS_ONLN)
echo
echo "$MINUTES minutes for each model; full runs of ${FULL_IMAGES:=50000} images an epoch; $cores cores here"
echo
echo '| model | steps | loss, first tenth | last tenth | test accuracy | samples/s | peak MiB | free sweeps | nudged sweeps | epochs of a full run | hours here | hours on 64 cores |'
echo '|---|---|---|---|---|---|---|---|---|---|---|---|'
for model in $MODELS; do
    run=$out/$model
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$model" "$(losses "$run/log.jsonl")" \
        "$(number "$run/result.json" test_accuracy)" "$(number "$run/result.json" samples_per_second)" \
        "$(number "$run/log.jsonl" peak_mib)" "$(mean "$run/log.jsonl" free_sweeps)" \
        "$(mean "$run/log.jsonl" nudged_sweeps)" "$(number "$run/model.json" epochs)"
done | awk -F '\t' -v images="$FULL_IMAGES" -v cores="$cores" '{
    row = "|"
    for (i = 1; i <= NF; i++) row = row " " $i " |"
    if ($6 > 0) { hours = $10 * images / $6 / 3600; row = row sprintf(" %.4g | %.4g |", hours, hours * cores / 64) }
    print row
}'
