"""See an energy block settle: its states and its energy after every group of layers that a sweep moves, first freely, then
nudged towards the label. With matplotlib a picture as well.

    examples/python/watch_settling.py [MODEL.json] [PICTURE.png]
"""
import os
import sys
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: the library cuts the work itself

import ffebm
import numpy as np

MODELS = Path(__file__).resolve().parents[1] / "models"
SHADES, UNITS = " .:-=+*#%@", 24


def watch(description):
    """The points of the last energy block, of one sample of noise."""
    model = ffebm.Model.parse(ffebm.Context(), description).initialize(seed=0)
    random, info = np.random.default_rng(0), model.info
    stages = [i for i in range(info.stage_count) if model.stage(i).kind is ffebm.constants.StageKind.ENERGY]
    x = random.normal(size=(1, *info.input_shape)).astype(info.dtype.name.lower())
    engine = ffebm.Engine(model, max_batch=1)
    engine.set_mode("evaluation")
    return engine.watch(stages[-1], x, random.integers(0, info.output_shape[0], 1))


def units(point, layer):
    """At most so many of a layer, evenly chosen."""
    values = point.states[layer].ravel()
    return values[np.linspace(0, len(values) - 1, min(UNITS, len(values))).astype(int)]


def show(points):
    shown = np.concatenate([units(point, layer) for point in points for layer in range(len(point.states))])
    low, span = shown.min(), np.ptp(shown) or 1
    for point in points:
        layers = ["".join(SHADES[int(9.999 * (value - low) / span)] for value in units(point, layer))
                  for layer in range(len(point.states))]
        print(f"{point.phase.name.lower():6} {point.sweep:3}.{point.step} {point.energy[0]:14.6f}  |{'| |'.join(layers)}|")


def draw(points, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    layers, free = len(points[0].states), sum(point.phase is ffebm.constants.Phase.FREE for point in points)
    figure, panels = pyplot.subplots(layers + 1, sharex=True, figsize=(8, 1.8 * (layers + 1)))
    for layer, panel in enumerate(reversed(panels[:-1])):
        panel.plot([units(point, layer) for point in points], linewidth=1)
        panel.set_ylabel(f"layer {layer}")
    for first, end in ((0, free), (free, len(points))):
        energies = np.array([point.energy[0] for point in points[first:end]])
        above = energies - energies[-1]
        panels[-1].semilogy(np.arange(first, end)[above > 0], above[above > 0])
    panels[-1].set(ylabel="energy above its\nphase's end", xlabel="groups of layers moved: free, then nudged")
    for panel in panels:
        panel.axvline(free - 0.5, color="gray", linewidth=1)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main(path=MODELS / "settling.json", picture=None):
    points = watch(Path(path).read_bytes())
    show(points)
    if picture:
        draw(points, picture)
    nudged = [point.phase is ffebm.constants.Phase.NUDGED for point in points]
    rises = [after.energy[0] - before.energy[0] for before, after in zip(points, points[1:]) if after.sweep > 0]
    print(f"{len(points) - sum(nudged)} states free, {sum(nudged)} nudged; the energy rose by {max(rises):.1e} at most")
    return 0 if max(rises) < 1e-5 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
