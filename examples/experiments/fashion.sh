#!/bin/sh
# The best that a convolutional ff-EBM learns of Fashion-MNIST in a quarter of an hour.
#
#   sh examples/experiments/fashion.sh OUT [DATA]
#
# Trains examples/models/fashion_conv.json; DATA is the directory of the files, if they are not Debian's. Writes the run to
# a directory in OUT, draws it, and prints a table by epoch.
#
#   MODEL        fashion_conv
#   EPOCHS       5
#   MINUTES      15     the run is stopped then, and tested
#   SEED         0
#   OPTIONS             more options of train
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 1 ] || [ $# -eq 2 ] || { sed -n '2,/^here/s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
. "$here/runs.sh"
run=$1/${MODEL:=fashion_conv}-${SEED:=0}

train "$run" --model "$here/../models/$MODEL.json" --dataset fashion-mnist ${2:+--data "$2"} --epochs "${EPOCHS:=5}" \
    --max-minutes "${MINUTES:=15}" --seed "$SEED" --log-every 50 ${OPTIONS-}
picture "$run"

echo
echo '| epoch | training loss | training accuracy | test loss | test accuracy | seconds of the run | free sweeps | nudged sweeps |'
echo '|---|---|---|---|---|---|---|---|'
grep '"test_accuracy"' "$run/log.jsonl" | while read -r line; do
    echo "$line" >"$run/line"
    echo "| $(number "$run/line" epoch) | $(number "$run/line" train_loss) | $(number "$run/line" train_accuracy)" \
        "| $(number "$run/line" test_loss) | $(number "$run/line" test_accuracy) | $(number "$run/line" run_seconds)" \
        "| $(mean "$run/line" free_sweeps) | $(mean "$run/line" nudged_sweeps) |"
    rm "$run/line"
done
echo
echo "in the end: $(cat "$run/result.json")"
