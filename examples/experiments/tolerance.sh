#!/bin/sh
# What does training tolerate of the device that its energy blocks stand on?
#
#   sh examples/experiments/tolerance.sh OUT [FASHION]
#
# Trains a chain with two energy blocks on the digits and, if the directory FASHION has it, on 10,000 images of Fashion-MNIST
# for 3 epochs, with one effect of a device at a time. Effects are in three panels: those that keep an energy, those that break
# reciprocity, and those that corrupt the difference of nudged states. Writes every run to a directory in OUT and all accuracies
# to OUT/map.tsv; prints a table of their means and draws it (OUT/map.png). Called again, it goes on where it was.
#
#   SEEDS        0 1 2 3 4   of the digits; seed 0 alone of Fashion-MNIST
#   OPTIONS                  more options of train
#   EFFECTS                  lines of panel, name, settings of a device with @ for the value, and values
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 1 ] || [ $# -eq 2 ] || { sed -n '2,/^here/s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
. "$here/runs.sh"
. "$here/device.sh"
out=$1
fashion=${2-}
: "${SEEDS:=0 1 2 3 4}" "${EFFECTS:="
keeps;weight.dtod;\"weight\": {\"dtod\": @};0.1 0.3 0.5 1
keeps;neuron.slope_dtod;\"neuron\": {\"slope_dtod\": @};0.1 0.3 0.5 1
keeps;neuron.offset_dtod;\"neuron\": {\"offset_dtod\": @};0.03 0.1 0.3 1
keeps;output.offset_dtod;\"read\": \"all\", \"output\": {\"offset_dtod\": @};0.03 0.1 0.3 1
breaks;weight.asymmetry;\"weight\": {\"asymmetry\": @};0.1 0.3 0.6 1 2
breaks;nudge.gain_dtod;\"nudge\": {\"gain_dtod\": @};0.1 0.3 0.6 1
corrupts;output.noise;\"read\": \"all\", \"output\": {\"noise\": @};1e-3 3e-3 1e-2 3e-2 0.1
corrupts;neuron.drive_noise;\"neuron\": {\"drive_noise\": @};1e-3 3e-3 1e-2 3e-2 0.1
corrupts;weight.read_noise;\"weight\": {\"max\": 1, \"min\": -1, \"read_noise\": @};1e-4 1e-3 3e-3
corrupts;output.phase_offset_dtod;\"read\": \"all\", \"output\": {\"phase_offset_dtod\": @};1e-5 1e-4 3e-4 1e-3 1e-2
corrupts;output.step;\"read\": \"all\", \"output\": {\"bound\": 1, \"bits\": @};12 8 6 5 4 3
"}"

# effect DATASET MODEL PANEL NAME SETTINGS VALUES OPTION..: adds to the table.
effect() {
    dataset=$1 model=$2 panel=$3 name=$4 settings=$5 values=$6
    shift 6
    for value in $values; do
        run=$out/$dataset-$name-$value
        on_device "$model" "$(echo "$settings" | sed "s/@/$value/")" >"$run.json"
        seeds "$run" --model "$run.json" --dataset "$dataset" "$@" ${OPTIONS-}
        size=$value
        [ "$name" != output.step ] || size=$(awk -v bits="$value" 'BEGIN { printf "%.3g", 2 / (2 ^ bits - 2) }')
        accuracies "$run" "$dataset	$panel	$name	$size" >>"$out/map.tsv"
    done
}

# all DATASET MODEL OPTION..
all() {
    dataset=$1 model=$2
    shift 2
    effect "$dataset" "$model" ideal ideal '' 0 "$@"
    echo "$EFFECTS" | while IFS=';' read -r panel name settings values; do
        [ -z "$panel" ] || effect "$dataset" "$model" "$panel" "$name" "$settings" "$values" "$@"
    done
}

mkdir -p "$out"
rm -f "$out/map.tsv"
all digits device_digits
if [ -n "$fashion" ]; then
    SEEDS=0
    all fashion-mnist device_fashion --data "$fashion" --limit-train 10000
fi

echo
echo 'test accuracy, mean +- standard deviation over seeds'
echo
echo '| data | panel | effect | size | runs | test accuracy |'
echo '|---|---|---|---|---|---|'
average 4 <"$out/map.tsv"

# The root mean square, over all units, of what the nudge moves in the trained ideal chain.
contrast=$("$bin/gradient_analysis" --model "$out/digits-ideal-0-0/last.safetensors" --dataset digits --images 128 --beta 0.2 \
    --free-sweeps 60 | sed -n 's/.*"units": \([^,]*\),.*"nudge": \([^,]*\),.*/\1 \2/p' |
    awk '{ units += $1; squares += $2 ^ 2 } END { printf "%.3g", sqrt(squares / units) }')
echo
echo "contrast of nudged states, digits: $contrast"
! command -v gnuplot >/dev/null ||
    gnuplot -e "data='$out/map.tsv'; picture='$out/map.png'; contrast=$contrast" "$here/tolerance.gp" || echo 'no picture' >&2
