#!/bin/sh
# Write the model files of arXiv:2409.03306 from the table below, or compare them with it.
#
#   sh examples/models/generate.sh           write them beside this script
#   sh examples/models/generate.sh --check   change nothing; status 1 if a file differs from the table
#   sh examples/models/generate.sh DIR [WIDTH [CLASSES]]
#                                            write variants, in DIR: WIDTH (1) times as wide, in channels and dense
#                                            layers, the variance of first values divided by it, so that settling
#                                            changes little; CLASSES instead of those of the table
#
# A model's line gives its classes, one file <model>_<classes>.json for each, the slope of its activation, the variance
# of its initialisation and its recipe. Below it stand its blocks, from the input:
#
#   channels | pools | norm | clamp
#
# channels: the first are the block's input. Every step to the next number is a convolution (kernel 3, stride 1,
#           padding 1); "+ dense n" adds a dense coupling on top. Convolution 0 is the feedforward stage, the others and
#           the dense one are the couplings of the energy block.
# pools:    one letter a convolution: m is max pooling by 2 after it, - is none.
# norm:     b: batch normalisation at the end of the feedforward stage, whose convolution then has no bias; -: none.
# clamp:    yes: the energy block's last layer is clamped as the others are.
#
# A readout follows: flatten, linear to the classes. The recipes have adam, a cosine per epoch from lr to lr_min, weight
# decay 3e-4, centred EP, pools that follow their maximum when nudged, and no tolerances: every phase takes all its sweeps.
# A - leaves the key out.
set -eu

table() {
    cat <<'END'
# recipe                  epochs  batch  lr    lr_min  beta  free_sweeps  nudged_sweeps
recipe splitting_small    200     128    1e-4  1e-6    0.2   60           20
recipe splitting_large    200     128    5e-5  1e-6    0.2   20           5
recipe scaling_small      200     256    5e-5  5e-7    0.2   15           5
recipe scaling_large      100     256    2e-5  1e-7    0.2   15           5
recipe static_analysis    -       2      -     -       0.02  15           20

# model                         classes   slope  variance  recipe
model splitting_small_1block    10        1.0    8.351e-5  splitting_small
    3,128,256,256,512,512 + dense 256 | mmmm- | b | no

model splitting_small_2block    10        1.0    8.351e-5  splitting_small
    3,128,256,256                     | mmm   | b | yes
    256,512,512 + dense 256           | m-    | - | no

model splitting_small_3block    10        1.0    8.351e-5  splitting_small
    3,128,256                         | mm    | b | yes
    256,256,512                       | mm    | - | yes
    512,512 + dense 256               | -     | - | no

model splitting_large_3block    10        1.0    5.9e-5    splitting_large
    3,128,128,128,128                 | --m-  | b | no
    128,256,256,256,256               | m---  | b | no
    256,512,512,512,512               | m---  | b | no

model splitting_large_4block    10        1.0    5.9e-5    splitting_large
    3,128,128,128                     | ---   | b | no
    128,128,256,256                   | m--   | b | no
    256,256,256,512                   | m--   | b | no
    512,512,512,512                   | m--   | b | no

model splitting_large_6block    10        1.0    5.9e-5    splitting_large
    3,128,128                         | --    | b | no
    128,128,128                       | m-    | b | no
    128,256,256                       | m-    | b | no
    256,256,256                       | --    | b | no
    256,512,512                       | m-    | b | no
    512,512,512                       | --    | b | no

model scaling_small             100,1000  0.5    4.9e-5    scaling_small
    3,128,128                         | m-    | b | no
    128,128,128                       | --    | b | no
    128,256,256                       | m-    | b | no
    256,256,256                       | --    | b | no
    256,512,512                       | m-    | b | no
    512,512,512                       | --    | b | no

model scaling_large             100,1000  0.5    1e-5      scaling_large
    3,64,64                           | --    | b | no
    64,128,128                        | m-    | b | no
    128,128,128                       | --    | b | no
    128,256,256                       | m-    | b | no
    256,258,256                       | --    | b | no
    256,512,512                       | m-    | b | no
    512,512,512                       | --    | b | no
    512,512                           | -     | b | no

model static_gradient_analysis  10        0.5    4.9e-5    static_analysis
    3,64,64                           | --    | b | no
    64,128,128                        | m-    | b | no
    128,256,256,256                   | m--   | b | no
    256,512,512,512                   | m--   | b | no
    512,512,512                       | m-    | b | no
    512,512,1024 + dense 4096         | --    | b | no
END
}

generate() {
    table | awk -v out="$1" -v width="${2-1}" -v all_classes="${3-}" '
function fail(text) {
    print "generate.sh: line " NR " of the table: " text >"/dev/stderr"
    failed = 1
    exit 1
}

function key(name, value) { return value == "-" ? "" : "\"" name "\": " value ", " }

function narrow(channels) { return channels * width < 1 ? 1 : int(channels * width + 0.5) }

function conv2d(channels, bias) {
    return "{\"type\": \"conv2d\", \"out_channels\": " channels ", \"kernel\": 3, \"stride\": 1, \"padding\": 1, " \
        "\"bias\": " bias
}

# The two stages of a block, from its line.
function block(line,    part, count, channels, dense, pools, text, next_line, i) {
    if (split(line, part, /[ ]*[|][ ]*/) != 4)
        fail("expected channels | pools | norm | clamp")
    dense = part[1] ~ /dense/ ? part[1] : ""
    sub(/.*dense */, "", dense)
    sub(/ *[+].*/, "", part[1])
    sub(/^ */, "", part[1])
    count = split(part[1], channels, ",") - 1
    pools = part[2]
    if (length(pools) != count || pools ~ /[^m-]/ || part[3] !~ /^[b-]$/ || part[4] !~ /^(yes|no)$/)
        fail("pools, norm or clamp do not fit")
    text = "  {\"feedforward\": [" conv2d(narrow(channels[2]), part[3] == "b" ? "false" : "true") "}"
    if (substr(pools, 1, 1) == "m")
        text = text ",\n                   {\"type\": \"maxpool2d\", \"kernel\": 2, \"stride\": 2}"
    if (part[3] == "b")
        text = text ",\n                   {\"type\": \"batchnorm2d\", \"frozen\": true}"
    text = text "]},\n  {\"energy\": {\"type\": \"hopfield\", \"activation\": {\"type\": \"hard_sigmoid\", " \
        "\"slope\": " slope "}, \"clamp_last\": " (part[4] == "yes" ? "true" : "false") ",\n   \"couplings\": ["
    next_line = "\n    "
    for (i = 2; i <= count; i++) {
        text = text next_line conv2d(narrow(channels[i + 1]), "true")
        if (substr(pools, i, 1) == "m")
            text = text ",\n     \"pool\": {\"type\": \"max\", \"kernel\": 2, \"stride\": 2}"
        text = text "}"
        next_line = ",\n    "
    }
    if (dense != "")
        text = text next_line "{\"type\": \"dense\", \"out_features\": " narrow(dense) ", \"bias\": true}"
    return text "]}},\n"
}

function finish(    i, n, list, path) {
    if (name == "")
        return
    n = split(all_classes ? all_classes : classes, list, ",")
    for (i = 1; i <= n; i++) {
        path = out "/" name "_" list[i] ".json"
        printf "{\"input\": [3, 32, 32], \"loss\": \"cross_entropy\",\n" \
            " \"initialization\": {\"type\": \"goe\", \"variance\": %s},\n%s \"stages\": [\n%s" \
            "  {\"feedforward\": [{\"type\": \"flatten\"}, " \
            "{\"type\": \"linear\", \"out_features\": %s, \"bias\": true}]}]}\n", \
            variance, recipes[recipe], stages, list[i] >path
        close(path)
    }
    name = ""
}

/^#/ || NF == 0 { next }
$1 == "recipe" {
    recipes[$2] = " \"recipe\": {" key("epochs", $3) key("batch", $4) "\"optimizer\": \"adam\", " key("lr", $5) \
        key("lr_min", $6) "\"schedule\": \"cosine\",\n            " \
        "\"schedule_per\": \"epoch\", \"weight_decay\": 3e-4, \"augment\": \"flip-crop\", " key("beta", $7) \
        "\n            \"estimator\": \"centered\", \"switches\": \"follow\", " key("free_sweeps", $8) key("nudged_sweeps", $9) \
        "\n            \"free_tolerance\": 0, \"nudged_tolerance\": 0},\n"
    gsub(/ \n/, "\n", recipes[$2])
    next
}
$1 == "model" {
    finish()
    name = $2; classes = $3; slope = $4; variance = width == 1 ? $5 : $5 / width; recipe = $6; stages = ""
    if (!(recipe in recipes))
        fail("unknown recipe " recipe)
    next
}
{ stages = stages block($0) }
END { if (!failed) finish() }'
}

owned='./splitting_*.json ./scaling_*.json ./static_*.json'
. "$(dirname "$0")/generated.sh"
main "$@"
