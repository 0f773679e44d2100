"""For PyTorch: a chain of the library's as a layer of yours, and weights from one to the other. docs/pytorch.md is the
guide."""
from .layer import EnergyLayer
from .values import load_torch, to_torch

__all__ = ["EnergyLayer", "load_torch", "to_torch"]
