"""Weights from PyTorch into a model, and back."""
from __future__ import annotations

from collections.abc import Mapping

import torch

from ..model import Model

IGNORED = "num_batches_tracked"  # a counter of batch normalisation, which only its cumulative average would need


def load_torch(model: Model, state_dict: Mapping[str, torch.Tensor], names: Mapping[str, str] | None = None) -> list[str]:
    """Copy values of a PyTorch module's state_dict into a model that is ready. Returns the model's names that were given
    values.

    names: parts of the model and the parts of the state_dict that they come from, as in {"stage0.0": "features.3"}: an
    op or coupling and a module, or single tensors. None: the two have the same names, all of them. Layouts are the same:
    linear weights [out, in], convolutions [out, in, height, width], batch normalisation [channels], with its running
    statistics. float16 and bfloat16 become the model's type. Everything is checked before anything is copied: what one
    side has in a part that is named, and the other lacks, is an error.
    """
    values = _values(model)
    pairs = _pairs(values, names, state_dict)
    for ours, theirs in pairs.items():
        tensor = state_dict[theirs]
        if tuple(tensor.shape) != tuple(values[ours].shape):
            raise ValueError(f"{theirs} is {list(tensor.shape)}, expected {list(values[ours].shape)} of {ours}")
        if not tensor.is_floating_point():
            raise TypeError(f"{theirs} is {tensor.dtype}, expected real numbers")
    with torch.no_grad():
        for ours, theirs in pairs.items():
            values[ours].copy_(state_dict[theirs])
    return list(pairs)


def to_torch(model: Model, names: Mapping[str, str] | None = None) -> dict[str, torch.Tensor]:
    """The other way round: copies of a model's values, by the names of a PyTorch module, for its load_state_dict."""
    values = _values(model)
    return {theirs: values[ours].clone() for ours, theirs in _pairs(values, names).items()}


def _values(model):
    arrays = {**model.parameters, **model.buffers}
    if not arrays:
        raise ValueError("the model has no values: initialize it first")
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _within(name, part):
    return name == part or name.startswith(part + ".")


def _pairs(values, names, given=None):
    """Which of the model's names belongs to which of the state_dict's."""
    if names is None:
        pairs, parts = {name: name for name in values}, None
    else:
        pairs, parts = {}, list(names.values())
        for ours, theirs in names.items():
            found = [name for name in values if _within(name, ours)]
            if not found:
                raise KeyError(f"the model has no {ours}, expected a part of {', '.join(values)}")
            pairs.update({name: theirs + name[len(ours):] for name in found})
    if given is not None:
        lacking = [theirs for theirs in pairs.values() if theirs not in given]
        if lacking:
            raise KeyError(f"the state_dict lacks {', '.join(lacking)}")
        used = set(pairs.values())
        over = [name for name in given if name not in used and name.rpartition(".")[2] != IGNORED
                and (parts is None or any(_within(name, part) for part in parts))]
        if over:
            raise KeyError(f"the model has no place for {', '.join(over)}")
    return pairs
