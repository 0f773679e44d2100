#!/bin/sh
# How strong a nudge do the estimators bear?
#
#   sh examples/experiments/beta.sh OUT [DATA]
#
# Trains one model with every estimator, with the error held (linear) and following the nudged state (loss), for strengths
# beta from 1e-3 to 1; then certifies the trained model's gradient with the same settings: the smallest cosine of any
# tensor to implicit differentiation, and how many units the nudge moved into or out of saturation. Prints a table, and
# draws it (OUT/beta.png); a dash is a run that failed.
#
#   MODEL        digits  a file of examples/models
#   DATASET      digits  DATA is its directory, if it is not in its place
#   EPOCHS       10
#   SEEDS        0 1 2
#   BETAS        0.001 0.003 0.01 0.03 0.1 0.3 1
#   ESTIMATORS   centered positive negative random_sign four_point
#   NUDGINGS     linear loss
#   IMAGES       8       in a certificate, drawn from the test samples five times
#   OPTIONS              more options of train
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 1 ] || [ $# -eq 2 ] || { sed -n '2,/^here/s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
. "$here/runs.sh"
out=$1

# certify RUN ESTIMATOR NUDGING BETA: the smallest cosine, and the mean of the region changes.
certify() {
    [ -e "$1/result.json" ] || { printf -- '-\t-\n' && return; }
    "$bin/certify" --json --dataset "$DATASET" ${data:+--data "$data"} --images "${IMAGES:-8}" --seeds 5 \
        --estimator "$2" --nudging "$3" --beta "$4" "$1/last.safetensors" >"$1/certificates.jsonl" || :
    sed -n 's/.*"cosine": \([^,]*\),.*"region_changes": \([^,]*\),.*/\1 \2/p' "$1/certificates.jsonl" |
        awk 'NR == 1 || $1 < least { least = $1 } { changes += $2 }
             END { if (NR) printf "%.6g\t%.6g\n", least, changes / NR; else print "-\t-" }'
}

: "${MODEL:=digits}" "${DATASET:=digits}" "${SEEDS:=0 1 2}" "${BETAS:=0.001 0.003 0.01 0.03 0.1 0.3 1}"
: "${ESTIMATORS:=centered positive negative random_sign four_point}" "${NUDGINGS:=linear loss}" "${EPOCHS:=10}"
data=${2-}
rm -f "$out/table"
for nudging in $NUDGINGS; do
    for estimator in $ESTIMATORS; do
        for beta in $BETAS; do
            for seed in $SEEDS; do
                run=$out/$nudging-$estimator-$beta-$seed
                train "$run" --model "$here/../models/$MODEL.json" --dataset "$DATASET" ${data:+--data "$data"} \
                    --epochs "$EPOCHS" --nudging "$nudging" --estimator "$estimator" --beta "$beta" --seed "$seed" \
                    --quiet ${OPTIONS-}
                printf '%s\t%s\t%s\t%s\t%s\n' "$nudging" "$estimator" "$beta" \
                    "$(number "$run/result.json" test_accuracy)" "$(certify "$run" "$estimator" "$nudging" "$beta")" \
                    >>"$out/table"
            done
        done
    done
done

echo
echo "$MODEL, $EPOCHS epochs; seeds $SEEDS, mean +- standard deviation"
echo
echo '| nudging | estimator | beta | runs | test accuracy | smallest cosine | region changes |'
echo '|---|---|---|---|---|---|---|'
average 3 <"$out/table"

! command -v gnuplot >/dev/null ||
    gnuplot -e "data='$out/table'; picture='$out/beta.png'" "$here/beta.gp" || echo 'no picture' >&2
