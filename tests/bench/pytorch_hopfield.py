"""A Hopfield block that settles by sweeps, with all that is worth doing once taken out of them: weights are packed,
slopes multiplied in and the input scaled once a phase, the switches of a pool's pass up serve the pass down, updates are
in place."""
import torch

import pytorch_products
from pytorch_ops import pair
from pytorch_products import CHANNELS_LAST, aten


class Conv:
    """A convolutional coupling between layers of slopes `below` and `above`; made anew for each phase."""

    def __init__(self, entry, weight, bias, below, above, shape):
        self.weight, self.padding = weight, pair(entry.get("padding", 0))
        kernel = weight.shape[2:]
        self.pool = pair(entry["pool"]["kernel"]) if "pool" in entry else None
        self.switches, self.held = None, False
        rows, _, height, width = shape
        self.convolved = (rows, len(weight), height + 2 * self.padding[0] - kernel[0] + 1,
                          width + 2 * self.padding[1] - kernel[1] + 1)
        self.up_product = pytorch_products.convolution(weight * above, bias * above, self.padding, shape)
        self.down_product = pytorch_products.convolution(
            pytorch_products.transposed(weight) * below, torch.zeros(shape[1]),
            [k - 1 - p for k, p in zip(kernel, self.padding)], self.convolved)
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
        return aten.convolution_backward(u, s, weight, [len(weight)], [1, 1], self.padding, [1, 1], False, [0, 0], 1,
                                         [False, True, False])[1]

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
        self.up_product = pytorch_products.matrix(weight * above, bias * above, rows)
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
        self.block, self.couplings = block, []
        for i, entry in enumerate(block.entries):
            coupling = KINDS[entry["type"]](entry, *block.parameters[i], block.slope(i), block.slope(i + 1), shape)
            self.couplings.append(coupling)
            shape = coupling.above
        self.observed = [False] * len(self.couplings)  # do the pool's switches stand where the present state has them?

    def observe(self, i, s):
        if not self.observed[i]:
            self.couplings[i].up(s[i])
            self.observed[i] = True

    def drive(self, i, s, x, force):
        """Slope times what layer i feels."""
        z = None
        if i > 0:
            z = self.couplings[i - 1].up(s[i - 1])
            self.observed[i - 1] = True
        if i < len(self.couplings) and s[i + 1] is not None:
            if self.couplings[i].pool:
                self.observe(i, s)
            down = self.couplings[i].down(s[i + 1])
            z = down if z is None else z.add_(down)
        if i == 0:  # the input is one for all nudgings
            z = x.clone() if z is None else z.view(-1, *x.shape).add_(x).view(z.shape) if len(z) > len(x) else z.add_(x)
        if i == len(self.couplings) and force is not None:
            z = z.add_(force(s[i]))
        return z

    def sweep(self, order, s, x, force=None):
        for parity in order:
            for i in range(parity, len(s), 2):
                z = self.drive(i, s, x, force)
                s[i] = z.clamp_(0, 1) if self.block.clamped(i) else z
                if i < len(self.couplings):
                    self.observed[i] = False


class Hopfield:
    def __init__(self, stage, entry, parameters, hold_switches=False):
        self.names = [f"stage{stage}.{j}." for j in range(len(entry["couplings"]))]
        self.entries = entry["couplings"]
        self.parameters = [(parameters[name + "weight"], parameters[name + "bias"]) for name in self.names]
        self.activation_slope, self.clamp_last = entry["activation"]["slope"], entry["clamp_last"]
        self.hold_switches, self.held = hold_switches, []

    def clamped(self, i):
        return i < len(self.entries) or self.clamp_last

    def slope(self, i):
        return self.activation_slope if self.clamped(i) else 1.0

    @property
    def output_slope(self):
        return self.slope(len(self.entries))

    def free(self, x, sweeps):
        """Settle from zeros, even layers first."""
        phase = Phase(self, x.shape)
        shapes = [x.shape] + [c.above for c in phase.couplings]
        # Of two layers the upper one's zeros send nothing down, and the lower one is updated first.
        self.state = [torch.zeros(shape) for shape in shapes] if len(shapes) > 2 else [None] * len(shapes)
        self.x = x * self.slope(0)
        for _ in range(sweeps):
            phase.sweep((0, 1), self.state, self.x)
        if self.hold_switches:
            self.held = [self.switches(phase, i) if c.pool else None for i, c in enumerate(phase.couplings)]
        return self.state[-1]

    def switches(self, phase, i):
        phase.observe(i, self.state)
        return torch.cat([phase.couplings[i].switches] * 2)

    def nudged(self, force, sweeps):
        """Settle with all nudgings as one batch, odd layers first; force(s_L) has output_slope in it."""
        s = [torch.cat([layer, layer]) for layer in self.state]
        self.phase = Phase(self, s[0].shape)
        for coupling, switches in zip(self.phase.couplings, self.held):
            if switches is not None:
                coupling.hold(switches)
        for _ in range(sweeps):
            self.phase.sweep((1, 0), s, self.x, force)
        self.nudged_state = s
        return s[-1]

    def gradients(self, beta):
        """Return the centred estimate of dl/dx, and those of the parameters, summed over samples."""
        s, gradients = self.nudged_state, {}
        for i, (name, coupling) in enumerate(zip(self.names, self.phase.couplings)):
            if coupling.pool:
                self.phase.observe(i, s)
            u, below = contrast(coupling.unpool(s[i + 1])), contrast(s[i])
            # u+ s+ - u- s- from differences and means, which keeps what the difference of products would round away
            product = coupling.gradient(u, torch.cat(below.chunk(2)[::-1]))
            gradients[name + "weight"] = product.mul_(-1 / (2 * beta))
            gradients[name + "bias"] = coupling.bias_gradient(u.chunk(2)[0]).mul_(-1 / (2 * beta))
        return contrast(s[0]).chunk(2)[0] * (-1 / (2 * beta)), gradients


def contrast(both):
    """Difference and mean of the two halves, one behind the other."""
    plus, minus = both.chunk(2)
    return torch.cat([plus - minus, (plus + minus) / 2])
