#!/bin/sh
# What the training program promises: check_train.sh PROGRAM
#   - a run that is killed at any step and resumed, or stopped by a signal or by its time limit and resumed, ends with the
#     bits of one that was not, in its checkpoint and, but for times, in its log;
#   - a run that diverges ends with an error and leaves the checkpoint before it alone;
#   - a wrong option is named, and nothing is done.
set -eu
program=$1
cd "$(dirname "$0")/.."
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

fail() {
    echo "check_train.sh: $*" >&2
    [ ! -s "$work/errors" ] || tail -n 3 "$work/errors" >&2
    exit 1
}

# Nothing that is random is left out; one step is one line of the log, and about 200 lines leave time to kill it.
begin() {
    exec "$program" --model examples/models/digits.json --data examples/data --epochs 9 --run "$@" --quiet --batch 16 \
        --limit-train 300 --limit-test 60 --augment flip-crop --estimator random_sign --log-every 1 --warmup 30 \
        --clip-norm 1 --rates stage0=0.5,stage4.0.bias=2:0 --freeze stage2.0.bias --seed 7
}

# The values of a checkpoint: what follows the header, whose length stands in the first eight bytes.
values() {
    tail -c +$(($(od -An -tu8 -N8 "$1") + 9)) "$1"
}

# The log without what the clock tells.
events() {
    sed -E 's/"(seconds|samples_per_second|waited_seconds|run_seconds|peak_mib)": [^,]*, //g' "$1"
}

# same RUN: it has ended as the unbroken run, $whole, has, with nothing left over.
whole=$work/whole
same() {
    for file in "$1"/*.tmp; do
        [ ! -e "$file" ] || fail "$file is left over"
    done
    for file in last best; do
        values "$whole/$file.safetensors" >"$work/expected"
        values "$1/$file.safetensors" | cmp -s - "$work/expected" || fail "$1: $file.safetensors has other bits"
    done
    events "$whole/log.jsonl" >"$work/expected"
    events "$1/log.jsonl" | cmp - "$work/expected" || fail "$1: another log"
}

lines() {
    if [ -e "$1" ]; then wc -l <"$1"; else echo 0; fi
}

random() {
    echo $(($(od -An -tu4 -N4 /dev/urandom) % $1))
}

# break_off SIGNAL RUN STEPS COMMAND..: start the command, and send the signal once the log has so many lines more. The
# status of the command is left in $status.
break_off() {
    signal=$1 run=$2 target=$(($(lines "$2/log.jsonl") + $3))
    shift 3
    "$@" >/dev/null 2>"$work/errors" &
    pid=$!
    while [ "$(lines "$run/log.jsonl")" -lt "$target" ] && kill -0 "$pid" 2>/dev/null; do
        sleep 0.01
    done
    kill -"$signal" "$pid" 2>/dev/null || :
    status=0
    wait "$pid" 2>/dev/null || status=$?
    pid=
}

(begin "$work/whole" >/dev/null) || fail "the unbroken run failed"

# Killed again and again, at random steps, until it is through; saved in between every few steps, or after epochs alone.
for minutes in 0.0005 0; do
    run=$work/killed$minutes
    kills=0
    while [ ! -e "$run/result.json" ]; do
        command="begin $run --checkpoint-minutes $minutes --threads 2"
        [ ! -e "$run/last.safetensors" ] || command="$program --resume $run --threads 1"
        if [ $kills -ge 4 ]; then
            : >"$run/last.safetensors.ffebm-0123456789abcdef.tmp"
            ($command >/dev/null 2>"$work/errors") || fail "a killed run cannot be resumed"
        else
            # With checkpoints after epochs alone (19 steps), fewer steps than that would lead nowhere.
            break_off KILL "$run" $(($(random 40) + 25)) $command
            [ "$status" -eq 137 ] || [ "$status" -eq 0 ] || fail "a killed run cannot be resumed (status $status)"
            kills=$((kills + (status == 137)))
        fi
    done
    [ $kills -ge 1 ] || fail "$run: was through before it could be killed"
    same "$run"
done

# Stopped by a signal: after the step, with its own status, and with a word on how to go on.
for name in INT:130 TERM:143; do
    run=$work/${name%:*}
    break_off "${name%:*}" "$run" 30 begin "$run"
    [ "$status" -eq "${name#*:}" ] || fail "SIG${name%:*} ended in status $status, expected ${name#*:}"
    head -n 1 "$work/errors" | grep -q 'finishing this step, then saving; again to stop at once' ||
        fail "SIG${name%:*}: not answered at once"
    grep -q "train --resume $run\$" "$work/errors" || fail "SIG${name%:*}: not told how to go on"
    "$program" --resume "$run" >/dev/null 2>"$work/errors" || fail "a stopped run cannot be resumed"
    same "$run"
done

# Stopped by the clock, which is no failure, and the result is that of the moment.
run=$work/clock
(begin "$run" --max-minutes 0.002) >"$work/output" 2>"$work/errors" || fail "a run out of time failed"
grep -q '^{"test_accuracy": ' "$work/output" && [ -e "$run/result.json" ] || fail "a run out of time has no result"
[ "$(lines "$run/log.jsonl")" -lt "$(lines "$work/whole/log.jsonl")" ] || fail "--max-minutes did not end the run"
"$program" --resume "$run" --max-minutes 0 >/dev/null 2>"$work/errors" || fail "a run out of time cannot be resumed"
same "$run"

# Resumed when it is done: tested again, nothing else.
"$program" --resume "$run" >"$work/again" 2>"$work/errors" || fail "a finished run cannot be resumed"
same "$run"

# diverges WORDS OPTION..: a run with these options ends with an error of these words; of the checkpoints, `last` is from
# before, and can be read.
diverges() {
    words=$1
    shift
    run=$work/diverging
    rm -rf "$run"
    status=0
    (begin "$run" "$@" --checkpoint-minutes 0) >/dev/null 2>"$work/errors" || status=$?
    [ "$status" -eq 1 ] || fail "$*: status $status, expected 1"
    grep -q "diverged after step .*$words.*$run/last.safetensors" "$work/errors" || fail "$*: expected \"$words\""
    "$program" --resume "$run" --epochs 0 >/dev/null 2>"$work/errors" || fail "$*: the checkpoint left cannot be read"
}
diverges 'NaN or infinit' --lr 1e30 --lr-min 1e30 --warmup 0 --clip-norm 0 --max-loss 0 --max-residual 0
diverges 'times the 2.[0-9]* of an untrained model' --max-loss 0.5
diverges 'no longer settle' --max-residual 1e-5
diverges 'times the 2.[0-9]* of an untrained model' --lr 30 --lr-min 30 --warmup 0 --clip-norm 0 --max-residual 0
diverges 'on the test samples' --lr 30 --lr-min 30 --warmup 0 --clip-norm 0 --max-residual 0 --limit-train 48 --epochs 1

# refused WORDS OPTION..: status 2 and an error with these words.
refused() {
    words=$1
    shift
    status=0
    "$program" "$@" >"$work/output" 2>"$work/errors" || status=$?
    [ "$status" -eq 2 ] && [ ! -s "$work/output" ] || fail "$*: status $status, expected 2"
    grep -q -e "$words" "$work/errors" || fail "$*: expected an error with \"$words\""
}
model=examples/models/digits.json
sed -E 's/("slope": *)[0-9.]+/\10.25/' $model >"$work/steep.json"
sed '1s/{/{"dtype": "float64", /' $model >"$work/double.json"
refused '--model: not given'
sed 's/"loss": *"[a-z_]*"/"loss": "none"/' $model >"$work/lossless.json"
refused 'lossless.json: its "loss" is "none".*"cross_entropy" or "mse".*ffebm_engine_vjp' --model "$work/lossless.json"
refused '--sweeps: no such option' --model $model --sweeps 3
refused '--epochs 1.5: expected a whole number from 0 to 1000000' --model $model --epochs 1.5
refused '--beta 0: expected a number above 0' --model $model --beta 0
refused '--schedule stairs: expected one of constant, cosine, step' --model $model --schedule stairs
refused '--lr-period 0: expected 1 or more' --model $model --schedule step
refused '--label-smoothing 1: expected a number of at least 0 and below 1' --model $model --label-smoothing 1
refused '--rates stage0: expected PREFIX=RATE' --model $model --rates stage0
refused '--rates stage0: .*learning rate multiplier -1' --model $model --rates stage0=-1
refused '--freeze stage9: .*no parameter' --model $model --freeze stage9
# Another chip is another network for the same weights; the one that they were trained on is none.
sed 's/"type": "hopfield",/& "device": {"seed": 1, "weight": {"dtod": 1}},/' $model >"$work/chip.json"
"$program" --model "$work/chip.json" --run "$work/chip" --epochs 1 --limit-train 320 --quiet >/dev/null || fail "a run on a device failed"
loss_on() {
    "$program" --resume "$work/chip/last.safetensors" --epochs 0 --quiet --device-seed "$1" | sed 's/.*"test_loss": \([^,]*\),.*/\1/'
}
[ "$(loss_on 0)" = "$(loss_on 1)" ] || fail "--device-seed: the chip's own is another one"
[ "$(loss_on 1)" != "$(loss_on 2)" ] || fail "--device-seed: another chip is the same one"
refused '--run: the run goes on in the directory' --resume "$work/whole" --run "$work/other"
refused '--log: a run directory has its own' --resume "$work/whole" --log "$work/log"
refused '--log: a run directory has its own' --model $model --run "$work/other" --log "$work/log"
refused '--checkpoint: a run directory has its own' --model $model --run "$work/other" --checkpoint "$work/c.safetensors"
refused '"slope":0.25.*expected "slope":' --resume "$work/whole" --model "$work/steep.json"
refused '"dtype":"float64".*expected "dtype":"float32"' --resume "$work/whole" --model "$work/double.json"
refused 'is not the one that the run was begun with' --resume "$work/whole" --split last
refused '--seed 8: expected 7' --resume "$work/whole" --seed 8
refused 'a run lives there' --model $model --run "$work/whole"
refused 'has no last.safetensors' --resume "$work"
begin "$work/busy" --epochs 1000000 >/dev/null 2>&1 &
pid=$!
while [ "$(lines "$work/busy/log.jsonl")" -eq 0 ]; do
    kill -0 "$pid" 2>/dev/null || fail "a long run did not begin"
    sleep 0.01
done
refused 'another process is at this run' --resume "$work/busy"
kill -9 "$pid"
wait "$pid" 2>/dev/null || :
pid=
same "$work/whole"

# What cannot be written is noticed before the first step, and nothing is left over. (Permissions do not stop root.)
mkdir "$work/places"
: >"$work/places/file"
for place in "--log $work/nowhere/log" "--log $work/places" "--checkpoint $work/nowhere/c" "--checkpoint $work/places" \
    "--run $work/places/file" "--run $work/places/file/run"; do
    status=0
    "$program" --model $model --data examples/data --epochs 1 $place >"$work/output" 2>"$work/errors" || status=$?
    [ "$status" -ne 0 ] && [ ! -s "$work/output" ] && ! grep -q epoch "$work/errors" || fail "$place: status $status"
    grep -q "${place#* }" "$work/errors" || fail "$place: expected an error that names it"
done
[ "$(ls "$work/places")" = file ] || fail "a place that cannot be written to: something is left over"

# One process at a time writes to a log, and to a checkpoint.
"$program" --model $model --data examples/data --epochs 1000000 --log "$work/one.jsonl" --checkpoint "$work/one" \
    --log-every 1 --quiet >/dev/null 2>&1 &
pid=$!
while [ "$(lines "$work/one.jsonl")" -eq 0 ]; do
    kill -0 "$pid" 2>/dev/null || fail "a long run did not begin"
    sleep 0.01
done
for place in "--log $work/one.jsonl" "--checkpoint $work/one"; do
    status=0
    "$program" --model $model --data examples/data $place >/dev/null 2>"$work/errors" || status=$?
    [ "$status" -eq 1 ] && grep -q 'another process writes to it' "$work/errors" || fail "$place twice: status $status"
done
kill -9 "$pid"
wait "$pid" 2>/dev/null || :
pid=
[ "$(lines "$work/one.jsonl")" -gt 0 ] || fail "a log was cut by a process that may not write to it"
"$program" --model $model --data examples/data --epochs 0 --checkpoint "$work/one" --quiet >/dev/null 2>"$work/errors" ||
    fail "a killed process has left a lock behind"

# Settings go with the run: it ends alike from another directory, and with options that are said again.
root=$PWD program_path=$(cd "$(dirname "$program")" && pwd)/$(basename "$program")
mkdir "$work/elsewhere" "$work/elsewhere/examples"
"$program" --model $model --data examples/data --run "$work/told" --limit-train 200 --limit-test 40 --epochs 2 --beta 0.3 \
    --free-sweeps 50 --quiet >/dev/null
cp -r "$work/told" "$work/moved"
(cd "$work/elsewhere" && "$program_path" --resume ../moved --epochs 3 --quiet >/dev/null 2>"$work/errors") ||
    fail "a run cannot be resumed elsewhere"
"$program" --resume "$work/told" --epochs 3 --model $model >/dev/null 2>"$work/errors" || fail "--resume DIR --model"
values "$work/told/last.safetensors" >"$work/expected"
values "$work/moved/last.safetensors" | cmp - "$work/expected" || fail "resumed elsewhere: other bits"
for file in settings.json model.json; do
    grep -q '"beta": *0.3,' "$work/told/$file" && grep -Eq '"free[_-]sweeps": *50,' "$work/told/$file" &&
        grep -Eq '"epochs": *3,' "$work/told/$file" || fail "$file does not say what was trained"
done
grep -q "\"data\": \"$root/examples/data\"" "$work/told/settings.json" || fail 'settings.json: "data" is no absolute path'
[ "$(grep -c '^    \["' "$work/told/settings.json")" -eq 2 ] || fail "settings.json: expected two commands"

# The best epoch is chosen on samples that are held out, and training ends when it is long ago; broken off and resumed, it is
# the same run. What is predicted is what was tested.
held() {
    exec "$program" --model $model --data examples/data --run "$@" --quiet --limit-train 300 --limit-test 60 --val 40 \
        --patience 2 --epochs 200 --log-every 1 --lr 0.02 --schedule constant
}
(held "$work/held" >/dev/null 2>"$work/errors") || fail "a run with --val failed"
epochs=$(grep -c val_accuracy "$work/held/log.jsonl")
[ "$epochs" -lt 200 ] || fail "--patience 2 did not end a run of 200 epochs"
awk -v last="$epochs" '
    function number(key) { return substr($0, index($0, "\"" key "\": ") + length(key) + 4) + 0 }
    /"val_accuracy"/ && (best == "" || number("val_accuracy") > best) { best = number("val_accuracy"); epoch = number("epoch") }
    END { exit epoch + 2 != last }' "$work/held/log.jsonl" || fail "--patience 2 ended after $epochs epochs"
break_off KILL "$work/broken" 15 held "$work/broken"
"$program" --resume "$work/broken" >/dev/null 2>"$work/errors" || fail "a run with --val cannot be resumed"
whole=$work/held
same "$work/broken"
whole=$work/whole
refused '--val 41 of 300 training samples: expected 40 of 300' --resume "$work/held" --val 41
refused '--val 40 of 200 training samples: expected 40 of 300' --resume "$work/held" --limit-train 200
refused '--val 300: expected fewer than the 300' --model $model --data examples/data --limit-train 300 --val 300
refused '--patience 2: expected --val N too' --model $model --patience 2
refused '--predict: expected --resume' --model $model --predict "$work/predictions.csv"
for from in held:test_accuracy held/best.safetensors:best_test_accuracy; do
    "$program" --resume "$work/${from%:*}" --predict "$work/predictions.csv" >"$work/output" 2>"$work/errors" ||
        fail "--predict failed"
    awk -F, -v key="\"${from#*:}\": " '
        FNR == NR { wanted = substr($0, index($0, key) + length(key)) + 0; next }
        FNR == 1 { bad = $0 != "index,label,prediction,probability"; next }
        { bad += $1 != count || $4 <= 0.1 || $4 > 1; count++; right += $2 == $3 }
        END { exit bad || count != 60 || (right / count - wanted) ^ 2 > 1e-12 }' \
        FS='\n' "$work/held/result.json" FS=, "$work/predictions.csv" || fail "--predict: not what was tested of $from"
done
[ ! -e "$work/predictions.csv.lock" ] || fail "--predict: a lock is left over"

# Other data is an error unless it is meant, and then it is the run's.
zcat examples/data/digits.csv.gz | awk -F, 'BEGIN { OFS = "," } { $65 = ($65 + 1) % 10; print }' | gzip >"$work/digits.csv.gz"
refused 'is not the one that the run was begun with' --resume "$work/moved" --data "$work"
"$program" --resume "$work/moved" --data "$work" --other-data --epochs 4 >/dev/null 2>"$work/errors" || fail "--other-data"
"$program" --resume "$work/moved" >/dev/null 2>"$work/errors" || fail "--other-data was forgotten"
refused 'is not the one that the run was begun with' --resume "$work/moved" --data examples/data

# The result says what was best, as the log has it, and what was trained.
for run in "whole test" "held val"; do
    of=${run#* } run=$work/${run% *}
    awk -v key="${of}_accuracy" '
        function number(key) { return substr($0, index($0, "\"" key "\": ") + length(key) + 4) + 0 }
        /"test_accuracy"/ && /"best_epoch"/ { exit !(number("best_epoch") == epoch && number("best_" key) == best &&
                                                     number("best_test_accuracy") == tested && number("test_accuracy") == last) }
        /"test_accuracy"/ { last = number("test_accuracy") }
        /"test_accuracy"/ && (best == "" || number(key) > best) { best = number(key); epoch = number("epoch"); tested = last }
        ' "$run/log.jsonl" "$run/result.json" || fail "$run: result.json does not say what was best"
done
grep -q '"settings": {.*"dataset": "digits", .*"seed": 7, .*"estimator": "random_sign"' "$work/whole/result.json" ||
    fail "result.json does not say what was trained"

# A checkpoint alone: with the options of its run, --model among them, it goes on as the unbroken run.
alone="$program --model $model --data examples/data --limit-train 200 --limit-test 40 --schedule constant --quiet"
$alone --epochs 2 --checkpoint "$work/two" >/dev/null
$alone --epochs 1 --checkpoint "$work/first" >/dev/null
$alone --epochs 2 --resume "$work/first" --checkpoint "$work/second" >/dev/null 2>"$work/errors" ||
    fail "--resume FILE --model"
values "$work/two" >"$work/expected"
values "$work/second" | cmp - "$work/expected" || fail "--resume FILE --model: other bits"

# What cannot be drawn is said in a sentence; what can be drawn is, and gnuplot says nothing.
: >"$work/empty.jsonl"
head -c 100 "$work/held/log.jsonl" >"$work/cut.jsonl"
head -n 1 "$work/held/log.jsonl" >"$work/one.jsonl"
for log in nowhere.jsonl empty.jsonl cut.jsonl; do
    if examples/plot.sh "$work/$log" "$work/a.png" >"$work/output" 2>&1; then fail "$log was drawn"; fi
    [ "$(wc -l <"$work/output")" -eq 1 ] && grep -q "$log: " "$work/output" && [ ! -e "$work/a.png" ] ||
        fail "$log: expected one line that names it"
done
if command -v gnuplot >/dev/null; then
    mkdir "$work/it's a log"
    cp "$work/told/log.jsonl" "$work/it's a log"
    "${program%train}gradient_analysis" --model examples/models/digits.json --nudged-sweeps 6 --out "$work/sweeps.jsonl" \
        >"$work/output" 2>&1 || fail "gradient_analysis failed"
    for log in one.jsonl held "it's a log" sweeps.jsonl; do
        examples/plot.sh "$work/$log" "$work/a.png" >"$work/output" 2>"$work/errors" || fail "$log cannot be drawn"
        [ ! -s "$work/errors" ] && [ "$(cat "$work/output")" = "picture: $work/a.png" ] || fail "$log: not drawn in silence"
        rm "$work/a.png"
    done
fi

"$program" --help >"$work/help"
"$program" -h | cmp -s - "$work/help" || fail "-h is not --help"
"$program" --version | grep -q '^libffebm [0-9]' || fail "--version"
for option in $(sed -n 's/^ *[A-Z_]*("\([a-z0-9-]*\)", .*/\1/p' examples/support/settings.c) \
    lr-period label-smoothing beta free-sweeps nudged-order relaxation; do # these are the library's settings
    "$program" --help | grep -q -e "^  --$option[ ,]" || fail "--help does not know --$option"
done
echo 'killed, stopped and resumed: the same bits'
