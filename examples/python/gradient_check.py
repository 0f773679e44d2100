"""Is the gradient right? Differences of the loss, taken by writing into the model's parameters, against equilibrium
propagation with smaller and smaller beta, and against implicit differentiation.

    examples/python/gradient_check.py
"""
import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import ffebm
import numpy as np

DESCRIPTION = {
    "dtype": "float64", "input": [6], "loss": "cross_entropy",
    "initialization": {"type": "uniform", "gain": 0.3, "bias": 0.8},
    "stages": [
        {"feedforward": [{"type": "linear", "out_features": 8}]},
        {"energy": {"type": "hopfield", "activation": {"type": "hard_sigmoid", "slope": 0.5},
                    "couplings": [{"type": "dense", "out_features": 7}]}},
        {"feedforward": [{"type": "linear", "out_features": 4}]}]}
SETTLED = {"free_tolerance": 1e-13, "free_sweeps": 2000, "nudged_tolerance": 1e-13, "nudged_sweeps": 2000}


def differences(engine, x, y, step=1e-5):
    """The gradient by central differences, number by number. The array is the model's own memory."""
    parameters, gradient = engine.model.flat_parameters, np.empty(engine.model.info.element_count)
    for i, value in enumerate(parameters.copy()):
        parameters[i] = value + step
        above = engine.evaluate(x, y).loss
        parameters[i] = value - step
        gradient[i] = (above - engine.evaluate(x, y).loss) / (2 * step)
        parameters[i] = value
    return gradient


def main():
    random = np.random.default_rng(0)
    x, y = random.uniform(-1, 1, (5, 6)), random.integers(0, 4, 5)
    model = ffebm.Model.parse(ffebm.Context(), DESCRIPTION).initialize(seed=0)
    engine = ffebm.Engine(model)
    engine.configure(**SETTLED)
    reference = differences(engine, x, y)
    errors = {}
    for name, settings in [(f"beta {beta:g}", {"beta": beta}) for beta in (1.0, 0.1, 0.01)] + [
            ("implicit", {"estimator": "implicit"})]:
        engine.configure(**SETTLED, **settings)
        engine.gradient(x, y)
        errors[name] = np.linalg.norm(engine.flat_gradient - reference) / np.linalg.norm(reference)
        print(f"{name:9} relative error {errors[name]:.1e}")
    return 0 if errors["implicit"] < 1e-8 and errors["beta 0.01"] < 1.5e-4 * errors["beta 1"] else 1


if __name__ == "__main__":
    sys.exit(main())
