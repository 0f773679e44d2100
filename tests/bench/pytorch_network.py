"""A chain of feedforward and Hopfield blocks and its gradient by centred equilibrium propagation, written for speed
with what PyTorch has: no autograd, both nudgings one batch, the sweeps as pytorch_hopfield.py makes them."""
import time

import torch

from pytorch_hopfield import Hopfield
from pytorch_ops import BatchNorm2d, Feedforward


def cross_entropy(output, target):
    return torch.softmax(output, 1).sub_(torch.nn.functional.one_hot(target, output.shape[1]))


def mse(output, target):
    return output - torch.nn.functional.one_hot(target, output.shape[1])


LOSSES = {"cross_entropy": cross_entropy, "mse": mse}


class Clock:
    """Milliseconds by part of the step."""

    def __init__(self):
        self.spent, self.last = {"forward_ms": 0.0, "settling_ms": 0.0, "gradients_ms": 0.0}, time.perf_counter()

    def lap(self, part):
        now = time.perf_counter()
        self.spent[part] += 1e3 * (now - self.last)
        self.last = now


class Network:
    def __init__(self, description, parameters, hold_switches=False):
        self.loss = LOSSES[description["loss"]]
        self.recipe = description["recipe"]
        self.stages = []
        for i, stage in enumerate(description["stages"]):
            if "energy" in stage:
                self.stages.append(Hopfield(i, stage["energy"], parameters, hold_switches))
            else:
                self.stages.append(Feedforward(i, stage, parameters))
        self.last = max(i for i, stage in enumerate(self.stages) if isinstance(stage, Hopfield))
        self.readout = self.stages[self.last + 1:]
        couples = any(isinstance(op, BatchNorm2d) for stage in self.readout for op in stage.rows[0].ops)
        self.nudged_by_loss = not couples

    def through_readout(self, s, target, parameters_wanted):
        """Return the derivative of the losses by s, and the readout's gradients."""
        for stage in self.readout:
            s = stage.forward(s)[0]
        v, gradients = self.loss(s, target), {}
        for stage in reversed(self.readout):
            v, own = stage.vjp({0: v}, True, parameters_wanted)
            gradients.update(own)
        return v, gradients

    def top(self, target, beta, sweeps, clock):
        """Nudge the last Hopfield block, by the loss where that can be; read off its gradients and the readout's."""
        block = self.stages[self.last]
        error, gradients = self.through_readout(block.state[-1], target, not self.nudged_by_loss)
        clock.lap("gradients_ms")
        strengths = torch.tensor([-beta, beta]).mul_(block.output_slope).repeat_interleave(len(target))
        strengths = strengths.view(-1, *[1] * (error.dim() - 1))
        both = torch.cat([target, target])
        held = torch.cat([error, error]) * strengths

        def force(last):
            return self.through_readout(last, both, False)[0] * strengths if self.nudged_by_loss else held

        settled = block.nudged(force, sweeps)
        clock.lap("settling_ms")
        if self.nudged_by_loss and self.readout:
            gradients = {name: g / 2 for name, g in self.through_readout(settled, both, True)[1].items()}
        cotangents, own = block.gradients(beta)
        clock.lap("gradients_ms")
        return cotangents, {**gradients, **own}

    def step(self, x, target, free_sweeps, nudged_sweeps):
        """Return the gradients of the mean loss by name, and the milliseconds that they took."""
        clock, beta, inputs = Clock(), self.recipe["beta"], {0: x}
        for stage in self.stages[:self.last + 1]:
            energy = isinstance(stage, Hopfield)
            inputs = {0: stage.free(inputs, free_sweeps)} if energy else stage.forward(inputs[0])
            clock.lap("settling_ms" if energy else "forward_ms")
        cotangents, gradients = self.top(target, beta, nudged_sweeps, clock)
        for i in reversed(range(self.last)):
            stage = self.stages[i]
            if isinstance(stage, Hopfield):
                v = cotangents[0]
                force = torch.cat([v, v]).mul_(-beta * stage.output_slope)
                force[len(v):] *= -1
                stage.nudged(lambda last: force, nudged_sweeps)
                clock.lap("settling_ms")
                cotangents, own = stage.gradients(beta)
            else:
                v, own = stage.vjp(cotangents, input_wanted=i > 0)
                cotangents = {0: v}
            gradients.update(own)
            clock.lap("gradients_ms")
        return {name: g.div_(len(target)) for name, g in gradients.items()}, clock.spent
