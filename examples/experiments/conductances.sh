#!/bin/sh
# How large an on-off ratio of its conductances does a resistive network need?
#
#   sh examples/experiments/conductances.sh OUT
#
# Trains a resistive network on the digits with conductances between G_MAX / ratio and G_MAX. Writes every run to a directory
# in OUT, and prints a table. Called again, it goes on where it was.
#
#   MODEL        drn_digits  a file of examples/models
#   G_MAX        0.1         siemens
#   RATIOS       inf 100 30 10 3
#   SEEDS        0 1 2 3 4
#   OPTIONS                  more options of train
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 1 ] || { sed -n '2,/^here/s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
. "$here/runs.sh"
out=$1

: "${MODEL:=drn_digits}" "${G_MAX:=0.1}" "${RATIOS:=inf 100 30 10 3}" "${SEEDS:=0 1 2 3 4}"

mkdir -p "$out"
rm -f "$out/table"
for ratio in $RATIOS; do
    least=$(awk -v most="$G_MAX" -v ratio="$ratio" 'BEGIN { print ratio == "inf" ? 0 : most / ratio }')
    with_keys "$MODEL" resistive "\"g_min\": $least, \"g_max\": $G_MAX" >"$out/$ratio.json"
    for seed in $SEEDS; do
        train "$out/$ratio-$seed" --model "$out/$ratio.json" --seed "$seed" --quiet ${OPTIONS-}
        printf '%s\t%s\n' "$ratio" "$(result "$out/$ratio-$seed")" >>"$out/table"
    done
done

echo
echo "$MODEL, conductances up to $G_MAX S; seeds $SEEDS, mean +- standard deviation"
echo
echo '| on-off ratio | runs | test accuracy | training loss |'
echo '|---|---|---|---|'
average 1 <"$out/table"
