"""Train a model description on the digits, as its recipe asks. The last line printed is the accuracy.

    examples/python/train_digits.py [MODEL.json] [EPOCHS]
"""
import os
import sys
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: the library cuts the work itself

import digits
import ffebm


def train(engine, optimizer, data, epochs, size):
    model, images = engine.model, data[0]
    steps = -(-len(images) // size)
    for epoch in range(epochs):
        loss = 0.0
        for step, (x, y) in enumerate(digits.batches(*data, size, seed=epoch)):
            loss += engine.gradient(x, y).loss / steps
            optimizer.set_learning_rate(model.learning_rate(epoch * steps + step, steps))
            optimizer.step(engine)
        print(f"epoch {epoch + 1}: loss {loss:.4f}", file=sys.stderr)


def main(path=digits.EXAMPLES / "models" / "digits.json", epochs=None):
    training, test = digits.load()
    context = ffebm.Context(threads=0)
    model = ffebm.Model.parse(context, Path(path).read_bytes()).initialize(seed=0)
    recipe = model.recipe
    engine = ffebm.Engine(model, max_batch=recipe.batch)
    engine.set_label_smoothing(recipe.label_smoothing)
    train(engine, ffebm.Optimizer(model), training, int(epochs or recipe.epochs), recipe.batch)
    worst = engine.certify(test[0][:8], test[1][:8])  # the gradient, against the exact one
    print(f"gradient {'certified' if worst.passed else 'NOT certified'}, cosine {worst.cosine:.4f} at worst")
    print(f"test accuracy {engine.evaluate(*test).correct / len(test[0]):.4f}")
    return 0 if worst.passed else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
