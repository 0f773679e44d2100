#!/usr/bin/python3
"""The gradient step that the library is compared with, in PyTorch, as fast as PyTorch does it on a CPU.

    build/tests/bench step scaling_small_100 --write step.safetensors </dev/null
    pytorch_step.py step.safetensors </dev/null

The file has the model's description, parameters, a batch, and the library's gradients. The first line of output says
how far PyTorch's gradients of the same step agree with them; then a step is taken, and timed, for every line of standard
input. `pytorch_step.py rates` says how fast sweeps are beside the convolutions alone that they consist of. All output
is JSON, an object a line.
"""
import argparse
import json
import resource
import sys
import time

import torch

import safetensors
from pytorch_hopfield import Hopfield, Phase
from pytorch_network import Network
from pytorch_products import seconds

# in, out, height = width, pooled, and the share of the convolutions' rate that a fair opponent's sweeps reach at least
RATES = [(128, 256, 16, True, 0.6), (128, 128, 16, False, 0.9), (256, 256, 8, False, 0.9), (256, 512, 4, True, 0.6),
         (256, 512, 4, False, 0.75), (512, 512, 4, False, 0.75), (512, 512, 2, False, None)]
BATCH = 32
SWEEPS = 3


def say(bench, **values):
    rounded = {key: float(f"{v:.6g}") if isinstance(v, float) else v for key, v in values.items()}
    print(json.dumps({"bench": bench, **rounded}), flush=True)


def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def cosine(a, b):
    a, b = a.double().flatten(), b.double().flatten()
    return float(a @ b / (a.norm() * b.norm())) if a.any() or b.any() else 1.0


def agreement(gradients, tensors):
    """Return the smallest cosine to the file's gradients, and of which parameter."""
    return min((cosine(torch.from_numpy(tensors["gradient." + name]), g), name) for name, g in gradients.items())


def steps(options):
    tensors, metadata = safetensors.read(options.file)
    description = json.loads(metadata["model"])
    recipe = description["recipe"]
    sweeps = [recipe["free_sweeps"], recipe["nudged_sweeps"]]
    if options.sweeps:
        sweeps = [int(n) for n in options.sweeps.split(",")]
    parameters = {name[len("param."):]: torch.from_numpy(value) for name, value in tensors.items()
                  if name.startswith("param.")}
    x, target = torch.from_numpy(tensors["input"]), torch.from_numpy(tensors["target"])
    network = Network(description, parameters, options.switches == "hold")
    gradients, _ = network.step(x, target, *sweeps)
    smallest, name = agreement(gradients, tensors)
    say("agreement", smallest_cosine=smallest, parameter=name)
    del gradients
    for _ in sys.stdin:
        start = time.perf_counter()
        gradients, spent = network.step(x, target, *sweeps)
        total = 1e3 * (time.perf_counter() - start)
        del gradients
        say("step", ms=total, **spent, free_sweeps=sweeps[0], nudged_sweeps=sweeps[1],
            peak_resident_mib=peak_mib())


def rate(inputs, outputs, size, pooled, fair):
    """Sweeps of a block of one coupling, and its two convolutions alone."""
    entry = {"type": "conv2d", "padding": 1, **({"pool": {"kernel": 2}} if pooled else {})}
    parameters = {"stage0.0.weight": torch.randn(outputs, inputs, 3, 3) * 0.01, "stage0.0.bias": torch.zeros(outputs)}
    block = Hopfield(0, {"couplings": [entry], "activation": {"slope": 0.5}, "clamp_last": pooled}, parameters)
    x = torch.rand(BATCH, inputs, size, size)
    block.free({0: x}, 1)
    phase, s = Phase(block, x.shape), block.state
    coupling, v = phase.couplings[0], torch.rand(phase.couplings[0].convolved)
    below, above = coupling.up_product.enter(s[0]), coupling.down_product.enter(v)

    def convolutions():
        for _ in range(SWEEPS):
            coupling.up_product(below)
            coupling.down_product(above)

    def sweeps():
        for _ in range(SWEEPS):
            phase.sweep(block.groups, s, block.inputs)

    work = SWEEPS * 2 * 2e-9 * BATCH * inputs * outputs * 9 * size * size
    alone, swept = work / seconds(convolutions), work / seconds(sweeps)
    say("sweep", shape=[inputs, outputs, size, size], pool=pooled, threads=torch.get_num_threads(), gflops=swept,
        convolution_gflops=alone, ratio=swept / alone, fair_ratio=fair)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="what the library's step wrote; or the word rates")
    parser.add_argument("--sweeps", metavar="FREE,NUDGED", required=False, help="default: as in the recipe")
    parser.add_argument("--switches", choices=["follow", "hold"], default="follow",
                        help="of pools under a nudge; hold is there to be compared, not to be fast")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with torch.inference_mode():
        if options.file == "rates":
            for shape in RATES:
                rate(*shape)
        else:
            steps(options)


if __name__ == "__main__":
    main()
