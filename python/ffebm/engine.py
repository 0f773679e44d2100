"""Equilibria and gradients."""
from __future__ import annotations

import contextlib
import ctypes as c
from typing import TYPE_CHECKING, Callable

import numpy as np

from . import reports, samples, structs
from .constants import ALL, LedgerPart, Mode, Phase, choice
from .context import Handle
from .errors import CancelledError, StateError
from .functions import raw
from .model import Model
from .reports import report_of
from .tensor import NUMPY, Arguments, Tensor, view_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Engine(Handle):
    """Workspace and settings for computing on a model.

    Arrays of the model's dtype go in and come out without a copy: `input` is [batch, in...], `target` int64 labels
    [batch] or values [batch, out...], `weights` [batch] factors of the samples' losses. max_batch: the largest batch of
    a gradient. seed: of what is drawn during computing.
    """

    def __init__(self, model: Model, max_batch: int = 128, seed: int = 0):
        address, config = Model.address_of(model, "model"), structs.EngineConfig(max_batch=max_batch, seed=seed)
        self.model, self.context = model, model.context
        self._own(self.context.guard, self.context.make_for(raw.engine_create, address, config), raw.engine_destroy)
        self.max_batch = max_batch
        self._dtype, self._mode = NUMPY[model.info.dtype], Mode.TRAINING
        self.ticket = 0  # of the last forward that keeps what a vjp needs
        self._waiting = 0  # such forwards since the last vjp

    def _said(self):
        info = self.model.info
        return (f" [{self.max_batch} at most, {', '.join(map(str, info.input_shape))}] -> "
                f"{list(info.output_shape)}, {self._dtype}, {self._mode.name.lower()}")

    # ------------------------------------------------------------------------------------------------------- settings

    def configure(self, config: structs.EquilibriumConfig | None = None, stage: int = ALL, **changes) -> None:
        """Replace the settings of one energy block, or of all: by a config (model.equilibrium(), say), or by the
        defaults with changes."""
        config = config if config is not None else structs.EquilibriumConfig(**changes)
        self.context.call(raw.engine_configure, self._address, stage, config)

    def equilibrium(self, stage: int, **changes) -> structs.EquilibriumConfig:
        """The EquilibriumConfig of one energy block as it was set, with some settings changed."""
        config = structs.EquilibriumConfig()
        self.context.call(raw.engine_equilibrium, self._address, c.byref(config), stage)
        for name, value in changes.items():
            setattr(config, name, value)
        return config

    def set_beta(self, beta: float, stage: int = ALL) -> None:
        """Set the strength of the nudging alone."""
        self.context.call(raw.engine_set_beta, self._address, stage, beta)

    def set_sweeps(self, free: int, nudged: int, stage: int = ALL) -> None:
        """Set the most sweeps of both phases alone."""
        self.context.call(raw.engine_set_sweeps, self._address, stage, free, nudged)

    def set_step(self, step: int) -> None:
        """Number the next call, on which what it draws depends: a resumed run draws what an unbroken one would have."""
        self.context.call(raw.engine_set_step, self._address, step)

    def set_first_sample(self, number: int) -> None:
        """Number the first sample of the next batches, of which random signs and blocks' seeds are drawn."""
        self.context.call(raw.engine_set_first_sample, self._address, number)

    def set_noise(self, noise: bool) -> None:
        """Let devices draw what differs from one settling to the next, or leave it out."""
        self.context.call(raw.engine_set_noise, self._address, noise)

    @property
    def mode(self) -> Mode:
        """TRAINING, as an engine begins, or EVALUATION; it differs where a model has batch normalisation."""
        return self._mode

    def set_mode(self, mode: int | str) -> None:
        """To "training" or "evaluation"; a change forgets the last forward."""
        self.context.call(raw.engine_set_mode, self._address, choice(Mode, mode))
        self._mode = Mode(choice(Mode, mode))

    def set_label_smoothing(self, smoothing: float) -> None:
        """Let labels stand for less than certainty where gradients are computed."""
        self.context.call(raw.engine_set_label_smoothing, self._address, smoothing)

    # ------------------------------------------------------------------------------------------------------- training

    def gradient(self, input: NDArray, target: NDArray, weights: NDArray | None = None) -> reports.Report:
        """Compute the loss and the gradient of a batch. Returns a Report."""
        report, tensor = structs.Report(), Arguments(self.context)
        self.context.compute(raw.engine_gradient, self._address, c.byref(report), tensor(input, "input"),
                             tensor(target, "target"), tensor(weights, "weights"))
        return report_of(reports.Report, report)

    def evaluate(self, input: NDArray, target: NDArray, weights: NDArray | None = None,
                 output: NDArray | None = None) -> reports.Report:
        """Compute loss and accuracy in evaluation mode, of any number of samples; every sample's output, [batch, out...],
        into `output`, if given. Returns a Report."""
        report, tensor = structs.Report(), Arguments(self.context)
        self.context.compute(raw.engine_evaluate, self._address, c.byref(report), tensor(output, "output", True),
                             tensor(input, "input"), tensor(target, "target"), tensor(weights, "weights"))
        return report_of(reports.Report, report)

    def evaluate_samples(self, input: NDArray, target: NDArray) -> samples.Samples:
        """Evaluate, and keep what came of each sample: its output, its loss, and whether its label was met."""
        output = self._result(None, input, self.model.info.output_shape)
        report = self.evaluate(input, target, output=output)
        return samples.Samples.of(report, self.model.info.loss, output, target)

    def predict(self, input: NDArray, output: NDArray | None = None) -> NDArray:
        """Compute the outputs of any number of samples, [batch, out...], in evaluation mode; into `output` if it is
        given. Forgets the last forward."""
        mode = self._mode
        self.set_mode("evaluation")
        try:
            return self.forward(input, output, keep=False)
        finally:
            self.set_mode(mode)

    @property
    def flat_gradient(self) -> NDArray | None:
        """The gradient as one array over the engine's memory, to read and to write; None without parameters."""
        address = raw.engine_flat_gradient(self._address)
        return None if address is None else view_of(address, self)

    @property
    def gradients(self) -> dict[str, NDArray]:
        """Its parts by the parameters' names, over the same memory."""
        flat, model = self.flat_gradient, self.model
        found = (model.parameter(i) for i in range(model.info.parameter_count))
        return {p.name: flat[p.offset:p.offset + p.count].reshape(p.shape) for p in found}

    # --------------------------------------------------------------------------- a host with its own loss or network

    def forward(self, input: NDArray, output: NDArray | None = None, keep: bool = True) -> NDArray:
        """Compute the outputs at the free equilibrium, [batch, out...]; into `output` if it is given. keep=False: no vjp
        will follow; in evaluation mode any number of samples. Else `ticket` is of this forward."""
        output, tensor = self._result(output, input, self.model.info.output_shape), Arguments(self.context)
        ticket = c.c_uint64()
        self.context.compute(raw.engine_forward, self._address, tensor(output, "output", True),
                             c.byref(ticket) if keep else None, tensor(input, "input"))
        if keep:
            self.ticket, self._waiting = ticket.value, self._waiting + 1
        return output

    def vjp(self, output_cotangent: NDArray, input_cotangent: NDArray | None = None, scale: float = 0.0,
            want_input: bool = True, ticket: int | None = None) -> NDArray | None:
        """Pull a cotangent, [batch, out...], back from a forward: the flat gradient is a sum over the batch. Returns the
        input's cotangent, [batch, in...], if wanted. Without a ticket it is the last forward's, if there was one alone since the last vjp."""
        tensor = Arguments(self.context)
        if want_input:
            input_cotangent = self._result(input_cotangent, output_cotangent, self.model.info.input_shape)
        ticket = self._only_ticket() if ticket is None else ticket
        self.context.compute(raw.engine_vjp, self._address, tensor(input_cotangent, "input_cotangent", True), ticket,
                             tensor(output_cotangent, "output_cotangent"), scale)
        self._waiting = 0
        return input_cotangent

    def _only_ticket(self):
        if self._waiting > 1:
            waiting, self._waiting, last, self.ticket = self._waiting, 0, self.ticket, 0
            raise StateError(f"vjp: of {waiting} forwards since the last vjp the engine keeps that with ticket {last}: "
                             "name it if it is the one")
        return self.ticket

    def _result(self, given, batch, shape):
        array = batch.array if isinstance(batch, Tensor) else batch
        rows = len(array) if np.ndim(array) > 0 else 1  # what is no batch is refused by name, as an argument
        return np.empty((rows, *shape), self._dtype) if given is None else given

    # --------------------------------------------------------------------------------------- one energy block by hand

    def settle(self, stage: int, input: NDArray, force: NDArray | None = None, stiffness: float = 0) -> None:
        """Freely, or under a force that is less stiffness times the displacement of the output."""
        tensor = Arguments(self.context)
        self.context.compute(raw.engine_settle_springs, self._address, stage, tensor(input, "input"),
                             tensor(force, "force"), stiffness)

    def stable_beta(self, stage: int) -> float:
        """Below which beta loss nudging leaves a resistive block its equilibrium, at the free states that it has."""
        beta = c.c_double()
        self.context.call(raw.engine_stable_beta, self._address, c.byref(beta), stage)
        return beta.value

    def energy(self, stage: int, input: NDArray, phase: int | str = "free") -> NDArray:
        """The energy of each sample, [batch], at a state of a block; input: [batch, in...] of the block."""
        energies, tensor = self._result(None, input, ()), Arguments(self.context)
        self.context.compute(raw.engine_energy, self._address, tensor(energies, "energies", True), stage,
                             choice(Phase, phase), tensor(input, "input"))
        return energies

    def input(self, stage: int, layer: int, batch: int) -> NDArray:
        """The input that a block had last, of so many samples: layer 0's own, or a tapped layer's."""
        shape = self.model.stage(stage).input_shape if layer == 0 else self.model.layer(stage, layer).shape
        input, tensor = np.empty((batch, *shape), self._dtype), Arguments(self.context)
        self.context.call(raw.engine_get_input, self._address, tensor(input, "input", True), stage, layer)
        return input

    def set_input(self, stage: int, layer: int, input: NDArray) -> None:
        """Write the input of a tapped layer."""
        tensor = Arguments(self.context)
        self.context.call(raw.engine_set_input, self._address, stage, layer, tensor(input, "input"))

    def energy_gradient(self, stage: int, phase: int | str = "free", input_gradient: NDArray | None = None) -> None:
        """Write the mean of dE/dtheta into the stage's part of the flat gradient, and dE/dx into input_gradient."""
        tensor = Arguments(self.context)
        self.context.compute(raw.engine_energy_gradient, self._address, tensor(input_gradient, "input_gradient", True),
                             stage, choice(Phase, phase))

    def state(self, stage: int, layer: int, batch: int, phase: int | str = "free") -> NDArray:
        """One layer of a state, of so many samples: [batch, layer...]."""
        state, tensor = np.empty((batch, *self.model.layer(stage, layer).shape), self._dtype), Arguments(self.context)
        self.context.call(raw.engine_get_state, self._address, tensor(state, "state", True), stage, layer,
                          choice(Phase, phase))
        return state

    def set_state(self, stage: int, layer: int, state: NDArray) -> None:
        """Write one layer of the free state: a start, or a state to take an energy at."""
        tensor = Arguments(self.context)
        self.context.call(raw.engine_set_state, self._address, stage, layer, tensor(state, "state"))

    # ------------------------------------------------------------------------------------------------- what happened

    def phase(self, phase: int | str, stage: int = ALL) -> reports.PhaseReport:
        """How an energy block, or all together, settled. Returns a PhaseReport."""
        return self._inspect(reports.PhaseReport, structs.PhaseReport, raw.engine_inspect_phase, stage,
                             choice(Phase, phase))

    @property
    def unsettled(self) -> str:
        """Which blocks did not settle in the last call, in words; "" where all have."""
        length = c.c_size_t()
        self.context.call(raw.engine_unsettled, self._address, None, 0, c.byref(length))
        text = c.create_string_buffer(length.value + 1)
        self.context.call(raw.engine_unsettled, self._address, text, length.value + 1, None)
        return text.value.decode()

    def layer(self, stage: int, layer: int) -> reports.LayerReport:
        """A layer's part in the last gradient or vjp. Returns a LayerReport."""
        return self._inspect(reports.LayerReport, structs.LayerReport, raw.engine_inspect_layer, stage, layer)

    def _inspect(self, kind, struct, function, *where):
        found = struct()
        self.context.call(function, self._address, c.byref(found), *where)
        return report_of(kind, found)

    # ------------------------------------------------------------------------------------------------------- analysis

    def certify(self, input: NDArray, target: NDArray, weights: NDArray | None = None, **settings) -> reports.Certificate:
        """Compare the gradient of a batch with implicit differentiation; given directions=..., also with differences of
        the loss. Returns the Certificate of the tensor that fares worst; `certificates` has all."""
        worst, tensor = structs.Certificate(), Arguments(self.context)
        self.context.compute(raw.engine_certify, self._address, c.byref(worst), tensor(input, "input"),
                             tensor(target, "target"), tensor(weights, "weights"), structs.CertifyConfig(**settings))
        return report_of(reports.Certificate, worst)

    @property
    def certificates(self) -> list[reports.Certificate]:
        """Of the last certificate: every parameter's, and the input's behind them."""
        return [self._inspect(reports.Certificate, structs.Certificate, raw.engine_inspect_certificate, index)
                for index in range(self.model.info.parameter_count + 1)]

    def ledger(self, stage: int = ALL, part: int | str = "all", **constants) -> reports.Ledger:
        """What a gradient would take and cost on hardware, of a stage or the whole chain, and of one part of a step or all
        of it. Returns a Ledger. Constants are those of structs.LedgerConfig: ledger(adc_8=0.36)."""
        found = structs.Ledger()
        self.context.call(raw.engine_ledger, self._address, c.byref(found), stage, choice(LedgerPart, part),
                          structs.LedgerConfig(**constants))
        return report_of(reports.Ledger, found)

    def trace(self, input: NDArray, target: NDArray, visit: Callable[[reports.TracePoint], object],
              weights: NDArray | None = None) -> bool:
        """Trace the gradient over the nudged sweeps: visit(TracePoint) for each parameter and sweep, until it returns
        True. Returns whether all were visited."""
        return self._visited(structs.TraceFn, lambda point: visit(self._point(point)), raw.engine_trace,
                             (input, target, weights))

    def watch(self, stage: int, input: NDArray, target: NDArray,
              visit: Callable[[reports.WatchPoint], object] | None = None) -> list[reports.WatchPoint]:
        """Watch an energy block settle, freely from zeros and then nudged, after every group of layers that a sweep moves.
        Returns all WatchPoints; with visit(WatchPoint), which stops by returning True, those until then."""
        points: list[reports.WatchPoint] = []

        def take(point):
            points.append(reports.WatchPoint(
                Phase(point.phase), point.sweep, point.step, point.steps,
                [view_of(point.states[layer]).copy() for layer in range(point.layer_count)], view_of(point.energy).copy()))
            return visit is not None and visit(points[-1])

        self._visited(structs.WatchFn, take, raw.engine_watch, (input, target), stage)
        return points

    def _visited(self, kind, take, function, arrays, *where):
        """A call that shows points one by one, until take(point) says True. Returns whether it has shown all."""
        @kind
        def visit(_, point):
            try:
                self.context.guard.interrupts.deliver()
                return 1 if take(point.contents) else 0
            except BaseException as error:  # none may pass through C
                self.context.guard.carry(error)
                return 1

        tensor = Arguments(self.context)
        handles = [tensor(array, what) for array, what in zip(arrays, ("input", "target", "weights"))]
        with contextlib.suppress(CancelledError):
            self.context.compute(function, self._address, *where, *handles, visit, None)
            return True
        return False

    @staticmethod
    def _point(point):
        arrays = {name: None if getattr(point, name) is None else view_of(getattr(point, name)).copy()
                  for name in ("estimate", "implicit")}
        return report_of(reports.TracePoint, point, **arrays)
