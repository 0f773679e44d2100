"""A PyTorch network with an energy block inside, on the digits: convolutions of PyTorch's, a Hopfield network of the
library's as a layer, a readout of PyTorch's; its optimizer trains all three. At the end the gradient through the layer is
compared with that of implicit differentiation, which is exact.

    examples/python/torch_digits.py [EPOCHS]
"""
import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: the library cuts the work itself

import digits
import torch
from ffebm import Coupling, Hopfield
from ffebm.torch import EnergyLayer
from torch import nn


def build():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(512, 128), nn.BatchNorm1d(128),
        EnergyLayer.build(128, Hopfield(Coupling("dense", out=64)), max_batch=32, beta=0.1),
        nn.Linear(64, 10))


def gradient(network, x, y):
    network.zero_grad()
    nn.functional.cross_entropy(network(x), y).backward()
    return torch.cat([parameter.grad.flatten() for parameter in network.parameters()])


def accuracy(network, x, y):
    with torch.no_grad():
        return (network.eval()(x).argmax(1) == y).float().mean().item()


def main(epochs=8):
    torch.manual_seed(0)
    training, test = [(torch.from_numpy(images).view(-1, 1, 8, 8), torch.from_numpy(labels))
                      for images, labels in digits.load()]
    network = build()
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, int(epochs))
    for epoch in range(int(epochs)):
        network.train()
        for chosen in torch.randperm(len(training[0])).split(32):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(training[0][chosen]), training[1][chosen]).backward()
            optimizer.step()
        schedule.step()
        print(f"epoch {epoch + 1}: test accuracy {accuracy(network, *test):.4f}", file=sys.stderr)

    layer, (x, y) = network[10], (test[0][:32], test[1][:32])
    by_propagation = gradient(network, x, y)
    layer.engine.configure(estimator="implicit", free_tolerance=1e-6, nudged_tolerance=1e-6, free_sweeps=500,
                           nudged_sweeps=500)
    cosine = nn.functional.cosine_similarity(by_propagation, gradient(network, x, y), dim=0).item()
    right = accuracy(network, *test)
    print(f"test accuracy {right:.4f}; equilibrium propagation against the exact gradient: cosine {cosine:.4f}")
    return 0 if cosine > 0.98 and right >= 0.97 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
