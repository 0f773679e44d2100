"""Update rules of your own, in Python: Model.set_update(prefix, rule), where rule is called with an Update."""
from __future__ import annotations

import itertools
import os
from typing import Any, Callable

import numpy as np

from . import structs as s
from .context import Guard
from .errors import StateError
from .scalars import named, whole
from .tensor import view

_DOUBLE = np.dtype("float64")


class Update:
    """What a rule is given: name, step, lower, upper, attempt; and arrays of the tensor's shape, valid during the call only:
    request, what the optimizer would add, and values, in which the rule writes what they are now."""

    def __init__(self, name: str, shape: tuple[int, ...], call: Any):
        self.name, self.step, self.attempt = name, call.step, call.attempt
        self.lower, self.upper = call.lower, call.upper
        self._arrays = {"request": view(call.request, _DOUBLE, shape, writable=False),
                        "values": view(call.values, _DOUBLE, shape, writable=True)}

    def __getattr__(self, name: str) -> np.ndarray:
        if name not in ("request", "values"):
            raise AttributeError(name)
        if not self._arrays:
            raise StateError(f"FFEBM_ERR_STATE: the rule has returned, and the update's {name} is gone; copy what you keep")
        return self._arrays[name]


class _Rule:
    """A rule and what the library has been told of the tensors that have it."""

    def __init__(self, rule: Callable[[Update], Any], guard: Guard, tensors: list[tuple[str, tuple[int, ...]]]):
        self.rule, self.guard, self.tensors, self.process = rule, guard, tensors, os.getpid()

    def answer(self, call: Any) -> int:
        update = Update(*self.tensors[call.parameter], call)
        try:
            self.guard.interrupts.deliver()
            answer = self.rule(update)
            with named("what the rule has returned"):
                return 0 if answer is None else whole(whole(answer), s.i32)
        except BaseException as error:  # of any kind: none may pass through C
            self.guard.carry(error)
            return -1
        finally:
            update._arrays = {}


_bound: dict[int, _Rule] = {}  # the rule behind each `self`; until the library destroys it
_numbers = itertools.count(1)


@s.UpdateFn
def _update(number: int, call: Any) -> int:
    return _bound[number].answer(call.contents)


@s.DestroyFn
def _destroyed(number: int) -> None:
    del _bound[number]


def bind(rule: Callable[[Update], Any], guard: Guard, tensors: list[tuple[str, tuple[int, ...]]]) -> tuple[s.UpdateRule, int]:
    """A table for the library, and its number: to be released if the library does not take it."""
    number = next(_numbers)
    _bound[number] = _Rule(rule, guard, tensors)
    table = s.UpdateRule(update=_update, destroy=_destroyed)
    setattr(table, "self", number)
    return table, number


def release(number: int) -> None:
    del _bound[number]
