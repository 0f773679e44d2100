"""Descriptions of the library's own blocks. They hold no handles: model.add makes the calls."""
from .functions import raw
from .structs import CouplingConfig as Coupling
from .structs import HopfieldConfig
from .structs import OpConfig as Op

__all__ = ["Coupling", "Feedforward", "Hopfield", "Op"]


class Feedforward:
    """A row of ops: Feedforward(Op("linear", out=32), Op("tanh"))."""

    _add_to_model = raw.model_add_feedforward
    _destroy = raw.feedforward_destroy

    def __init__(self, *ops):
        self.ops = list(ops)

    def _create(self, context):
        return context.make(raw.feedforward_create)

    def _fill(self, context, block):
        for op in self.ops:
            context.call(raw.feedforward_add_op, block, op)


class Hopfield:
    """A deep Hopfield network: Hopfield(Coupling("dense", out=32), slope=0.5)."""

    _add_to_model = raw.model_add_energy
    _destroy = raw.energy_destroy

    def __init__(self, *couplings, **config):
        self.couplings = list(couplings)
        self.config = HopfieldConfig(**config)

    def _create(self, context):
        return context.make(raw.energy_create_hopfield, self.config)

    def _fill(self, context, block):
        for coupling in self.couplings:
            context.call(raw.energy_add_coupling, block, coupling)
