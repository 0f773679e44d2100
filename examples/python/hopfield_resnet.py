"""A Hopfield-ResNet by calls: an energy block that is a graph, with a skip, a tap and relu6 neurons, on the digits.

    examples/python/hopfield_resnet.py [EPOCHS]

examples/hopfield_resnet.c is the same in C, and has the graph drawn.
"""
import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: the library cuts the work itself

import digits
import ffebm
from ffebm import Coupling, Feedforward, Hopfield, Op


def build(context):
    model = ffebm.Model(context, (1, 8, 8), "mse")
    model.add(Feedforward(Op("conv2d", out=16, kernel=3, padding=1)))                # drives layer 0, [16, 8, 8]
    model.add_tap(Feedforward(Op("conv2d", out=32, kernel=1, stride=2)), layer=1)    # and layer 1, [32, 4, 4]
    model.add(Hopfield(Coupling("conv2d", out=32, kernel=3, stride=2, padding=1),    # 0 - 1
                       Coupling("conv2d", out=32, kernel=3, padding=1),              # 1 - 2
                       Coupling("conv2d", out=32, kernel=3, padding=1),              # 2 - 3
                       Coupling("conv2d", out=32, kernel=1, from_=1, to=3, bias=0),  # a skip
                       Coupling("dense", out=10),                                    # 3 - 4, the output
                       activation=ffebm.Activation("hard_sigmoid", upper=6)))
    return model.initialize(seed=0)


def main(epochs=3):
    training, test = [(images.reshape(-1, 1, 8, 8), labels) for images, labels in digits.load()]
    engine = ffebm.Engine(build(ffebm.Context()), max_batch=32)
    optimizer = ffebm.Adam(engine.model)
    for epoch in range(int(epochs)):
        for x, y in digits.batches(*training, 32, seed=epoch):
            engine.gradient(x, y)
            optimizer.step(engine)
        print(f"epoch {epoch + 1}: {engine.evaluate(*test).correct} of {len(test[0])} test digits right")
    worst = engine.certify(test[0][:8], test[1][:8])
    print(f"gradient {'certified' if worst.passed else 'NOT certified'}, cosine {worst.cosine:.4f} at worst, "
          f"{engine.phase('free', 1).sweeps_mean:.0f} + {engine.phase('nudged', 1).sweeps_mean:.0f} sweeps")
    return 0 if worst.passed else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
