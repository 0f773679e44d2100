"""A Hopfield block, a graph of layers and couplings, that settles by sweeps, with all that is worth doing once taken out of
them: weights are packed, slopes multiplied in and the inputs scaled once a phase, the switches of a pool's pass up serve the
pass down, updates are in place."""
import torch

import pytorch_products
from pytorch_ops import pair
from pytorch_products import CHANNELS_LAST, aten


class Conv:
    """A convolutional coupling between layers of slopes `below` and `above`; made anew for each phase."""

    def __init__(self, entry, weight, bias, below, above, shape):
        self.weight, self.padding, self.stride = weight, pair(entry.get("padding", 0)), pair(entry.get("stride", 1))
        kernel = weight.shape[2:]
        self.pool = pair(entry["pool"]["kernel"]) if "pool" in entry else None
        self.switches, self.held = None, False
        rows, _, height, width = shape
        self.convolved = (rows, len(weight), *((n + 2 * p - k) // s + 1 for n, p, k, s in zip(
            (height, width), self.padding, kernel, self.stride)))
        self.up_product = pytorch_products.convolution(weight * above, None if bias is None else bias * above,
                                                       self.stride, self.padding, shape)
        self.down_product = pytorch_products.transposed_convolution(weight * below, self.stride, self.padding, shape,
                                                                    self.convolved)
        self.above = self.convolved if self.pool is None else (
            *self.convolved[:2], *(n // k for n, k in zip(self.convolved[2:], self.pool)))

    def up(self, s):
        z = self.up_product(s)
        if self.pool is None:
            return z
        self.convolved_values = z
        if self.held:
            return z.flatten(2).gather(2, self.switches.flatten(2)).view(self.switches.shape)
        z, self.switches = aten.max_pool2d_with_indices(z, self.pool, self.pool)
        return z

    def unpool(self, v):
        if self.pool is None:
            return v
        return aten.max_pool2d_with_indices_backward(v, self.convolved_values, self.pool, self.pool, [0, 0], [1, 1],
                                                     False, self.switches)

    def down(self, v):
        return self.down_product(self.unpool(v))

    def gradient(self, u, s):
        """Return sums over rows and pixels of u s^T, and of u."""
        u, s = u.contiguous(memory_format=CHANNELS_LAST), s.contiguous(memory_format=CHANNELS_LAST)
        weight = self.weight.contiguous(memory_format=CHANNELS_LAST)
        return aten.convolution_backward(u, s, weight, [len(weight)], self.stride, self.padding, [1, 1], False, [0, 0],
                                         1, [False, True, False])[1]

    def hold(self, switches):
        """Pool by these from now on."""
        self.switches, self.held = switches, True

    @staticmethod
    def bias_gradient(u):
        return u.sum((0, 2, 3))


class Dense:
    """A dense coupling; over an image its weights are in the order of channels last, so that states are views."""

    def __init__(self, entry, weight, bias, below, above, shape):
        rows, self.image, self.pool = shape[0], shape[1:] if len(shape) == 4 else None, None
        if self.image:
            weight = weight.reshape(-1, *self.image).permute(0, 2, 3, 1).flatten(1).contiguous()
        self.up_weight = weight
        self.up_product = pytorch_products.matrix(weight * above, None if bias is None else bias * above, rows)
        self.down_product = pytorch_products.matrix((weight * below).t().contiguous(), torch.zeros(weight.shape[1]),
                                                    rows)
        self.above = (rows, len(weight))

    def vectors(self, s):
        return s.permute(0, 2, 3, 1).flatten(1) if self.image else s

    def images(self, z):
        channels, height, width = self.image or (0, 0, 0)
        return z.view(-1, height, width, channels).permute(0, 3, 1, 2) if self.image else z

    def up(self, s):
        return self.up_product(self.vectors(s))

    def unpool(self, v):
        return v

    def down(self, v):
        return self.images(self.down_product(v))

    def gradient(self, u, s):
        product = pytorch_products.outer(u, self.vectors(s), self.up_weight)
        return self.images(product).flatten(1) if self.image else product

    @staticmethod
    def bias_gradient(u):
        return u.sum(0)


KINDS = {"conv2d": Conv, "dense": Dense}


class Phase:
    """Couplings packed for so many rows."""

    def __init__(self, block, shape):
        self.block, self.couplings, self.shapes = block, [], {0: shape}
        for entry, parameters, (low, high) in zip(block.entries, block.parameters, block.ends):
            coupling = KINDS[entry["type"]](entry, *parameters, block.slope(low), block.slope(high), self.shapes[low])
            self.couplings.append(coupling)
            self.shapes[high] = coupling.above
        self.observed = [False] * len(self.couplings)  # do the pool's switches stand where the present state has them?

    def observe(self, c, s):
        if not self.observed[c]:
            self.couplings[c].up(s[self.block.ends[c][0]])
            self.observed[c] = True

    def drive(self, i, s, inputs, force):
        """Slope times what layer i feels."""
        z = None
        for c in self.block.below[i]:
            up = self.couplings[c].up(s[self.block.ends[c][0]])
            self.observed[c] = True
            z = up if z is None else z.add_(up)
        for c in self.block.above[i]:
            high = self.block.ends[c][1]
            if s[high] is None:
                continue
            if self.couplings[c].pool:
                self.observe(c, s)
            down = self.couplings[c].down(s[high])
            z = down if z is None else z.add_(down)
        if i in inputs:
            x = inputs[i]  # one for all nudgings
            if z is None:
                z = x.clone()
            else:
                z = z.view(-1, *x.shape).add_(x).view(z.shape) if len(z) > len(x) else z.add_(x)
        if i == self.block.last and force is not None:
            z = z.add_(force(s[i]))
        return z

    def sweep(self, groups, s, inputs, force=None):
        for group in groups:
            drives = [self.drive(i, s, inputs, force) for i in group]
            for i, z in zip(group, drives):
                bounds = self.block.bounds(i)
                s[i] = z if bounds is None else z.clamp_(*bounds)
                for c in self.block.above[i]:
                    self.observed[c] = False


class Hopfield:
    def __init__(self, stage, entry, parameters, hold_switches=False):
        self.names = [f"stage{stage}.{j}." for j in range(len(entry["couplings"]))]
        self.entries, self.ends, layers = entry["couplings"], [], 1
        for coupling in self.entries:
            self.ends.append((coupling.get("from", layers - 1), coupling.get("to", layers)))
            layers = max(layers, self.ends[-1][1] + 1)
        self.last = layers - 1
        self.below = [[c for c, ends in enumerate(self.ends) if ends[1] == i] for i in range(layers)]
        self.above = [[c for c, ends in enumerate(self.ends) if ends[0] == i] for i in range(layers)]
        self.groups = self.colours()
        self.parameters = [(parameters[name + "weight"], parameters.get(name + "bias")) for name in self.names]
        self.activation, self.clamp_last = entry["activation"], entry["clamp_last"]
        self.hold_switches, self.held = hold_switches, []

    def colours(self):
        """Layers in groups without a coupling inside, each in the first group that takes it."""
        groups = []
        for i in range(self.last + 1):
            neighbours = {low + high - i for low, high in self.ends if i in (low, high)}
            group = next((g for g in groups if not neighbours & set(g)), None)
            if group is None:
                groups.append([i])
            else:
                group.append(i)
        return groups

    def clamped(self, i):
        return i < self.last or self.clamp_last

    def bounds(self, i):
        return (self.activation.get("lower", 0), self.activation.get("upper", 1)) if self.clamped(i) else None

    def slope(self, i):
        return self.activation["slope"] if self.clamped(i) else 1.0

    @property
    def output_slope(self):
        return self.slope(self.last)

    def free(self, inputs, sweeps):
        """Settle from zeros, group after group; inputs by layer."""
        phase = Phase(self, inputs[0].shape)
        layers = range(self.last + 1)
        # Of two layers the upper one's zeros send nothing down, and the lower one is updated first.
        self.state = [torch.zeros(phase.shapes[i]) for i in layers] if self.last > 1 else [None] * len(layers)
        self.inputs = {i: x * self.slope(i) for i, x in inputs.items()}
        for _ in range(sweeps):
            phase.sweep(self.groups, self.state, self.inputs)
        if self.hold_switches:
            self.held = [self.switches(phase, c) if k.pool else None for c, k in enumerate(phase.couplings)]
        return self.state[-1]

    def switches(self, phase, c):
        phase.observe(c, self.state)
        return torch.cat([phase.couplings[c].switches] * 2)

    def nudged(self, force, sweeps):
        """Settle with all nudgings as one batch, groups in reverse; force(s_L) has output_slope in it."""
        s = [torch.cat([layer, layer]) for layer in self.state]
        self.phase = Phase(self, s[0].shape)
        for coupling, switches in zip(self.phase.couplings, self.held):
            if switches is not None:
                coupling.hold(switches)
        for _ in range(sweeps):
            self.phase.sweep(self.groups[::-1], s, self.inputs, force)
        self.nudged_state = s
        return s[-1]

    def gradients(self, beta):
        """Return the centred estimates of dl/dx by layer, and those of the parameters, summed over samples."""
        s, gradients = self.nudged_state, {}
        for c, (name, coupling) in enumerate(zip(self.names, self.phase.couplings)):
            low, high = self.ends[c]
            if coupling.pool:
                self.phase.observe(c, s)
            u, below = contrast(coupling.unpool(s[high])), contrast(s[low])
            # u+ s+ - u- s- from differences and means, which keeps what the difference of products would round away
            product = coupling.gradient(u, torch.cat(below.chunk(2)[::-1]))
            gradients[name + "weight"] = product.mul_(-1 / (2 * beta))
            if self.parameters[c][1] is not None:
                gradients[name + "bias"] = coupling.bias_gradient(u.chunk(2)[0]).mul_(-1 / (2 * beta))
        return {i: contrast(s[i]).chunk(2)[0] * (-1 / (2 * beta)) for i in self.inputs}, gradients


def contrast(both):
    """Difference and mean of the two halves, one behind the other."""
    plus, minus = both.chunk(2)
    return torch.cat([plus - minus, (plus + minus) / 2])
