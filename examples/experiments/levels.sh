#!/bin/sh
# How many levels must the conductances of a resistive network have?
#
#   sh examples/experiments/levels.sh OUT
#
# Trains a resistive network on the digits with conductances of 2^bits levels between 0 and G_MAX, in two ways: rounded to the
# nearest level, while an optimizer moves values of full precision; and by pulses of one level each, with nothing else to
# remember. Writes every run to a directory in OUT, and prints a table. Called again, it goes on where it was.
#
#   MODEL        drn_digits  a file of examples/models
#   G_MAX        0.1         siemens
#   BITS         1 2 3 4 5 6 7 8
#   SEEDS        0 1 2
#   OPTIONS                  more options of train
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 1 ] || { sed -n '2,/^here/s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
. "$here/runs.sh"
out=$1
: "${MODEL:=drn_digits}" "${G_MAX:=0.1}" "${BITS:=1 2 3 4 5 6 7 8}" "${SEEDS:=0 1 2}"

rounded() {
    echo "\"device\": {\"weight\": {\"bits\": $1}}"
}

pulses() {
    step=$(awk -v most="$G_MAX" -v bits="$1" 'BEGIN { print most / (2 ^ bits - 1) }')
    echo "\"device\": {\"weight\": {\"min\": 0, \"max\": $G_MAX}, \"update\": {\"mode\": \"difference\", \"dw_min\": $step}}"
}

# trials NAME LABELS KEYS: the network with more keys, from every seed.
trials() {
    with_keys "$MODEL" resistive "\"g_min\": 0, \"g_max\": $G_MAX$3" >"$out/$1.json"
    for seed in $SEEDS; do
        train "$out/$1-$seed" --model "$out/$1.json" --seed "$seed" --quiet ${OPTIONS-}
        printf '%s\t%s\n' "$2" "$(result "$out/$1-$seed")" >>"$out/table"
    done
}

mkdir -p "$out"
rm -f "$out/table"
for bits in $BITS; do
    for way in rounded pulses; do
        trials "$way-$bits" "$(printf '%s\t%s' $((1 << bits)) "$way")" ", $($way "$bits")"
    done
done
trials any "$(printf 'any\t-')" ''

echo
echo "$MODEL, conductances up to $G_MAX S; seeds $SEEDS, mean +- standard deviation"
echo
echo '| levels | written | runs | test accuracy | training loss |'
echo '|---|---|---|---|---|'
average 2 <"$out/table"
