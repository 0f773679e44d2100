"""What a number or a text of C can hold. ctypes would cut a whole number down to its bits, and C a text at its first
NUL, both in silence; here such values are refused. Numbers of any kind are taken, NumPy's too."""
import contextlib
import ctypes as c
import itertools
import operator

import numpy as np


def _range(kind, signed):
    bits = 8 * c.sizeof(kind) - signed
    return (-2**bits if signed else 0), 2**bits - 1


RANGES = {c.c_int32: _range(c.c_int32, True), c.c_int64: _range(c.c_int64, True),
          c.c_uint64: _range(c.c_uint64, False), c.c_size_t: _range(c.c_size_t, False)}
FLAG = c.c_int32  # the kind of C's yes and no: True and False are numbers here, and nowhere else


def whole(value, kind=c.c_int64):
    """A whole number that fits into a kind."""
    is_flag = isinstance(value, (bool, np.bool_))
    if is_flag and kind is FLAG:
        return int(value)
    if is_flag or not hasattr(type(value), "__index__") or np.ndim(value) > 0:
        raise TypeError(f"{value!r} is {type(value).__name__}, expected a whole number")
    number = operator.index(value)
    low, high = RANGES[kind]
    if not low <= number <= high:
        raise ValueError(f"{number} is out of range, expected a whole number from {low} to {high}")
    return number


def real(value, _=None):
    """A number, and no text or array that could be made one."""
    if not hasattr(type(value), "__float__") or np.ndim(value) > 0 or np.iscomplexobj(value):
        raise TypeError(f"{value!r} is {type(value).__name__}, expected a number")
    return float(value)


def text(value, _=None):
    """Bytes for a text in UTF-8; None, and buffers of ctypes to write one to, are left as they are."""
    if value is None or isinstance(value, c.Array):
        return value
    if not isinstance(value, (str, bytes)):
        raise TypeError(f"{value!r} is {type(value).__name__}, expected a text")
    encoded = value.encode() if isinstance(value, str) else value
    if b"\0" in encoded:
        raise ValueError(f"{value!r} has a NUL character in it, where C takes a text to end")
    return encoded


def shape_of(value):
    """A tuple of whole numbers, from one number or a row of them."""
    row = np.atleast_1d(value).tolist() if isinstance(value, np.ndarray) else value
    return tuple(map(whole, row if isinstance(row, (tuple, list)) else (row,)))


@contextlib.contextmanager
def named(what):
    """Put before the text of an error what it is about."""
    try:
        yield
    except TypeError as error:
        raise TypeError(f"{what}: {error}") from None
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None


CONVERTERS = {**dict.fromkeys(RANGES, whole), c.c_double: real, c.c_char_p: text}


class Checked:
    """A function whose numbers and texts are converted on their way. An object, not a closure: as a class's
    attribute it stays a function, as those of ctypes do."""

    def __init__(self, function, name, kinds):
        self._function, self._name, self._kinds = function, name, kinds

    def __call__(self, *arguments):
        if len(arguments) != len(self._kinds):
            raise TypeError(f"{self._name} takes {len(self._kinds)} arguments, not {len(arguments)}")
        converted = list(map(self._converted, arguments, self._kinds, itertools.count(1)))
        try:
            return self._function(*converted)
        except c.ArgumentError as error:
            raise TypeError(f"{self._name}, {error}") from None

    def _converted(self, value, kind, number):
        if kind not in CONVERTERS or isinstance(value, kind):
            return value
        with named(f"{self._name}, argument {number}"):
            return CONVERTERS[kind](value, kind)
