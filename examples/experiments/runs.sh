# runs.sh - what the experiments share. To be sourced, in the directory that the program was built in.
set -eu
bin=${BIN:-build/examples}
export OPENBLAS_NUM_THREADS=1

[ -x "$bin/train" ] || {
    echo "$0: $bin/train is not there: run make, and call this from where you did (or set BIN)" >&2
    exit 2
}

# train DIR OPTION..: a run in a directory of its own. One that was broken off goes on; one that is done is left alone, so
# that an experiment can be interrupted and called again. One that fails is reported, and has no result.
train() {
    [ ! -e "$1/result.json" ] || return 0
    if [ -e "$1/last.safetensors" ]; then
        set -- --resume "$1"
    else
        set -- --run "$@"
    fi
    echo "train $*" >&2
    status=0
    "$bin/train" "$@" >/dev/null || status=$?
    [ "$status" -le 1 ] || exit "$status"
}

# number FILE KEY: the last value of a key in a file of JSON lines; - if there is none.
number() {
    value=
    [ ! -e "$1" ] || value=$(sed -n 's/.*"'"$2"'": *\([^],}]*\).*/\1/p' "$1" | tail -n 1)
    echo "${value:--}"
}

# result DIR: a run's accuracy on test data and its last training loss, with a tab between.
result() {
    printf '%s\t%s' "$(number "$1/result.json" test_accuracy)" "$(number "$1/result.json" train_loss)"
}

# with_keys MODEL TYPE KEYS: a file of examples/models whose objects of this type have more keys.
with_keys() {
    sed 's/"type": "'"$2"'",/& '"$3"',/' "$here/../models/$1.json"
}

# mean LOG KEY: of a list of numbers, one a block, over epochs (or, in a run without a whole one, over steps) and blocks.
mean() {
    lines='"test_accuracy"'
    grep -q "$lines" "$1" || lines='"loss"'
    sed -n "/$lines/"'s/.*"'"$2"'": \[\([^]]*\)\].*/\1/p' "$1" |
        awk -F ', ' '{ for (i = 1; i <= NF; i++) { sum += $i; count++ } } END { if (count) print sum / count; else print "-" }'
}

# average COLUMNS: read lines of tab-separated words, the first COLUMNS of them labels; print one row of a table for all
# lines of the same labels: their number, and the mean of every other column with the standard deviation.
average() {
    awk -F '\t' -v labels="$1" '
    {
        key = $1
        for (i = 2; i <= labels; i++) key = key " | " $i
        if (!(key in count)) order[++keys] = key
        count[key]++
        if (NF > columns) columns = NF
        for (i = labels + 1; i <= NF; i++)
            if ($i != "-") { n[key, i]++; sum[key, i] += $i; square[key, i] += $i * $i }
    }
    END {
        for (k = 1; k <= keys; k++) {
            key = order[k]
            row = "| " key " | " count[key]
            for (i = labels + 1; i <= columns; i++) {
                if (!n[key, i]) { row = row " | -"; continue }
                m = sum[key, i] / n[key, i]
                row = row " | " sprintf("%.4g", m)
                if (n[key, i] > 1) {
                    variance = (square[key, i] - n[key, i] * m * m) / (n[key, i] - 1)
                    row = row sprintf(" +- %.2g", variance > 0 ? sqrt(variance) : 0)
                }
                if (n[key, i] < count[key]) row = row " (" count[key] - n[key, i] " failed)"
            }
            print row " |"
        }
    }'
}

# picture DIR: the curves of a run, where gnuplot is installed.
picture() {
    ! command -v gnuplot >/dev/null || [ ! -s "$1/log.jsonl" ] ||
        gnuplot -e "data='$1/log.jsonl'; picture='$1/log.png'" "$here/../training.gp" 2>/dev/null ||
        echo "no picture of $1" >&2
}
