"""The products of settling as fast as PyTorch makes them: each way there is is tried, the fastest kept.

A product has its bias, and the slope of the layer that it drives, in it. Its weights are packed when it is made, once a
phase.
"""
import time

import torch

aten = torch.ops.aten
CHANNELS_LAST = torch.channels_last
TRIALS = 5
chosen = {}  # what was fastest, by the kind and shapes of the product


def seconds(run):
    run()
    best = float("inf")
    for _ in range(TRIALS):
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best


def fastest(key, ways, example):
    """Make the one of `ways` that is the fastest for this key; trials are made once."""
    if key not in chosen:
        x = torch.rand(example)
        times = []
        for way in ways:
            product = way()
            entered = product.enter(x)
            times.append(seconds(lambda: product(entered)))
        chosen[key] = times.index(min(times))
    return ways[chosen[key]]()


# --------------------------------------------------------------------------------------------------- convolutions

class ChannelsLast:
    """torch.conv2d, images with their channels last."""

    def __init__(self, weight, bias, padding, shape):
        self.weight = weight.contiguous(memory_format=CHANNELS_LAST)
        self.bias, self.padding = bias, padding

    def enter(self, x):
        return x.contiguous(memory_format=CHANNELS_LAST)

    def __call__(self, x):
        return torch.conv2d(self.enter(x), self.weight, self.bias, padding=self.padding)


class Packed:
    """oneDNN's convolution with weights reordered beforehand, for channels last or first."""

    def __init__(self, weight, bias, padding, shape, memory_format):
        self.memory_format = memory_format
        weight = weight.contiguous(memory_format=memory_format)
        self.packed = torch.ops.mkldnn_prepacked.conv2d_prepack(weight, bias, [1, 1], list(padding), [1, 1], 1,
                                                                list(shape), "none")

    def enter(self, x):
        return x.contiguous(memory_format=self.memory_format)

    def __call__(self, x):
        return torch.ops.mkldnn_prepacked.conv2d_run(self.enter(x), self.packed)


def convolution(weight, bias, padding, shape):
    """x -> weight * x + bias for images of `shape`, [rows, channels, height, width], at stride 1."""
    ways = [lambda: ChannelsLast(weight, bias, padding, shape),
            lambda: Packed(weight, bias, padding, shape, CHANNELS_LAST),
            lambda: Packed(weight, bias, padding, shape, torch.contiguous_format)]
    return fastest(("convolution", tuple(weight.shape), tuple(shape), tuple(padding)), ways, shape)


def transposed(weight):
    """The weight of the convolution that is the transpose of the one with `weight`."""
    return weight.flip(2, 3).transpose(0, 1).contiguous()


# --------------------------------------------------------------------------------------------------------- matrices

class Matrix:
    """torch.addmm, which is the BLAS."""

    def __init__(self, weight, bias):
        self.transposed, self.bias = weight.t(), bias

    def enter(self, x):
        return x

    def __call__(self, x):
        return x @ self.transposed if self.bias is None else torch.addmm(self.bias, x, self.transposed)


def pixels(x):
    """Rows as the pixels of one image, channels last: a view."""
    return x.view(1, 1, *x.shape).permute(0, 3, 1, 2)


class Pixels:
    """oneDNN's convolution by a window of one place."""

    def __init__(self, weight, bias, rows):
        self.packed = Packed(weight[:, :, None, None], bias, (0, 0), (1, weight.shape[1], 1, rows), CHANNELS_LAST)

    def enter(self, x):
        return x

    def __call__(self, x):
        return self.packed(pixels(x)).permute(0, 2, 3, 1).flatten(0, 2)


def matrix(weight, bias, rows):
    """x -> x weight^T + bias for so many rows."""
    ways = [lambda: Matrix(weight, bias), lambda: Pixels(weight, bias, rows)]
    return fastest(("matrix", tuple(weight.shape), rows), ways, (rows, weight.shape[1]))


def outer(u, s, weight):
    """u^T s, of the shape of `weight`, as the gradient of such a convolution."""
    return aten.convolution_backward(pixels(u), pixels(s), weight[:, :, None, None], None, [1, 1], [0, 0], [1, 1],
                                     False, [0, 0], 1, [False, True, False])[1].flatten(1)
