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

    def __init__(self, weight, bias, stride, padding):
        self.weight = weight.contiguous(memory_format=CHANNELS_LAST)
        self.bias, self.stride, self.padding = bias, stride, padding

    def enter(self, x):
        return x.contiguous(memory_format=CHANNELS_LAST)

    def __call__(self, x):
        return torch.conv2d(self.enter(x), self.weight, self.bias, self.stride, self.padding)


class Packed:
    """oneDNN's convolution with weights reordered beforehand, for channels last or first."""

    def __init__(self, weight, bias, stride, padding, shape, memory_format):
        self.memory_format = memory_format
        weight = weight.contiguous(memory_format=memory_format)
        self.packed = torch.ops.mkldnn_prepacked.conv2d_prepack(weight, bias, list(stride), list(padding), [1, 1], 1,
                                                                list(shape), "none")

    def enter(self, x):
        return x.contiguous(memory_format=self.memory_format)

    def __call__(self, x):
        return torch.ops.mkldnn_prepacked.conv2d_run(self.enter(x), self.packed)


def convolution(weight, bias, stride, padding, shape):
    """x -> weight * x + bias for images of `shape`, [rows, channels, height, width]."""
    ways = [lambda: ChannelsLast(weight, bias, stride, padding),
            lambda: Packed(weight, bias, stride, padding, shape, CHANNELS_LAST),
            lambda: Packed(weight, bias, stride, padding, shape, torch.contiguous_format)]
    return fastest(("convolution", tuple(weight.shape), tuple(shape), tuple(stride), tuple(padding)), ways, shape)


class Spread:
    """torch.conv_transpose2d; places that no window reaches get zero."""

    def __init__(self, weight, stride, padding, shape, memory_format):
        self.weight, self.stride, self.padding = weight.contiguous(memory_format=memory_format), stride, padding
        self.memory_format, kernel = memory_format, weight.shape[2:]
        self.rest = [(n + 2 * p - k) % s for n, p, k, s in zip(shape[2:], padding, kernel, stride)]

    def enter(self, v):
        return v.contiguous(memory_format=self.memory_format)

    def __call__(self, v):
        return torch.conv_transpose2d(self.enter(v), self.weight, None, self.stride, self.padding, self.rest)


class Backward:
    """The gradient of a convolution by its input, as autograd takes it."""

    def __init__(self, weight, stride, padding, shape):
        self.weight, self.stride, self.padding = weight.contiguous(memory_format=CHANNELS_LAST), stride, padding
        self.like = torch.empty(shape).contiguous(memory_format=CHANNELS_LAST)

    def enter(self, v):
        return v.contiguous(memory_format=CHANNELS_LAST)

    def __call__(self, v):
        return aten.convolution_backward(self.enter(v), self.like, self.weight, None, self.stride, self.padding,
                                         [1, 1], False, [0, 0], 1, [True, False, False])[0]


class Places:
    """For windows of one place: the product at the places that they reach, amid zeros."""

    def __init__(self, weight, stride, shape):
        self.product = ChannelsLast(weight.transpose(0, 1), None, [1, 1], [0, 0])
        self.stride, self.image = stride, torch.zeros(shape).contiguous(memory_format=CHANNELS_LAST)

    def enter(self, v):
        return self.product.enter(v)

    def __call__(self, v):
        image = torch.zeros_like(self.image)
        image[:, :, ::self.stride[0], ::self.stride[1]] = self.product(v)
        return image


def transposed_convolution(weight, stride, padding, shape, convolved):
    """v -> the transpose of weight * x, for x of `shape` and v of `convolved`."""
    kernel = weight.shape[2:]
    if list(stride) == [1, 1]:
        return convolution(weight.flip(2, 3).transpose(0, 1).contiguous(), torch.zeros(shape[1]), stride,
                           [k - 1 - p for k, p in zip(kernel, padding)], convolved)
    ways = [lambda: Spread(weight, stride, padding, shape, CHANNELS_LAST),
            lambda: Spread(weight, stride, padding, shape, torch.contiguous_format),
            lambda: Backward(weight, stride, padding, shape)]
    if list(kernel) == [1, 1] and list(padding) == [0, 0]:
        ways.append(lambda: Places(weight, stride, shape))
    return fastest(("transposed", tuple(weight.shape), tuple(shape), tuple(stride), tuple(padding)), ways, convolved)


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
        self.packed = Packed(weight[:, :, None, None], bias, (1, 1), (0, 0), (1, weight.shape[1], 1, rows),
                             CHANNELS_LAST)

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
