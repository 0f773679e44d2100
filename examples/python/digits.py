"""The digits of examples/data: 8 x 8 pixels, one in five held back for testing."""
import csv
import gzip
from pathlib import Path

import numpy as np

EXAMPLES = Path(__file__).resolve().parents[1]


def load(dtype=np.float32):
    """(training images, labels), (test images, labels); images [n, 64] with mean 0 and variance 1, labels int64 [n]."""
    with gzip.open(EXAMPLES / "data" / "digits.csv.gz", "rt") as file:
        rows = np.array([[int(word) for word in line] for line in csv.reader(file)])
    images, labels = rows[:, :64].astype(dtype), rows[:, 64].astype(np.int64)
    images = (images - images.mean()) / images.std()
    test = np.arange(len(rows)) % 5 == 0
    return (images[~test], labels[~test]), (images[test], labels[test])


def batches(images, labels, size, seed):
    """A row of (images, labels), in random order."""
    order = np.random.default_rng(seed).permutation(len(images))
    for first in range(0, len(images), size):
        chosen = order[first:first + size]
        yield images[chosen], labels[chosen]
