"""What the tests share: a chain of two energy blocks and a batch, and blocks written in Python."""
import ffebm
import numpy as np

DESCRIPTION = {
    "dtype": "float64", "input": [4], "loss": "cross_entropy",
    "initialization": {"type": "uniform", "gain": 0.3, "bias": 0.8},
    "recipe": {"optimizer": "sgd", "lr": 0.5, "lr_min": 0.1, "schedule": "cosine", "epochs": 4, "momentum": 0.5,
               "beta": 0.125, "estimator": "four_point"},
    "stages": [{"feedforward": [{"type": "linear", "out_features": 6}, {"type": "tanh"}]},
               {"energy": {"type": "hopfield", "couplings": [{"type": "dense", "out_features": 5}]}},
               {"feedforward": [{"type": "linear", "out_features": 3}]}]}


def batch(rows=5, dtype=np.float64):
    random = np.random.default_rng(1)
    return random.uniform(-1, 1, (rows, 4)).astype(dtype), random.integers(0, 3, rows)


def model_of(description=None, context=None, seed=3):
    return ffebm.Model.parse(context or ffebm.Context(), description or DESCRIPTION).initialize(seed)


def settled(**changes):
    """Settings under which a gradient is exact but for beta."""
    return {"beta": 1e-4, "free_tolerance": 1e-13, "free_sweeps": 2000, "nudged_tolerance": 1e-8,
            "nudged_sweeps": 2000, **changes}


class Linear(ffebm.FeedforwardBlock):
    """o = W x, as the library's linear map without bias."""

    name = "linear"

    def __init__(self, inputs, outputs):
        self.input_shape, self.output_shape = (inputs,), (outputs,)
        self.parameters = [ffebm.Parameter("weight", (outputs, inputs))]

    def initialize(self, call):
        call.values["weight"][:] = np.arange(call.values["weight"].size).reshape(self.parameters[0].shape) / 10

    def forward(self, call):
        call.output[:] = call.input @ call.parameters["weight"].T

    def vjp(self, call):
        call.input_cotangent[:] = call.output_cotangent @ call.parameters["weight"]
        call.gradient["weight"][:] = call.scale * call.output_cotangent.T @ call.input


class Quadratic(ffebm.EnergyBlock):
    """E = sum_i k_i (s_i^2 / 2 - b s_i) - <x, s>: settles at s = b + (x + f) / k."""

    name = "quadratic"

    def __init__(self, units):
        self.input_shape = self.output_shape = (units,)
        self.state_count = units
        self.parameters = [ffebm.Parameter("k", units, lower=0.5), ffebm.Parameter("b", 1)]

    def initialize(self, call):
        call.values["k"][:] = np.linspace(1, 2, self.state_count)
        call.values["b"][:] = 0.25

    def settle(self, call):
        force = 0 if call.force is None else call.force
        call.state[:] = call.parameters["b"] + (call.input + force) / call.parameters["k"]
        call.sweeps[:] = 1
        call.joules = 0.5 * call.batch

    def parameter_gradient(self, call):
        k, b, s = call.parameters["k"], call.parameters["b"], call.state
        call.gradient["k"][:] = call.weight @ (s**2 / 2 - b * s)
        call.gradient["b"][:] = -(call.weight @ s @ k)

    def energy(self, call):
        k, b, s = call.parameters["k"], call.parameters["b"], call.state
        call.energy[:] = (s**2 / 2 - b * s) @ k - (call.input * s).sum(1)

    def adjoint(self, call):
        k, b = call.parameters["k"], call.parameters["b"]
        a = call.output_cotangent / k
        call.input_gradient[:] = a
        call.gradient["k"][:] = -(call.weight @ (a * (call.state - b)))
        call.gradient["b"][:] = call.weight @ a @ k


def chain_of(energy, linear=None, context=None):
    """[4] - a linear map - the energy block - another linear map - cross entropy."""
    model = ffebm.Model(context or ffebm.Context(), 4, "cross_entropy", "float64")
    model.add(ffebm.Feedforward(ffebm.Op("linear", out=6))).add(energy)
    return model.add(linear or ffebm.Feedforward(ffebm.Op("linear", out=3))).initialize(1)
