"""What an evaluation says of each sample, beside the means of its report."""
from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from .constants import Loss

if TYPE_CHECKING:
    from .reports import Report


def _log_softmax(output):
    shifted = output - output.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))


def _loss(kind, output, values):
    """The library's losses (ffebm/loss.h), of each sample: float64 [n]."""
    if kind is Loss.CROSS_ENTROPY:
        return -np.where(values == 0, 0, values * _log_softmax(output)).sum(1)
    return ((output - values)**2).sum(1) / 2


@dataclasses.dataclass(frozen=True, repr=False)
class Samples:
    """One entry a sample, in the order of the input."""

    report: Report  # of all together
    output: np.ndarray  # [n, out...], of the model's dtype
    loss: np.ndarray  # float64 [n]; its mean is report.loss
    predicted: np.ndarray  # int64 [n], the place of the largest output
    correct: np.ndarray | None  # bool [n]; None where targets are no labels
    loss_kind: Loss

    @classmethod
    def of(cls, report, loss, output, target):
        """From every sample's output and target."""
        rows = output.reshape(len(output), -1).astype(np.float64)
        labelled = target.ndim == 1 and target.dtype == np.int64
        values = np.eye(rows.shape[1])[target] if labelled else target.reshape(rows.shape)
        predicted = rows.argmax(1)
        return cls(report, output, _loss(loss, rows, values), predicted, predicted == target if labelled else None, loss)

    @property
    def probabilities(self) -> np.ndarray:
        """The softmax of the outputs, float64 [n, classes], where the loss is cross entropy."""
        if self.loss_kind is not Loss.CROSS_ENTROPY:
            raise ValueError("outputs are probabilities under the loss cross_entropy only")
        return np.exp(_log_softmax(self.output.reshape(len(self.output), -1).astype(np.float64)))

    def __len__(self):
        return len(self.output)

    def __repr__(self):
        known = "" if self.correct is None else f", {self.correct.sum()} correct"
        return f"<Samples: {len(self)}, mean loss {self.loss.mean():.4g}{known}>"
