"""Sweep the strength of the nudging over several seeds on the digits, with pandas and matplotlib: one table, and one figure
of accuracy and gradient over beta, of the confusion matrix, and of how far probabilities can be believed.

    examples/python/sweep.py [FOLDER] [EPOCHS]

Writes FOLDER/sweep.csv, a line a run, and FOLDER/sweep.png (FOLDER: build/sweep).
"""
import os
import sys
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: the library cuts the work itself

import digits
import ffebm
import matplotlib
import numpy as np
import pandas as pd

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

BETAS, SEEDS, SIZE = (0.01, 0.1, 0.5, 2.0), range(3), 32


def build(seed):
    model = ffebm.Model(ffebm.Context(), 64, "cross_entropy")
    model.add(ffebm.Feedforward(ffebm.Op("linear", out=128)))
    model.add(ffebm.Hopfield(ffebm.Coupling("dense", out=64), activation=ffebm.Activation("hard_sigmoid", slope=0.5)))
    return model.add(ffebm.Feedforward(ffebm.Op("linear", out=10))).initialize(seed)


def run(beta, seed, training, test, epochs):
    """A line of the table, and what came of each test sample."""
    with ffebm.Engine(build(seed), max_batch=SIZE) as engine, ffebm.Adam(engine.model, learning_rate=1e-3) as optimizer:
        engine.configure(beta=beta)
        sweeps = []
        for epoch in range(epochs):
            for x, y in digits.batches(*training, SIZE, seed=100 * seed + epoch):
                engine.gradient(x, y)
                sweeps.append(engine.phase("nudged").sweeps_mean)
                optimizer.step(engine)
        found = engine.evaluate_samples(*test)
        cosine = engine.certify(test[0][:8], test[1][:8]).cosine
    return {"beta": beta, "seed": seed, "accuracy": found.correct.mean(), "loss": found.loss.mean(), "cosine": cosine,
            "nudged_sweeps": np.mean(sweeps)}, found


def confusion(labels, predicted, classes=10):
    """How many of each class (rows) were taken for each class (columns)."""
    counts = np.zeros((classes, classes), int)
    np.add.at(counts, (labels, predicted), 1)
    return counts


def calibration(probabilities, correct, bins=10):
    """By bins of confidence: how confident, how often right, how many; and the expected calibration error, their mean
    distance."""
    confidence = probabilities.max(1)
    table = pd.DataFrame({"confidence": confidence, "right": correct,
                          "bin": np.minimum(confidence * bins, bins - 1).astype(int)})
    by_bin = table.groupby("bin").agg(confidence=("confidence", "mean"), right=("right", "mean"),
                                      samples=("right", "size"))
    return by_bin, ((by_bin.confidence - by_bin.right).abs() * by_bin.samples).sum() / len(table)


def draw(path, table, labels, found):
    figure, ((accuracy, gradient), (matrix, believed)) = pyplot.subplots(2, 2, figsize=(10, 8))
    for axes, column in ((accuracy, "accuracy"), (gradient, "cosine")):
        axes.errorbar(table.index, table[column]["mean"], table[column]["std"], marker="o", capsize=3)
        axes.set(xscale="log", xlabel="beta", ylabel=f"{column}, mean and deviation over {len(SEEDS)} seeds")
    gradient.set_title("of the least exact parameter's gradient")
    counts = confusion(labels, found.predicted)
    matrix.imshow(np.log1p(counts), cmap="Blues")
    for row, column in zip(*np.nonzero(counts)):
        matrix.text(column, row, counts[row, column], ha="center", va="center", fontsize=8,
                    color="white" if row == column else "black")
    matrix.set(xlabel="predicted", ylabel="digit", xticks=range(10), yticks=range(10))
    by_bin, error = calibration(found.probabilities, found.correct)
    believed.plot([0, 1], [0, 1], color="gray", linewidth=1)
    believed.scatter(by_bin.confidence, by_bin.right, s=4 * np.sqrt(by_bin.samples) + 8)
    believed.set(xlabel="confidence", ylabel="right", title=f"expected calibration error {error:.3f}")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main(folder=digits.EXAMPLES.parent / "build" / "sweep", epochs=6):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    training, test = digits.load()
    lines, seen = [], []
    for beta in BETAS:
        for seed in SEEDS:
            line, found = run(beta, seed, training, test, int(epochs))
            lines.append(line)
            seen.append(found)
    runs = pd.DataFrame(lines)
    runs.to_csv(folder / "sweep.csv", index=False)
    table = runs.groupby("beta")[["accuracy", "loss", "cosine", "nudged_sweeps"]].agg(["mean", "std"])
    print(table.to_string(float_format=lambda number: f"{number:.4f}"))
    best = runs.accuracy.idxmax()
    draw(folder / "sweep.png", table, test[1], seen[best])
    _, error = calibration(seen[best].probabilities, seen[best].correct)
    print(f"{folder / 'sweep.png'}; best: beta {runs.beta[best]}, accuracy {runs.accuracy[best]:.4f}, "
          f"expected calibration error {error:.3f}")
    return 0 if table.cosine["mean"].is_monotonic_decreasing else 1  # the larger beta, the less exact the gradient


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
