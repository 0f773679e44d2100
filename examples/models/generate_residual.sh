#!/bin/sh
# Write the residual model files from the table below, or compare them with it. As generate.sh does for the others:
#
#   sh examples/models/generate_residual.sh           write them beside this script
#   sh examples/models/generate_residual.sh --check   change nothing; status 1 if a file differs from the table
#   sh examples/models/generate_residual.sh DIR [WIDTH [CLASSES]]
#                                                     write variants, in DIR: WIDTH (1) times as wide; CLASSES instead of
#                                                     those of the table
#
# A model's line gives its form, its recipe, its loss, the widths of its groups of layers, how many blocks each group has, and
# whether it has skips. The forms:
#
#   hopfield  Hopfield-ResNet (arXiv:2509.26003): one energy block. A group is two layers, the second of half the size, with
#             a skip past the first. The image drives the first two layers, the second through a tap. The last layer is the
#             output. Neurons are relu6. A skip has no bias, since its target has one from its other coupling; its weights
#             begin a little larger than the others, and so do those of the output.
#   stemmed   the same behind a stem, which halves the image.
#   blocks    the ResNets of arXiv:2409.03306's code: a stem, and BasicBlocks, each an energy block of two layers. A block's
#             input drives the first through a convolution and the second through a tap, which has ops where shapes change:
#             in the first block of each group but the first, which halves the size. The release has the blocks and no
#             recipe for them; here they have that of its scaling_small.
set -eu

table() {
    cat <<'END'
# recipe         initialization                            the rest
recipe hopfield  "type": "uniform", "gain": 0.6            | "epochs": 300, "batch": 128, "optimizer": "sgd", "momentum": 0.9, "nesterov": true, "lr": 0.03, "lr_min": 2e-6, "schedule": "cosine", | "schedule_per": "epoch", "weight_decay": 2.5e-4, "augment": "flip-crop", "beta": 0.1, "estimator": "centered", | "free_sweeps": 120, "nudged_sweeps": 50, "free_tolerance": 0, "nudged_tolerance": 0
recipe small     "type": "uniform", "gain": 0.6            | "epochs": 6, "batch": 50, "optimizer": "adam", "lr": 2e-3, "lr_min": 1e-5, "schedule": "cosine", | "schedule_per": "step", "augment": "flip", "beta": 0.1, "estimator": "centered", | "free_sweeps": 100, "nudged_sweeps": 30
recipe blocks    "type": "uniform", "gain": 0.7            | "epochs": 200, "batch": 256, "optimizer": "adam", "lr": 5e-5, "lr_min": 5e-7, "schedule": "cosine", | "schedule_per": "epoch", "weight_decay": 3e-4, "augment": "flip-crop", "beta": 0.2, "estimator": "centered", | "free_sweeps": 15, "nudged_sweeps": 5, "free_tolerance": 0, "nudged_tolerance": 0

# model                     form      recipe    loss           widths           blocks   skips
model hopfield_resnet13     hopfield  hopfield  mse            128,256,512,512  1,1,1,1  yes
model hopfield_resnet_small stemmed   small     mse            32,64,64         1,1,1    yes
model hopfield_plain_small  stemmed   small     mse            32,64,64         1,1,1    no
model resnet18              blocks    blocks    cross_entropy  64,128,256,512   2,2,2,2  yes
model resnet34              blocks    blocks    cross_entropy  64,128,256,512   3,4,6,3  yes
END
}

generate() {
    table | awk -v out="$1" -v width="${2-1}" -v classes="${3-10}" '
function narrow(channels) { return channels * width < 1 ? 1 : int(channels * width + 0.5) }

function conv2d(channels, kernel, stride, bias, first, last) {
    return "{" first "\"type\": \"conv2d\", \"out_channels\": " channels ", \"kernel\": " kernel ", \"stride\": " stride \
        ", \"padding\": " int(kernel / 2) ", \"bias\": " bias last "}"
}

function gain(value) { return ", \"initialization\": {\"type\": \"uniform\", \"gain\": " value "}" }

function linear(type, last) {
    return "{\"type\": \"" type "\", \"out_features\": " classes ", \"bias\": true" last "}"
}

function stem(channels, kernel, pool) {
    return "  {\"feedforward\": [{\"type\": \"conv2d\", \"out_channels\": " channels ", \"kernel\": " kernel ", \"stride\": 2, " \
        "\"padding\": " int(kernel / 2) ", \"bias\": false},\n                   {\"type\": \"batchnorm2d\"}" pool "]},\n"
}

# One energy block: the first group'"'"'s first layer and its tap are the stage in front of it.
function hopfield(widths, groups, skips,    text, i, layer) {
    text = "  {\"feedforward\": [" conv2d(narrow(widths[1]), 3, 1, "true") "]"
    if (skips == "yes")
        text = text ",\n   \"taps\": [{\"to\": 1, \"ops\": [" conv2d(narrow(widths[1]), 1, 2, "false", "", gain(0.7)) "]}]"
    text = text "},\n  {\"energy\": {\"type\": \"hopfield\",\n" \
        "   \"activation\": {\"type\": \"hard_sigmoid\", \"slope\": 1.0, \"lower\": 0.0, \"upper\": 6.0}, " \
        "\"clamp_last\": false,\n   \"couplings\": [\n    " conv2d(narrow(widths[1]), 3, 2, "true")
    for (i = 2; i <= groups; i++) {
        layer = 2 * i - 3 # the last layer of the group before
        text = text ",\n    " conv2d(narrow(widths[i]), 3, 1, "true") ",\n    "
        text = text (skips == "no" ? conv2d(narrow(widths[i]), 3, 2, "true") : \
            conv2d(narrow(widths[i]), 1, 2, "false", "\"from\": " layer ", ", gain(0.7)) ",\n    " \
            conv2d(narrow(widths[i]), 3, 2, "true", "\"from\": " layer + 1 ", \"to\": " layer + 2 ", "))
    }
    return text ",\n    " linear("dense", gain(0.8)) "]}}]}\n"
}

function basic_block(channels, stride, ops) {
    return "  {\"feedforward\": [" conv2d(channels, 3, stride, "false") ", {\"type\": \"batchnorm2d\"}],\n" \
        "   \"taps\": [{\"to\": 1, \"ops\": [" ops "]}]},\n  {\"energy\": {\"type\": \"hopfield\", \"activation\": " \
        "{\"type\": \"hard_sigmoid\", \"slope\": 0.5}, \"clamp_last\": false,\n   \"couplings\": [" \
        conv2d(channels, 3, 1, "false") "]}},\n"
}

function blocks(widths, counts, groups,    text, i, j, channels) {
    text = stem(narrow(widths[1]), 7, ", {\"type\": \"maxpool2d\", \"kernel\": 3, \"stride\": 2, \"padding\": 1}")
    for (i = 1; i <= groups; i++)
        for (j = 1; j <= counts[i]; j++) {
            channels = narrow(widths[i])
            text = text (i > 1 && j == 1 ? basic_block(channels, 2, conv2d(channels, 1, 2, "false") \
                ", {\"type\": \"batchnorm2d\"}") : basic_block(channels, 1, ""))
        }
    return text "  {\"feedforward\": [{\"type\": \"flatten\"}, " linear("linear") "]}]}\n"
}

/^#/ || NF == 0 { next }
$1 == "recipe" {
    name = $2
    sub(/^recipe +[a-z]+ +/, "")
    first = $0
    sub(/ *[|].*/, "", first)
    sub(/^[^|]*[|] */, "")
    gsub(/ *[|] */, "\n            ")
    recipes[name] = " \"initialization\": {" first "},\n \"recipe\": {" $0 "},\n"
    next
}
{
    path = out "/" $2 "_" classes ".json"
    groups = split($6, widths, ",")
    split($7, counts, ",")
    printf "{\"input\": [3, 32, 32], \"loss\": \"%s\",\n%s \"stages\": [\n%s%s", $5, recipes[$4], \
        $3 == "stemmed" ? stem(narrow(widths[1]), 3) : "", \
        $3 == "blocks" ? blocks(widths, counts, groups) : hopfield(widths, groups, $8) >path
    close(path)
}'
}

owned='./hopfield_*.json ./resnet[0-9]*.json'
. "$(dirname "$0")/generated.sh"
main "$@"
