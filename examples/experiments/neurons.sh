#!/bin/sh
# How do blocks of each kind of neuron settle and learn, and what nudge do they bear?
#
#   sh examples/experiments/neurons.sh OUT [DATA]
#
# Trains one block of four dense layers on the digits, with first values and settings that are the library's defaults, once
# for each activation; then certifies the trained model at three strengths of the nudge, over 8 test images drawn three
# times. Prints a table: accuracy, sweeps of the last epoch, and at each beta the smallest cosine of any tensor to implicit
# differentiation, with the mean of the region changes. DATA is the directory of digits.csv.gz, if it is not in its place.
#
#   NEURONS      hard_sigmoid:0.25:1 .. type:slope, of hard sigmoids type:slope:upper
#   LAST         false                  clamp_last: true gives the last layer the neurons of the others
#   EPOCHS       20
#   SEEDS        0 1 2
#   BETAS        0.001 0.1 1
#   OPTIONS      more options of train
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 1 ] || [ $# -eq 2 ] || { sed -n '2,/^here/s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
. "$here/runs.sh"
out=$1
data=${2-}
: "${LAST:=false}" "${EPOCHS:=20}" "${SEEDS:=0 1 2}" "${BETAS:=0.001 0.1 1}"
: "${NEURONS:=hard_sigmoid:0.25:1 hard_sigmoid:1:1 hard_sigmoid:0.25:6 hard_sigmoid:1:6 relu:0.25 sigmoid:1 tanh:0.25 tanh:1}"

# model TYPE SLOPE UPPER
model() {
    bounds=${3:+", \"upper\": $3"}
    cat <<END
{"input": [64], "loss": "cross_entropy", "stages": [
  {"feedforward": [{"type": "linear", "out_features": 128}]},
  {"energy": {"type": "hopfield", "activation": {"type": "$1", "slope": $2$bounds}, "clamp_last": $LAST,
   "couplings": [{"type": "dense", "out_features": 128}, {"type": "dense", "out_features": 128},
                 {"type": "dense", "out_features": 64}]}},
  {"feedforward": [{"type": "linear", "out_features": 10}]}]}
END
}

# certify RUN BETA: the smallest cosine, and the mean of the region changes.
certify() {
    "$bin/certify" --json --dataset digits ${data:+--data "$data"} --images 8 --seeds 3 --beta "$2" \
        "$1/last.safetensors" 2>/dev/null |
        sed -n 's/.*"cosine": \([^,]*\),.*"region_changes": \([^,]*\),.*/\1 \2/p' |
        awk 'NR == 1 || $1 < least { least = $1 } { changes += $2 }
             END { if (NR) printf "\t%.6g\t%.6g", least, changes / NR; else printf "\t-\t-" }'
}

mkdir -p "$out"
rm -f "$out/table"
for neuron in $NEURONS; do
    rest=${neuron#*:}
    upper=${rest#"${rest%%:*}"}
    model "${neuron%%:*}" "${rest%%:*}" "${upper#:}" >"$out/$neuron.json"
    for seed in $SEEDS; do
        run=$out/$neuron-$seed
        train "$run" --model "$out/$neuron.json" --dataset digits ${data:+--data "$data"} --epochs "$EPOCHS" --seed "$seed" \
            --quiet ${OPTIONS-}
        tail -n 1 "$run/log.jsonl" >"$run/last.jsonl"
        {
            printf '%s\t%s\t%s\t%s' "$neuron" "$(number "$run/result.json" test_accuracy)" \
                "$(mean "$run/last.jsonl" free_sweeps)" "$(mean "$run/last.jsonl" nudged_sweeps)"
            for beta in $BETAS; do
                certify "$run" "$beta"
            done
            echo
        } >>"$out/table"
    done
done

echo
echo "$EPOCHS epochs; seeds $SEEDS, mean +- standard deviation; cosine and region changes at the betas $BETAS"
echo
echo "| neurons | runs | test accuracy | free sweeps | nudged sweeps |$(for beta in $BETAS; do
    printf ' cosine | changes |'; done)"
echo "|---|---|---|---|---|$(for beta in $BETAS; do printf -- '---|---|'; done)"
average 1 <"$out/table"
