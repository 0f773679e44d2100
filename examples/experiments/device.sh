# device.sh - what experiments on devices share. To be sourced after runs.sh.
models=$here/../models

# on_device MODEL SETTINGS: the description of examples/models/MODEL.json with its energy blocks on a device: an object's inside.
on_device() {
    sed 's/"type": "hopfield",/& "device": {"seed": '"${DEVICE_SEED:-1}${2:+, $2}"'},/' "$models/$1.json"
}

# seeds DIR OPTION..: a run for each seed, all at once: DIR-SEED.
seeds() {
    dir=$1
    shift
    for seed in $SEEDS; do
        train "$dir-$seed" --seed "$seed" --threads 1 --quiet "$@" &
    done
    wait
}

# accuracies DIR LABELS: a line for each seed: tab-separated labels, and the test accuracy. One that diverged has learned nothing.
accuracies() {
    for seed in $SEEDS; do
        printf '%s\t%s\n' "$2" "$(number "$1-$seed/result.json" test_accuracy)"
    done
}
