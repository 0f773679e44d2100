"""Descriptions of the library's own blocks. They hold no handles: model.add makes the calls."""
from .functions import raw
from .structs import Activation
from .structs import CouplingConfig as Coupling
from .structs import HopfieldConfig, ResistiveConfig
from .structs import OpConfig as Op

__all__ = ["Activation", "Coupling", "Feedforward", "Hopfield", "Op", "Resistive"]


def _part(part, kind):
    if not isinstance(part, kind):
        raise TypeError(f"{part!r} is no {kind.__name__}")
    return part


class Feedforward:
    """A row of ops: Feedforward(Op("linear", out=32), Op("tanh"))."""

    _add_to_model = raw.model_add_feedforward
    _add_part, _destroy = raw.feedforward_add_op, raw.feedforward_destroy

    def __init__(self, *ops: Op):
        self.ops = list(ops)

    def __repr__(self):
        return f"Feedforward({', '.join(map(repr, self.ops))})"

    def _parts(self):
        return [_part(op, Op) for op in self.ops]

    def _create(self, context, _):
        return context.make(raw.feedforward_create)


class _Network:
    _add_to_model = raw.model_add_energy
    _add_part, _destroy = raw.energy_add_coupling, raw.energy_destroy

    def __init__(self, *couplings: Coupling, **config):
        self.couplings = list(couplings)
        self.config = self._config(**config)

    def __repr__(self):
        return f"{type(self).__name__}({', '.join([*map(repr, self.couplings), *self.config._said()])})"

    def _parts(self):
        return [_part(coupling, Coupling) for coupling in self.couplings]

    def _create(self, context, _):
        return context.make(self._create_block, self.config)


class Hopfield(_Network):
    """A deep Hopfield network: Hopfield(Coupling("dense", out=32), activation=Activation("tanh", slope=0.5))."""

    _config, _create_block = HopfieldConfig, raw.energy_create_hopfield


class Resistive(_Network):
    """A deep resistive network: Resistive(Coupling("dense", out=32), Coupling("dense", out=10), input_gain=30)."""

    _config, _create_block = ResistiveConfig, raw.energy_create_resistive
