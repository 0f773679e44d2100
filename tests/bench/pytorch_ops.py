"""Feedforward ops with their vector-Jacobian products, by the calls that PyTorch's own autograd makes."""
import torch

from pytorch_products import CHANNELS_LAST, aten, outer


def pair(number):
    return list(number) if isinstance(number, list) else [number, number]


class Conv2d:
    def __init__(self, entry, parameters):
        self.weight, self.bias = parameters["weight"], parameters.get("bias")
        self.weight = self.weight.contiguous(memory_format=CHANNELS_LAST)
        self.stride, self.padding = pair(entry.get("stride", 1)), pair(entry.get("padding", 0))

    def forward(self, x):
        self.x = x.contiguous(memory_format=CHANNELS_LAST)
        return torch.conv2d(self.x, self.weight, self.bias, self.stride, self.padding)

    def vjp(self, v, input_wanted, parameters_wanted):
        biases = None if self.bias is None else [len(self.bias)]
        dx, weight, bias = aten.convolution_backward(
            v.contiguous(memory_format=CHANNELS_LAST), self.x, self.weight, biases, self.stride, self.padding, [1, 1],
            False, [0, 0], 1, [input_wanted, parameters_wanted, parameters_wanted and self.bias is not None])
        return dx, {"weight": weight, "bias": bias}


class MaxPool2d:
    def __init__(self, entry, parameters):
        self.kernel, self.padding = pair(entry["kernel"]), pair(entry.get("padding", 0))
        self.stride = pair(entry.get("stride", self.kernel))

    def forward(self, x):
        self.x = x
        y, self.indices = aten.max_pool2d_with_indices(x, self.kernel, self.stride, self.padding)
        return y

    def vjp(self, v, input_wanted, parameters_wanted):
        dx = aten.max_pool2d_with_indices_backward(v, self.x, self.kernel, self.stride, self.padding, [1, 1], False,
                                                   self.indices)
        return dx, {}


class BatchNorm2d:
    """By the statistics of the batch."""

    def __init__(self, entry, parameters):
        self.weight, self.bias = parameters["weight"], parameters["bias"]
        self.epsilon = entry.get("epsilon", 1e-5)

    def forward(self, x):
        self.x = x
        y, self.mean, self.deviation = torch.native_batch_norm(x, self.weight, self.bias, None, None, True, 0,
                                                               self.epsilon)
        return y

    def vjp(self, v, input_wanted, parameters_wanted):
        dx, weight, bias = aten.native_batch_norm_backward(v, self.x, self.weight, None, None, self.mean,
                                                           self.deviation, True, self.epsilon, [True] * 3)
        return dx, {"weight": weight, "bias": bias}


class Flatten:
    """By channel, row, column, whatever the memory format."""

    def __init__(self, entry, parameters):
        pass

    def forward(self, x):
        self.shape = x.shape
        return x.flatten(1)

    def vjp(self, v, input_wanted, parameters_wanted):
        return v.reshape(self.shape), {}


class Linear:
    def __init__(self, entry, parameters):
        self.weight, self.bias = parameters["weight"], parameters.get("bias")

    def forward(self, x):
        self.x = x
        return torch.nn.functional.linear(x, self.weight, self.bias)

    def vjp(self, v, input_wanted, parameters_wanted):
        gradients = {"weight": outer(v, self.x, self.weight), "bias": v.sum(0)} if parameters_wanted else {}
        return v @ self.weight if input_wanted else None, gradients


KINDS = {"conv2d": Conv2d, "maxpool2d": MaxPool2d, "batchnorm2d": BatchNorm2d, "flatten": Flatten, "linear": Linear}


class Row:
    """A row of ops; the first is `prefix`.0."""

    def __init__(self, prefix, entries, parameters):
        self.names = [f"{prefix}.{j}." for j in range(len(entries))]
        self.ops = []
        for name, entry in zip(self.names, entries):
            own = {key[len(name):]: value for key, value in parameters.items() if key.startswith(name)}
            self.ops.append(KINDS[entry["type"]](entry, own))

    def forward(self, x):
        for op in self.ops:
            x = op.forward(x)
        return x

    def vjp(self, v, input_wanted=True, parameters_wanted=True):
        """Return the cotangent of the input, and gradients by name, summed over the rows."""
        gradients = {}
        for j in reversed(range(len(self.ops))):
            v, own = self.ops[j].vjp(v, input_wanted or j > 0, parameters_wanted)
            gradients.update({self.names[j] + key: g for key, g in own.items() if g is not None})
        return v, gradients


class Feedforward:
    """A stage: its own row, which drives layer 0 of what comes next, and its taps, which drive others."""

    def __init__(self, stage, entry, parameters):
        self.rows = {0: Row(f"stage{stage}", entry["feedforward"], parameters)}
        for t, tap in enumerate(entry.get("taps", [])):
            self.rows[tap["to"]] = Row(f"stage{stage}.tap{t}", tap["ops"], parameters)

    def forward(self, x):
        return {layer: row.forward(x) for layer, row in self.rows.items()}

    def vjp(self, cotangents, input_wanted=True, parameters_wanted=True):
        """Return the cotangent of the input from those of the outputs by layer, and gradients by name."""
        total, gradients = None, {}
        for layer, row in self.rows.items():
            v, own = row.vjp(cotangents[layer], input_wanted, parameters_wanted)
            total = v if total is None or v is None else total + v
            gradients.update(own)
        return total, gradients
