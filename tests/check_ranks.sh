#!/bin/sh
# What training on several ranks promises: check_ranks.sh PROGRAM [MPIRUN], of a train that make MPI=1 has built.
#   - a global batch gives the same parameters on every number of ranks, to rounding; on one number, to the bit;
#   - a run goes on from its checkpoint, on as many ranks with the same bits, on another number with the same samples;
#   - whatever ends one rank ends all, and the last checkpoint can be resumed.
set -eu
program=$1 mpirun=${2:-mpirun}
cd "$(dirname "$0")/.."
# In containers, and with more ranks than processors. Other implementations do not look at these.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 \
    OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_btl_vader_single_copy_mechanism=none OPENBLAS_NUM_THREADS=1 \
    OMPI_MCA_odls_base_sigkill_timeout=0 # who is to end has been told why, or is dead
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

fail() {
    echo "check_ranks.sh: $*" >&2
    [ ! -s "$work/errors" ] || tail -n 5 "$work/errors" >&2
    exit 1
}

# ranks COUNT OPTION..: train on so many ranks.
ranks() {
    count=$1
    shift
    $mpirun -n "$count" "$program" "$@" --quiet --threads 1 </dev/null >"$work/output" 2>"$work/errors"
}

# The values of a checkpoint: what follows the header, whose length stands in the first eight bytes.
values() {
    tail -c +$(($(od -An -tu8 -N8 "$1") + 9)) "$1"
}
# close A B TYPE TOLERANCE: two checkpoints have values of a type (f8, f4) that agree.
close() {
    values "$1" | od -An -v -t"$3" -w"${3#f}" >"$work/a"
    values "$2" | od -An -v -t"$3" -w"${3#f}" >"$work/b"
    paste "$work/a" "$work/b" | awk -v most="$4" '
        function size(x) { return x < 0 ? -x : x }
        { d = size($1 - $2) / (size($2) > 1e-3 ? size($2) : 1e-3); if (!(d <= worst)) worst = d; count++ }
        END { if (count < 100 || !(worst <= most)) { print "worst of " count ": " worst; exit 1 } }' ||
        fail "$1 and $2 do not agree"
}
same() {
    values "$1/last.safetensors" >"$work/a"
    values "$2/last.safetensors" | cmp -s - "$work/a" || fail "$2: other bits than $1"
}

# Batch normalisation in front of both kinds of blocks, a pool, and signs that are drawn.
cat >"$work/conv.json" <<'END'
{"dtype": "float64", "input": [1, 8, 8], "loss": "cross_entropy",
 "recipe": {"epochs": 2, "batch": 25, "optimizer": "adam", "lr": 2e-3, "estimator": "random_sign", "free_sweeps": 200,
            "nudged_sweeps": 10, "free_tolerance": 1e-9, "nudged_tolerance": 0, "augment": "flip-crop", "label_smoothing": 0.1},
 "stages": [
  {"feedforward": [{"type": "conv2d", "out_channels": 4, "kernel": 3, "padding": 1, "bias": false}, {"type": "batchnorm2d"}]},
  {"energy": {"type": "hopfield", "couplings": [{"type": "conv2d", "out_channels": 6, "kernel": 3, "padding": 1,
              "pool": {"type": "max", "kernel": 2}}]}},
  {"feedforward": [{"type": "batchnorm2d"}, {"type": "flatten"}, {"type": "linear", "out_features": 32}]},
  {"energy": {"type": "hopfield", "couplings": [{"type": "dense", "out_features": 16}]}},
  {"feedforward": [{"type": "linear", "out_features": 10}]}]}
END
# 251 samples: ten batches of 25 an epoch, and one of a single sample, so that all ranks but one have none.
small="--model $work/conv.json --data examples/data --limit-train 251 --limit-test 63"

$program $small --run "$work/one" --quiet >"$work/output" 2>"$work/errors" || fail "one process failed"
for count in 2 4; do
    ranks $count $small --run "$work/ranks$count" || fail "$count ranks failed"
    [ "$(wc -l <"$work/output")" -eq 1 ] && [ ! -s "$work/errors" ] || fail "$count ranks: more than one has spoken"
    close "$work/ranks$count/last.safetensors" "$work/one/last.safetensors" f8 1e-6
done
ranks 2 $small --run "$work/again" || fail "a second run on two ranks failed"
same "$work/ranks2" "$work/again"

# In float32, as the digits are trained.
digits="--model examples/models/digits.json --data examples/data --limit-train 640 --limit-test 60 --epochs 1"
$program $digits --run "$work/float" --quiet >/dev/null 2>"$work/errors" || fail "digits failed"
ranks 2 $digits --run "$work/floats" || fail "digits on two ranks failed"
loss() { sed -n 's/.*"train_loss": \([^,]*\),.*/\1/p' "$1/log.jsonl" | tail -n 1; }
awk -v a="$(loss "$work/float")" -v b="$(loss "$work/floats")" 'BEGIN { exit !(a > 0 && (a / b - 1) ^ 2 < 1e-8) }' ||
    fail "digits: loss $(loss "$work/floats") on two ranks, $(loss "$work/float") on one"

# Stopped by the clock and resumed: on two ranks with the same bits, on three and on one with the same samples.
ranks 2 $small --run "$work/clock" --max-minutes 0.00001 || fail "a run out of time failed"
grep -q '"epochs_done": 0' "$work/output" || fail "--max-minutes did not end the run"
cp -r "$work/clock" "$work/clock3"
cp -r "$work/clock" "$work/clock1"
ranks 2 --resume "$work/clock" --max-minutes 0 || fail "two ranks cannot resume"
same "$work/ranks2" "$work/clock"
ranks 3 --resume "$work/clock3" --max-minutes 0 || fail "three ranks cannot resume"
close "$work/clock3/last.safetensors" "$work/one/last.safetensors" f8 1e-6
"$program" --resume "$work/clock1" --max-minutes 0 >/dev/null 2>"$work/errors" || fail "one process cannot resume"
close "$work/clock1/last.safetensors" "$work/one/last.safetensors" f8 1e-6

lines() {
    if [ -e "$1" ]; then wc -l <"$1"; else echo 0; fi
}
random() {
    echo $(($(od -An -tu4 -N4 /dev/urandom) % $1))
}
# begin COUNT RUN OPTION..: a run in the background, whose mpirun is $pid.
begin() {
    count=$1 run=$2
    shift 2
    # shellcheck disable=SC2086  # options, split on purpose
    $mpirun -n "$count" "$program" --run "$run" --quiet --threads 1 --log-every 1 "$@" </dev/null >"$work/output" \
        2>"$work/errors" &
    pid=$!
}
# reach LINES RUN: its log has so many lines.
reach() {
    while [ "$(lines "$2/log.jsonl")" -lt "$1" ]; do
        kill -0 "$pid" 2>/dev/null || fail "$2 is over after $(lines "$2/log.jsonl") steps"
        sleep 0.01
    done
}
# over: it ends by itself, soon; its status is in $status.
over() {
    for i in $(seq 1500); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.01
    done
    ! kill -0 "$pid" 2>/dev/null || fail "$run: does not end"
    status=0
    wait "$pid" || status=$?
    pid=
}
# The process of a rank: MPI tells each which it is.
rank_of() {
    for process in $(pgrep -f -- "$program --run $1 "); do
        if tr '\0' '\n' <"/proc/$process/environ" 2>/dev/null | grep -Eq "^(OMPI_COMM_WORLD_RANK|PMI_RANK)=$2\$"; then
            echo "$process"
            return
        fi
    done
}
# resumed RUN: it goes on, and ends as the run on two ranks that nothing happened to.
resumed() {
    ranks 2 --resume "$1" --max-minutes 0 --checkpoint-minutes 10 || fail "$1 cannot be resumed"
    same "$work/ranks2" "$1"
}

# A rank is killed at a random step.
for rank in 1 0 ${KILLS-}; do
    run=$work/killed$rank
    rm -rf "$run"
    begin 2 "$run" $small --checkpoint-minutes 0.0005
    reach $((1 + $(random 18))) "$run"
    victim=$(rank_of "$run" "$rank")
    [ -n "$victim" ] || fail "no process of rank $rank"
    kill -9 "$victim" 2>/dev/null || :
    over
    [ "$status" -ne 0 ] || [ -e "$run/result.json" ] || fail "rank $rank was killed, and mpirun ended in status 0"
    resumed "$run"
done

# A signal to one rank: all end after the step, and the run is saved.
run=$work/signal
begin 2 "$run" $small
reach 3 "$run"
kill -TERM "$(rank_of "$run" 1)"
over
[ "$status" -ne 0 ] && grep -q "SIGTERM after step .*train --resume $run\$" "$work/errors" || fail "SIGTERM: status $status"
resumed "$run"

# Divergence: said once, and the checkpoint before it is left.
run=$work/diverging
ranks 2 $digits --run "$run" --lr 1e30 --lr-min 1e30 --max-loss 0 --max-residual 0 && fail "it did not diverge"
[ "$(grep -c 'train: diverged after step .*NaN or infinit.*last.safetensors' "$work/errors")" -eq 1 ] || fail "expected one word on divergence"
ranks 2 --resume "$run" --epochs 0 || fail "a checkpoint before divergence cannot be read"

# What cannot be written ends all ranks: at first, and when it is full.
ranks 2 $small --log /dev/full --log-every 1 && fail "a full disk was not noticed"
grep -q 'train: /dev/full: ' "$work/errors" || fail "a full disk: expected a word on it"
ranks 2 $small --run "$work/nowhere/$(printf '%0300d' 0)" && fail "a run without a place"

# Mistakes are told once, by one rank.
refused() {
    words=$1
    shift
    status=0
    ranks 2 "$@" || status=$?
    [ "$status" -ne 0 ] && [ "$(grep -c "^train: .*$words" "$work/errors")" -eq 1 ] || fail "$*: expected \"$words\" once"
}
refused 'no such option' --model "$work/conv.json" --sweeps 3
refused 'a run lives there' $small --run "$work/one"
refused '--batch 1: expected 2 or more' $small --batch 1
refused '--predict: expected one process' --resume "$work/one" --predict "$work/predictions"
# Who would train another model than the others is found out before the first step.
status=0
# shellcheck disable=SC2086  # options, split on purpose
$mpirun -n 1 "$program" $small --quiet --seed 1 : -n 1 "$program" $small --quiet --seed 2 </dev/null >"$work/output" \
    2>"$work/errors" || status=$?
[ "$status" -ne 0 ] && grep -q '^train: ranks have come apart: after 0 steps' "$work/errors" || fail "other seeds: status $status"

# The example prints what one process comes to, on any number of ranks.
example=$(dirname "$program")/ranks
for count in 1 3; do
    $mpirun -n $count "$example" </dev/null 2>"$work/errors" || fail "the example failed on $count ranks"
done >"$work/output"
awk '{ loss[NR] = substr($4, 1, 5); right[NR] = $9 } END { exit !(NR == 2 && loss[1] == loss[2] && right[1] == right[2]) }' \
    "$work/output" || fail "the example: $(cat "$work/output")"
echo 'one, two, three and four ranks: one run'
