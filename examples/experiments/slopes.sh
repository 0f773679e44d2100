#!/bin/sh
# How much sooner does a deep block settle whose layers' slopes fall towards its input, and what does that cost?
#
#   sh examples/experiments/slopes.sh OUT CIFAR10
#
# One block of six layers (splitting_small_1block) with the slopes a r^(5 - i), a being such that layer 0 keeps the slope 1.
# Weights begin divided by the slope of the layer above them and learn at rates divided by it, and beta is multiplied by
# r^5: what goes up, and the nudge of the last layer, are those of r = 1, and what comes down a coupling is r times as much.
# Prints two tables: at first values, the sweeps to the tolerances 1e-4 and 1e-2 over 8 images and the smallest cosine of a
# certificate; then short trainings on CIFAR-10, whose binary files are in the directory CIFAR10. Called again, it goes on
# where it was.
#
#   RATIOS       1 0.8 0.65 0.5  values of r
#   RELAXATIONS  1 1.3
#   FIRST_WIDTH  1               times the paper's channels, at first values
#   WIDTH        0.25            likewise, of the trainings
#   EPOCHS       2               of the trainings; 0: none
#   BATCH        20
#   LIMIT_TRAIN  3000            images; 0: all 50,000
#   LIMIT_TEST   1000            test images; 0: all 10,000
#   SEEDS        0 1 2           of the trainings
#   OPTIONS                      more options of train
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 2 ] || { sed -n '2,/^here/s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
. "$here/runs.sh"
out=$1
data=$2
layers=5 # above layer 0
: "${RATIOS:=1 0.8 0.65 0.5}" "${RELAXATIONS:=1 1.3}" "${FIRST_WIDTH:=1}" "${WIDTH:=0.25}" "${EPOCHS:=2}"
: "${BATCH:=20}" "${LIMIT_TRAIN:=3000}" "${LIMIT_TEST:=1000}" "${SEEDS:=0 1 2}"

power() { awk -v r="$1" -v n="$2" -v factor="${3-1}" 'BEGIN { printf "%.9g", factor * r ^ n }'; }

# model WIDTH RATIO: the path of the description, with an activation and first values of its own in every coupling.
model() {
    [ -e "$out/models-$1/splitting_small_1block_10.json" ] || sh "$here/../models/generate.sh" "$out/models-$1" "$1"
    awk -v r="$2" '
    { sub(/"clamp_last": false/, "\"clamp_last\": true") }
    match($0, /"variance": [0-9.e-]+/) { variance = substr($0, RSTART + 12, RLENGTH - 12) }
    /"couplings"/ { inside = 1 }
    inside && match($0, /\{"type": "(conv2d|dense)", /) {
        slope = r ^ -++above
        activation = sprintf("{\"type\": \"%s\", \"slope\": %.9g}", /"dense"/ ? "identity" : "hard_sigmoid", slope)
        first = sprintf("{\"type\": \"goe\", \"variance\": %.9g, \"gain\": %.9g}", variance / slope ^ 2, 1 / slope)
        sub(/, /, ", \"activation\": " activation ",\n     \"initialization\": " first ",\n     ")
    }
    /\]\}\}/ { inside = 0 }
    { print }' "$out/models-$1/splitting_small_1block_10.json" >"$out/models-$1/$2.json"
    echo "$out/models-$1/$2.json"
}

# rates RATIO: of the couplings, as --rates takes them.
rates() {
    for c in 0 1 2 3 4; do
        printf 'stage1.%d=%s,' $c "$(power "$1" $((c + 1)))"
    done | sed 's/,$//'
}

# run DIR MODEL RATIO RELAXATION OPTION..
run() {
    run=$1 json=$2 ratio=$3 relaxation=$4
    shift 4
    train "$run" --model "$json" --dataset cifar10 --data "$data" --free-sweeps 300 --free-tolerance 1e-4 \
        --nudged-sweeps 100 --nudged-tolerance 1e-2 --switches hold --relaxation "$relaxation" --weight-decay 0 \
        --beta "$(power "$ratio" $layers 0.2)" --rates "$(rates "$ratio")" "$@"
}

# cosine RATIO OPTION..: the smallest, at the betas 0.02 and 0.2 of r = 1.
cosine() {
    ratio=$1
    shift
    for beta in 0.02 0.2; do
        "$bin/certify" --json --images 2 --seeds 1 --beta "$(power "$ratio" $layers $beta)" "$@" 2>/dev/null || :
    done | sed -n 's/.*"cosine": \([^,]*\),.*"region_changes": \([^,]*\),.*/\1\t\2/p' | tr '\n' '\t' | sed 's/\t$//'
}

mkdir -p "$out"
echo
echo "first values, width $FIRST_WIDTH; sweeps are means over 8 images; cosine and region changes at the betas 0.02 and 0.2 times r^$layers"
echo
echo '| r | relaxation | runs | free sweeps | nudged sweeps | cosine | region changes | cosine | region changes |'
echo '|---|---|---|---|---|---|---|---|---|'
for ratio in $RATIOS; do
    json=$(model "$FIRST_WIDTH" "$ratio")
    certificate=$(cosine "$ratio" "$json")
    for relaxation in $RELAXATIONS; do
        first=$out/first-$FIRST_WIDTH-$ratio-$relaxation
        run "$first" "$json" "$ratio" "$relaxation" --limit-train 8 --limit-test 8 --batch 8 --epochs 1 --lr 0 --lr-min 0
        printf '%s\t%s\t%s\t%s\t%s\n' "$ratio" "$relaxation" \
            "$(mean "$first/log.jsonl" free_sweeps)" "$(mean "$first/log.jsonl" nudged_sweeps)" "$certificate"
    done
done | average 2

[ "$EPOCHS" -gt 0 ] || exit 0
echo
echo "width $WIDTH, $EPOCHS epochs of $LIMIT_TRAIN images, seeds $SEEDS; mean +- standard deviation over seeds; sweeps of the last epoch, cosine and region changes after it"
echo
echo '| r | relaxation | runs | test accuracy | training loss | free sweeps | nudged sweeps | cosine | region changes | cosine | region changes |'
echo '|---|---|---|---|---|---|---|---|---|---|---|'
for seed in $SEEDS; do
    for ratio in $RATIOS; do
        json=$(model "$WIDTH" "$ratio")
        for relaxation in $RELAXATIONS; do
            trained=$out/$ratio-$relaxation-$seed
            run "$trained" "$json" "$ratio" "$relaxation" --limit-train "$LIMIT_TRAIN" --limit-test "$LIMIT_TEST" \
                --epochs "$EPOCHS" --batch "$BATCH" --lr 1e-3 --lr-min 1e-6 --schedule-per step --augment flip --seed "$seed" \
                ${OPTIONS-}
            tail -n 1 "$trained/log.jsonl" >"$trained/last.jsonl"
            printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$ratio" "$relaxation" \
                "$(number "$trained/result.json" test_accuracy)" "$(number "$trained/result.json" train_loss)" \
                "$(mean "$trained/last.jsonl" free_sweeps)" "$(mean "$trained/last.jsonl" nudged_sweeps)" \
                "$(cosine "$ratio" --dataset cifar10 --data "$data" "$trained/last.safetensors")"
        done
    done
done | average 2
