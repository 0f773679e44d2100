"""Stop and go on: a run that is saved after its first half and resumed from the file alone, in another context, ends
with the same bits as one that was never interrupted.

    examples/python/checkpoint.py
"""
import os
import sys
import tempfile

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import digits
import ffebm
import numpy as np

DESCRIPTION = digits.EXAMPLES / "models" / "digits.json"


def train(model, optimizer, data, epochs):
    engine = ffebm.Engine(model)
    for epoch in epochs:
        for x, y in digits.batches(*data, model.recipe.batch, seed=epoch):
            engine.gradient(x, y)
            optimizer.step(engine)


def unbroken(data):
    model = ffebm.Model.parse(ffebm.Context(), DESCRIPTION.read_bytes()).initialize(seed=0)
    train(model, ffebm.Optimizer(model), data, range(2))
    return model.flat_parameters


def interrupted(data, path):
    model = ffebm.Model.parse(ffebm.Context(), DESCRIPTION.read_bytes()).initialize(seed=0)
    optimizer = ffebm.Optimizer(model)
    train(model, optimizer, data, range(1))
    ffebm.checkpoint.save(model, path, optimizer, note="1 epoch")

    context = ffebm.Context()
    epochs = int(ffebm.checkpoint.metadata(context, path, "note").split()[0])
    model = ffebm.Model.load(context, path)
    optimizer = ffebm.Optimizer(model)
    ffebm.checkpoint.restore(model, path, optimizer)
    train(model, optimizer, data, range(epochs, 2))
    print(f"{len(ffebm.checkpoint.tensor_names(context, path))} tensors in the file")
    return model.flat_parameters


def main():
    training, _ = digits.load()
    data = training[0][:256], training[1][:256]
    with tempfile.TemporaryDirectory() as folder:
        same = np.array_equal(unbroken(data), interrupted(data, f"{folder}/digits.safetensors"))
    print("the same to the bit" if same else "the resumed run DIFFERS")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
