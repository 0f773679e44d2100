#!/usr/bin/python3
"""A step of backpropagation in PyTorch through the feedforward twin of a model: what equilibrium propagation costs beside it.

    build/tests/bench step scaling_small_100 --write step.safetensors </dev/null
    echo | pytorch_backpropagation.py step.safetensors

The twin has the same convolutions, pools and neurons, each layer computed once from those below it: s = sigma(the sum of what
couplings send up, and the input). Autograd takes its gradient, images have their channels last. A step is taken, and timed,
for every line of standard input; output is JSON, an object a line.
"""
import argparse
import json
import sys
import time

import torch
from torch.nn import functional

import safetensors
from pytorch_ops import pair
from pytorch_step import peak_mib, say

CHANNELS_LAST = torch.channels_last


def op(entry, own, x):
    """One op of a feedforward block."""
    kind = entry["type"]
    if kind == "conv2d":
        return functional.conv2d(x, own["weight"], own.get("bias"), pair(entry.get("stride", 1)),
                                 pair(entry.get("padding", 0)))
    if kind == "maxpool2d":
        kernel = pair(entry["kernel"])
        return functional.max_pool2d(x, kernel, pair(entry.get("stride", kernel)), pair(entry.get("padding", 0)))
    if kind == "batchnorm2d":
        return functional.batch_norm(x, None, None, own["weight"], own["bias"], True, 0, entry.get("epsilon", 1e-5))
    if kind == "flatten":
        return x.flatten(1)
    if kind == "linear":
        return functional.linear(x, own["weight"], own.get("bias"))
    sys.exit(f"pytorch_backpropagation: no twin of an op {kind}")


def send_up(entry, own, s):
    """What a coupling sends up."""
    if entry["type"] == "dense":
        return functional.linear(s.flatten(1), own["weight"], own.get("bias"))
    z = functional.conv2d(s, own["weight"], own.get("bias"), pair(entry.get("stride", 1)), pair(entry.get("padding", 0)))
    return functional.max_pool2d(z, pair(entry["pool"]["kernel"])) if "pool" in entry else z


class Twin:
    def __init__(self, description, parameters):
        self.stages, self.parameters = description["stages"], parameters

    def own(self, prefix):
        return {key[len(prefix):]: value for key, value in self.parameters.items() if key.startswith(prefix)}

    def row(self, prefix, entries, x):
        for j, entry in enumerate(entries):
            x = op(entry, self.own(f"{prefix}.{j}."), x)
        return x

    def block(self, stage, entry, inputs):
        """The last layer of a Hopfield block; inputs by layer."""
        ends, layers = [], 1
        for coupling in entry["couplings"]:
            ends.append((coupling.get("from", layers - 1), coupling.get("to", layers)))
            layers = max(layers, ends[-1][1] + 1)
        activation, states = entry["activation"], []
        for layer in range(layers):
            terms = [send_up(coupling, self.own(f"stage{stage}.{c}."), states[ends[c][0]])
                     for c, coupling in enumerate(entry["couplings"]) if ends[c][1] == layer]
            z = sum(terms[1:], terms[0]) if terms else 0
            z = z + inputs[layer] if layer in inputs else z
            if layer + 1 < layers or entry["clamp_last"]:
                z = (z * activation["slope"]).clamp(activation.get("lower", 0), activation.get("upper", 1))
            states.append(z)
        return states[-1]

    def __call__(self, x):
        for i, stage in enumerate(self.stages):
            if "energy" in stage:
                x = self.block(i, stage["energy"], x if isinstance(x, dict) else {0: x})
                continue
            taps = {tap["to"]: self.row(f"stage{i}.tap{t}", tap["ops"], x)
                    for t, tap in enumerate(stage.get("taps", []))}
            x = self.row(f"stage{i}", stage["feedforward"], x)
            x = {0: x, **taps} if taps else x
        return x


def loss_of(description, output, target):
    if description["loss"] == "cross_entropy":
        return functional.cross_entropy(output, target)
    return (output - functional.one_hot(target, output.shape[1])).square().sum(1).mean() / 2


def images_last(x):
    return x.contiguous(memory_format=CHANNELS_LAST) if x.dim() == 4 else x


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="what the library's step wrote")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    tensors, metadata = safetensors.read(options.file)
    description = json.loads(metadata["model"])
    parameters = {name[len("param."):]: images_last(torch.from_numpy(value)).requires_grad_()
                  for name, value in tensors.items() if name.startswith("param.")}
    x, target = images_last(torch.from_numpy(tensors["input"])), torch.from_numpy(tensors["target"])
    twin = Twin(description, parameters)
    for _ in sys.stdin:
        start = time.perf_counter()
        loss = loss_of(description, twin(x), target)
        forward = time.perf_counter()
        gradients = torch.autograd.grad(loss, list(parameters.values()))
        end = time.perf_counter()
        del loss, gradients
        say("step", ms=1e3 * (end - start), forward_ms=1e3 * (forward - start), settling_ms=0.0,
            gradients_ms=1e3 * (end - forward), free_sweeps=0, nudged_sweeps=0, peak_resident_mib=peak_mib())


if __name__ == "__main__":
    main()
