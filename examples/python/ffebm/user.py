"""Blocks of your own, in Python. Derive from EnergyBlock or FeedforwardBlock and write the slots that you have.

A slot gets a Call, whose arrays are views of the library's memory (docs/user_blocks.md says what is in them). It
writes its outputs into them and returns None, or RETRY to be called again. What it raises comes out of the call that
came to it: engine.gradient, say, raises your exception.

A block is kept alive by the models that it is in. It must not hold on to such a model, or neither ever goes.
"""
import itertools
import math

import numpy as np

from . import structs as s
from .functions import raw
from .tensor import dims, view

DOUBLE, INTEGER = np.dtype("float64"), np.dtype("int64")
READ_ONLY = {"parameters", "input", "force", "weight", "output_cotangent"}
FLAT = {"parameters", "gradient", "values"}


class Parameter:
    """A tensor that is trained in a block, and the bounds that optimizers keep it in."""

    def __init__(self, name, shape, lower=-math.inf, upper=math.inf, frozen=False):
        self.name, self.shape = name, (shape,) if isinstance(shape, int) else tuple(shape)
        self.lower, self.upper, self.frozen = lower, upper, frozen

    def _struct(self):
        shape, rank = dims(self.shape)
        return s.UserParameter(name=self.name.encode(), shape=shape, rank=rank, lower=self.lower, upper=self.upper,
                               frozen=self.frozen)


class Call:
    """What a slot is given: the fields of the C struct. Arrays are [batch, ...] and valid during the call only;
    parameters, gradient and values are dictionaries of them by the parameters' names."""

    def __init__(self, block, struct):
        object.__setattr__(self, "_block", block)
        object.__setattr__(self, "_struct", struct)

    def __getattr__(self, name):
        value = getattr(self._struct, name)
        if name in FLAT:
            return self._tensors(name, value)
        shape = self._block._shapes.get(name)
        if shape is None:
            return value
        if value is None:
            return None
        dtype = INTEGER if name == "sweeps" else DOUBLE
        return view(value, dtype, (self._struct.batch, *shape), writable=name not in READ_ONLY)

    def __setattr__(self, name, value):
        if name != "joules":
            raise AttributeError(f"{name} cannot be replaced; write into the array: call.{name}[:] = ...")
        self._struct.joules = value

    def _tensors(self, name, address):
        tensors, at = {}, 0
        for parameter in self._block.parameters:
            tensors[parameter.name] = view(address + at, DOUBLE, parameter.shape, writable=name not in READ_ONLY)
            at += tensors[parameter.name].nbytes
        return tensors

    def force_at(self, output):
        """The force at an output, under loss nudging; None where the force is held."""
        if not self._struct.force_at:
            return None
        output = np.ascontiguousarray(output, DOUBLE)
        force = np.empty_like(output)
        self._struct.force_at(self._struct.force_user, output.ctypes.data, force.ctypes.data)
        return force


# ------------------------------------------------------------------------------------------------ called by the library

_bound = {}  # the block behind each `self`, and its context's guard; from creation to destroy
_numbers = itertools.count(1)


def _answer(slot, number, struct):
    block, guard = _bound[number]
    try:
        guard.interrupts.deliver()
        answer = getattr(block, slot)(Call(block, struct))
        return 0 if answer is None else int(answer)
    except BaseException as error:  # of any kind: none may pass through C
        guard.carry(error)
        return -1


def _slot(kind, name):
    """A function for the library: made once and never freed, whichever block it is for."""
    return kind(lambda number, call: _answer(name, number, call.contents))


def _slots(kind, *names):
    return {name: _slot(kind, name) for name in names}


@s.DestroyFn
def _destroyed(number):
    block, _ = _bound.pop(number)
    block.destroyed()


class _Block:
    name = None
    parameters = ()
    max_batch = 0
    retry_limit = 0

    def destroyed(self):
        """Called when a model with this block has gone."""

    def _create(self, context):
        table, number = self._table(), next(_numbers)
        setattr(table, "self", number)
        _bound[number] = (self, context.guard)
        try:
            return context.make(self._create_user, table)
        except BaseException:
            del _bound[number]
            raise

    def _fill(self, context, block):
        for parameter in self.parameters:
            context.call(self._add_parameter, block, parameter._struct())

    def _common(self, table, slots):
        table.name = (self.name or type(self).__name__).encode()
        table.input_shape, table.input_rank = dims(self.input_shape)
        table.output_shape, table.output_rank = dims(self.output_shape)
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
    _create_user, _add_parameter = raw.feedforward_create_user, raw.feedforward_add_parameter

    @property
    def _shapes(self):
        return {"input": self.input_shape, "output": self.output_shape, "output_cotangent": self.output_shape,
                "input_cotangent": self.input_shape}

    def _table(self):
        return self._common(s.UserFeedforward(), self._SLOTS)


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
    _create_user, _add_parameter = raw.energy_create_user, raw.energy_add_parameter

    @property
    def _shapes(self):
        shapes = {"input": self.input_shape, "input_gradient": self.input_shape, "state": (self.state_count,)}
        shapes.update(dict.fromkeys(("output", "output_cotangent", "force"), self.output_shape))
        shapes.update(dict.fromkeys(("weight", "energy", "residual", "sweeps"), ()))
        return shapes

    def _table(self):
        table = self._common(s.UserEnergy(), self._SLOTS)
        table.state_count, table.max_beta = self.state_count, self.max_beta
        table.concurrent, table.loss_nudging = self.concurrent, self.loss_nudging
        return table
