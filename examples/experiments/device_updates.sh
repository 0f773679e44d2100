#!/bin/sh
# What do pulses cost training, written after the difference of nudged states or by each phase alone?
#
#   sh examples/experiments/device_updates.sh OUT
#
# Trains a chain with two energy blocks on the digits by plain SGD, its weights written by pulses, of constant steps and of soft
# bounds, with pulses up larger than pulses down by some fraction. Writes every run to a directory in OUT, all accuracies and
# pulses to OUT/updates.tsv, and prints a table. Called again, it goes on where it was.
#
#   MODES        difference two_phase
#   STEPS        constant soft_bounds
#   UP_DOWNS     0 0.002 0.02 0.1    update.up_down
#   DW_MIN       0.002
#   SEEDS        0 1 2
#   OPTIONS                          more options of train
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 1 ] || { sed -n '2,/^here/s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
. "$here/runs.sh"
. "$here/device.sh"
out=$1
: "${MODES:=difference two_phase}" "${STEPS:=constant soft_bounds}" "${UP_DOWNS:=0 0.002 0.02 0.1}" "${DW_MIN:=0.002}"
: "${SEEDS:=0 1 2}"

# sgd NAME LABELS SETTINGS: runs and lines of the table.
sgd() {
    on_device device_digits "$3" >"$out/$1.json"
    seeds "$out/$1" --model "$out/$1.json" --optimizer sgd --momentum 0 --lr 0.1 --epochs 20 ${OPTIONS-}
    for seed in $SEEDS; do
        printf '%s\t%s\t%s\n' "$2" "$(number "$out/$1-$seed/result.json" test_accuracy)" "$(number "$out/$1-$seed/result.json" pulses)"
    done >>"$out/updates.tsv"
}

mkdir -p "$out"
rm -f "$out/updates.tsv"
sgd ideal 'ideal	-	-' ''
for mode in $MODES; do
    for step in $STEPS; do
        for up_down in $UP_DOWNS; do
            pulses="\"mode\": \"$mode\", \"step\": \"$step\", \"dw_min\": $DW_MIN, \"up_down\": $up_down, \"pulses_max\": 255"
            sgd "$mode-$step-$up_down" "$mode	$step	$up_down" \
                "\"weight\": {\"min\": -1, \"max\": 1}, \"update\": {$pulses}"
        done
    done
done

echo
echo "plain SGD, dw_min $DW_MIN; seeds $SEEDS, mean +- standard deviation"
echo
echo '| mode | step | up_down | runs | test accuracy | pulses |'
echo '|---|---|---|---|---|---|'
average 3 <"$out/updates.tsv"
