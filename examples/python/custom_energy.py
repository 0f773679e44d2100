"""An energy block written in Python, trained on the digits in a chain with a Hopfield network of the library's. Its
gradient is then certified: against implicit differentiation and against differences of the loss.

    examples/python/custom_energy.py [EPOCHS]
"""
import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import digits
import ffebm
import numpy as np


class Springs(ffebm.EnergyBlock):
    """Masses on a line, held by springs k to walls and by springs c to each other; a force x pushes the first ones, and
    the last ones are read.

        E = sum_i k_i s_i^2 / 2 + sum_ij c_ij (s_i - s_j)^2 / 2 - <x, s_in>

    It settles where A s = x + f: a linear system, solved exactly for a whole batch.
    """

    name = "springs"

    def __init__(self, inputs, outputs):
        n = inputs + outputs
        self.input_shape, self.output_shape, self.state_count = (inputs,), (outputs,), n
        self.first, self.second = np.triu_indices(n, 1)
        self.parameters = [ffebm.Parameter("wall", n, lower=0.1), ffebm.Parameter("spring", len(self.first), lower=0)]

    def initialize(self, call):
        random = np.random.default_rng(call.seed)
        call.values["wall"][:] = 0.5
        call.values["spring"][:] = random.uniform(0, 2 / self.state_count, len(self.first))

    def solve(self, call, load):
        matrix = np.diag(call.parameters["wall"])
        for i, j in ((self.first, self.second), (self.second, self.first)):
            matrix[i, j] -= call.parameters["spring"]
            np.add.at(matrix, (i, i), call.parameters["spring"])
        return np.linalg.solve(matrix, load.T).T

    def settle(self, call):
        load = np.zeros_like(call.state)
        load[:, :self.input_shape[0]] = call.input
        if call.force is not None:
            load[:, -self.output_shape[0]:] += call.force
        call.state[:] = self.solve(call, load)

    def products(self, call, a, b):
        """sum_n weight_n dE/dtheta, of the bilinear form whose square is E."""
        stretch = (a[:, self.first] - a[:, self.second]) * (b[:, self.first] - b[:, self.second])
        call.gradient["wall"][:] = call.weight @ (a * b)
        call.gradient["spring"][:] = call.weight @ stretch

    def parameter_gradient(self, call):
        self.products(call, call.state, call.state / 2)

    def adjoint(self, call):
        load = np.zeros_like(call.state)
        load[:, -self.output_shape[0]:] = call.output_cotangent
        adjoint = self.solve(call, load)
        call.input_gradient[:] = adjoint[:, :self.input_shape[0]]
        self.products(call, call.state, -adjoint)


def main(epochs=30):
    training, test = digits.load(np.float64)
    context = ffebm.Context()
    model = ffebm.Model(context, 64, "cross_entropy", "float64")
    model.add(ffebm.Feedforward(ffebm.Op("linear", out=24)))
    model.add(Springs(24, 16))
    model.add(ffebm.Feedforward(ffebm.Op("linear", out=32, initialization=ffebm.Initialization(gain=2, bias=0.5,
                                                                                               constant_bias=1))))
    model.add(ffebm.Hopfield(ffebm.Coupling("dense", out=24, initialization=ffebm.Initialization(gain=0.5)),
                             activation=ffebm.Activation("hard_sigmoid", slope=0.5)))
    model.add(ffebm.Feedforward(ffebm.Op("linear", out=10)))
    model.initialize(seed=0)
    engine, optimizer = ffebm.Engine(model), ffebm.Adam(model, learning_rate=5e-3)
    for epoch in range(int(epochs)):
        for x, y in digits.batches(*training, 64, seed=epoch):
            engine.gradient(x, y)
            optimizer.step(engine)
    print(f"test accuracy {engine.evaluate(*test).correct / len(test[0]):.4f}")

    engine.configure(beta=1e-3, free_tolerance=1e-10, free_sweeps=500, nudged_tolerance=1e-4, nudged_sweeps=200)
    worst = engine.certify(test[0][:4], test[1][:4], directions=4)
    print(f"certificate {'passed' if worst.passed else 'FAILED'}; worst is {worst.name}: cosine {worst.cosine:.6f} to "
          f"implicit differentiation, relative error {worst.difference_error:.1e} to differences of the loss")
    return 0 if worst.passed else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
