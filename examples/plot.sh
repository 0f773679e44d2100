#!/bin/sh
# Draw what train has logged, or gradient_analysis has written, with gnuplot: plot.sh LOG.jsonl|RUN_DIRECTORY [PICTURE.png].
# Prints where the picture is.
set -eu

[ $# -ge 1 ] && [ $# -le 2 ] || { echo "usage: $0 LOG.jsonl|RUN_DIRECTORY [PICTURE.png]" >&2 && exit 2; }
log=$1
[ ! -d "$log" ] || log=${log%/}/log.jsonl
picture=${2:-${log%.jsonl}.png}

fail() {
    echo "$0: $*" >&2
    exit 1
}

[ -e "$log" ] || fail "$log: there is no such file, expected a log of train or of gradient_analysis, or a run directory"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# Whole lines of a log alone: a run may be about to write one.
grep -E '^\{"epoch": [0-9]+, "step": [0-9]+, .*\}$' "$log" >"$work/log" || :
script=training.gp
if ! [ -s "$work/log" ]; then
    grep -E '^\{"(parameter": "|stage": [0-9]).*\}$' "$log" >"$work/log" || :
    script=gradient_analysis.gp
fi
[ -s "$work/log" ] || fail "$log: no line about an epoch, a step or a parameter (yet), so there is nothing to draw"

command -v gnuplot >/dev/null || fail "gnuplot is not installed (Debian: apt-get install gnuplot-nox)"
# What gnuplot has to say is of interest where it has failed.
gnuplot -e "data='$work/log'; picture='$work/picture'" "$(dirname "$0")/$script" >"$work/errors" 2>&1 &&
    [ -s "$work/picture" ] || fail "$log: gnuplot cannot draw it: $(grep -v '^ *^* *$' "$work/errors" | tail -n 3)"
cat "$work/picture" >"$picture" || fail "$picture: cannot be written"
echo "picture: $picture"
