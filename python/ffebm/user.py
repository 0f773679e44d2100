"""Blocks of your own, in Python. Derive from EnergyBlock or FeedforwardBlock and write the slots that you have.

A slot gets a Call, whose arrays are views of the library's memory (docs/user_blocks.md says what is in them). It
writes its outputs into them and returns None, or RETRY to be called again. What it raises comes out of the call that
came to it: engine.gradient, say, raises your exception.

A block is kept alive by the models that it is in. It must not hold on to such a model, or neither ever goes.
"""
import itertools
import math
import os

import numpy as np

from . import structs as s
from .errors import StateError
from .functions import raw
from .scalars import named, shape_of, whole
from .tensor import check_plain, dims, view

DOUBLE, INTEGER = np.dtype("float64"), np.dtype("int64")
READ_ONLY = {"parameters", "input", "force", "weight", "output_cotangent"}
FLAT = {"parameters", "gradient", "values"}


class Parameter:
    """A tensor that is trained in a block, and the bounds that optimizers keep it in."""

    def __init__(self, name, shape, lower=-math.inf, upper=math.inf, frozen=False):
        self.name, self.shape = name, shape_of(shape)
        self.lower, self.upper, self.frozen = lower, upper, frozen

    def _struct(self):
        shape, rank = dims(self.shape)
        return s.UserParameter(name=self.name, shape=shape, rank=rank, lower=self.lower, upper=self.upper,
                               frozen=self.frozen)


class Call:
    """What a slot is given: the fields of the C struct. Arrays are [batch, ...] and valid during the call only;
    parameters, gradient and values are dictionaries of them by the parameters' names."""

    def __init__(self, border, slot, struct):
        object.__setattr__(self, "_border", border)
        object.__setattr__(self, "_read_only", READ_ONLY if slot == "settle" else READ_ONLY | {"state"})
        object.__setattr__(self, "_struct", struct)

    def __getattr__(self, name):
        value = getattr(self._struct, name)
        if name in FLAT:
            return self._tensors(name, value)
        if name not in self._border.shapes or value is None:
            return value
        dtype = INTEGER if name == "sweeps" else DOUBLE
        return view(value, dtype, self._shape(name), writable=name not in self._read_only)

    def __setattr__(self, name, value):
        if name != "joules":
            raise AttributeError(f"{name} cannot be replaced; write into the array: call.{name}[:] = ...")
        self._struct.joules = value

    def _shape(self, name):
        return (self._struct.batch, *self._border.shapes[name])

    def _tensors(self, name, address):
        tensors, at = {}, 0
        for parameter, shape in self._border.parameters.items():
            tensors[parameter] = view(address + at, DOUBLE, shape, writable=name not in READ_ONLY)
            at += tensors[parameter].nbytes
        return tensors

    def force_at(self, output):
        """The force at an output of all samples, under loss nudging; None where the force is held."""
        if not self._struct.force_at:
            return None
        check_plain(output, "output")
        shape = self._shape("output")
        if output.shape != shape or not np.can_cast(output.dtype, DOUBLE):
            raise ValueError(f"output is {output.dtype} {list(output.shape)}, expected float64 {list(shape)}")
        output = np.require(output, DOUBLE, "CA")
        force = np.empty_like(output)
        self._struct.force_at(self._struct.force_user, output.ctypes.data, force.ctypes.data)
        return force


# ------------------------------------------------------------------------------------------------ called by the library

class Border:
    """What the library has been told of a block, which is what its calls are made by: the block may say otherwise by
    then."""

    def __init__(self, block, guard, parameters):
        self.block, self.guard, self.process = block, guard, os.getpid()
        self.shapes = {name: shape_of(shape) for name, shape in block._shapes().items()}
        self.parameters = {p.name.decode(): tuple(p.shape[:p.rank]) for p in parameters}

    def answer(self, slot, struct):
        call = Call(self, slot, struct)
        try:
            self.guard.interrupts.deliver()
            answer = getattr(self.block, slot)(call)
            with named(f"what {slot} has returned"):
                return 0 if answer is None else whole(whole(answer), s.i32)
        except BaseException as error:  # of any kind: none may pass through C
            self.guard.carry(error)
            return -1
        finally:
            object.__setattr__(call, "_struct", _OVER)


class _Over:
    """What a call has in place of its struct when its slot has returned."""

    __slots__ = ()

    def __getattr__(self, name):
        raise StateError(f"FFEBM_ERR_STATE: the slot has returned, and the call's {name} is gone; copy what you keep")


_OVER = _Over()
_bound = {}  # the border behind each `self`; from creation to destroy
_numbers = itertools.count(1)


def _slot(kind, name):
    """A function for the library: made once and never freed, whichever block it is for."""
    return kind(lambda number, call: _bound[number].answer(name, call.contents))


def _slots(kind, *names):
    return {name: _slot(kind, name) for name in names}


@s.DestroyFn
def _destroyed(number):
    border = _bound.pop(number)
    if border.process == os.getpid():
        border.block.destroyed()


class _Block:
    name = None
    parameters = ()
    max_batch = 0
    retry_limit = 0

    def destroyed(self):
        """Called when a model with this block has gone, in the process that made it: a fork copies the model, and no
        device."""

    def _parts(self):
        return [parameter._struct() for parameter in self.parameters]

    def _create(self, context, parameters):
        border, number = Border(self, context.guard, parameters), next(_numbers)
        table = self._table(border.shapes)
        setattr(table, "self", number)
        _bound[number] = border
        try:
            return context.make(self._create_user, table)
        except BaseException:
            del _bound[number]
            raise

    def _common(self, table, shapes, slots):
        table.name = self.name or type(self).__name__
        table.input_shape, table.input_rank = dims(shapes["input"])
        table.output_shape, table.output_rank = dims(shapes["output"])
        table.max_batch, table.retry_limit = self.max_batch, self.retry_limit
        for name, function in slots.items():
            if getattr(self, name, None) is not None:
                setattr(table, name, function)
        table.destroy = _destroyed
        return table


class FeedforwardBlock(_Block):
    """Set name, input_shape, output_shape and parameters; write forward(call), vjp(call), and initialize(call) if the
    parameters do not begin as zeros."""

    _SLOTS = _slots(s.FeedforwardFn, "forward", "vjp", "initialize")
    _add_to_model, _destroy = raw.model_add_feedforward, raw.feedforward_destroy
    _create_user, _add_part = raw.feedforward_create_user, raw.feedforward_add_parameter

    def _shapes(self):
        return {"input": self.input_shape, "output": self.output_shape, "output_cotangent": self.output_shape,
                "input_cotangent": self.input_shape}

    def _table(self, shapes):
        return self._common(s.UserFeedforward(), shapes, self._SLOTS)


class EnergyBlock(_Block):
    """Set name, input_shape, output_shape, state_count and parameters; write settle(call), parameter_gradient(call),
    and of output, input_gradient, energy, adjoint and initialize those that the block has."""

    state_count = 0
    max_beta = 0.0
    concurrent = False  # settle may run on several threads at once; Python lets one of them work at a time
    loss_nudging = False  # settle asks call.force_at

    _SLOTS = _slots(s.EnergyFn, "settle", "output", "parameter_gradient", "input_gradient", "energy", "adjoint",
                    "initialize")
    _add_to_model, _destroy = raw.model_add_energy, raw.energy_destroy
    _create_user, _add_part = raw.energy_create_user, raw.energy_add_parameter

    def _shapes(self):
        shapes = {"input": self.input_shape, "input_gradient": self.input_shape, "state": (self.state_count,)}
        shapes.update(dict.fromkeys(("output", "output_cotangent", "force"), self.output_shape))
        shapes.update(dict.fromkeys(("weight", "energy", "residual", "sweeps"), ()))
        return shapes

    def _table(self, shapes):
        table = self._common(s.UserEnergy(), shapes, self._SLOTS)
        (table.state_count,), table.max_beta = shapes["state"], self.max_beta
        table.concurrent, table.loss_nudging = self.concurrent, self.loss_nudging
        return table
