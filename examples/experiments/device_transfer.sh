#!/bin/sh
# What is a chain worth on another chip than that it was trained on, and how does it settle there?
#
#   sh examples/experiments/device_transfer.sh OUT
#
# Trains a chain with two energy blocks on the digits on chip 1, tests it on others, and again after an epoch on each of them.
# Then counts the sweeps that the trained chains take to tolerances of 1e-3 and 1e-6, in a pass over the training samples that
# learns nothing: the mean, and the most that any took. Writes every run to a directory in OUT, and prints two tables. Called
# again, it goes on where it was.
#
#   DTODS        0.3 0.5 1       weight.dtod of the chips
#   CHIPS        2 3 4 5 6 7 8 9 seeds of devices
#   SEEDS        0 1 2           of training
#   OPTIONS                      more options of train
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 1 ] || { sed -n '2,/^here/s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
. "$here/runs.sh"
. "$here/device.sh"
out=$1
: "${DTODS:=0.3 0.5 1}" "${CHIPS:=2 3 4 5 6 7 8 9}" "${SEEDS:=0 1 2}"

# from RUN DIR OPTION..: a run that goes on from where another ended, in a directory of its own.
from() {
    trained=$1 dir=$2
    shift 2
    [ -e "$dir/result.json" ] || {
        rm -rf "$dir"
        echo "train --resume $trained/last.safetensors --run $dir $*" >&2
        "$bin/train" --resume "$trained/last.safetensors" --run "$dir" --threads 1 --quiet "$@" >/dev/null || :
    }
}

epochs=$(sed -n 's/.*"epochs": *\([0-9]*\).*/\1/p' "$models/device_digits.json")

mkdir -p "$out"
rm -f "$out/transfer.tsv"
for dtod in $DTODS; do
    run=$out/$dtod
    on_device device_digits "\"weight\": {\"dtod\": $dtod}" >"$run.json"
    seeds "$run" --model "$run.json" ${OPTIONS-}
    for chip in $CHIPS; do
        for seed in $SEEDS; do
            from "$run-$seed" "$run-$seed-$chip" --device-seed "$chip" --epochs 0 &
            from "$run-$seed" "$run-$seed-$chip-tuned" --device-seed "$chip" --epochs $((epochs + 1)) &
        done
        wait
        for seed in $SEEDS; do
            printf '%s\t%s\t%s\t%s\n' "$dtod" "$(number "$run-$seed/result.json" test_accuracy)" \
                "$(number "$run-$seed-$chip/result.json" test_accuracy)" \
                "$(number "$run-$seed-$chip-tuned/result.json" test_accuracy)" >>"$out/transfer.tsv"
        done
    done
done

echo
echo "trained on chip 1, tested on chips $CHIPS; seeds $SEEDS, mean +- standard deviation"
echo
echo '| weight.dtod | runs | on its chip | on another | there after one epoch |'
echo '|---|---|---|---|---|'
average 1 <"$out/transfer.tsv"

rm -f "$out/settling.tsv"
for device in '' '"weight": {"dtod": 1}' '"weight": {"asymmetry": 1}' '"weight": {"asymmetry": 2}'; do
    name=$(echo "settling$device" | tr -cd 'a-z0-9')
    on_device device_digits "$device" >"$out/$name.json"
    seeds "$out/$name" --model "$out/$name.json" ${OPTIONS-}
    for tolerance in 1e-3 1e-6; do
        for seed in $SEEDS; do
            run=$out/$name-$seed-$tolerance
            from "$out/$name-$seed" "$run" --lr 0 --epochs $((epochs + 1)) --free-sweeps 1000 --free-tolerance "$tolerance"
            tail -n 1 "$run/log.jsonl" >"$run/last.jsonl"
            printf '%s\t%s\t%s\t%s\n' "${device:-ideal}" "$tolerance" "$(mean "$run/last.jsonl" free_sweeps)" \
                "$(number "$run/last.jsonl" sweeps)" >>"$out/settling.tsv"
        done
    done
done

echo
echo "sweeps of free phases of the trained chain; seeds $SEEDS, mean +- standard deviation"
echo
echo '| device | tolerance | runs | mean | most of any sample |'
echo '|---|---|---|---|---|'
average 2 <"$out/settling.tsv"
