"""Tensors and NumPy arrays: the same memory, in both directions."""
from __future__ import annotations

import ctypes as c

import numpy as np

from .constants import Dtype, choice
from .context import Handle
from .functions import raw
from .scalars import shape_of

NUMPY = {Dtype.FLOAT32: np.dtype("float32"), Dtype.FLOAT64: np.dtype("float64"), Dtype.INT64: np.dtype("int64")}
DTYPES = {numpy: dtype for dtype, numpy in NUMPY.items()}
PLAIN = {np.ndarray, np.memmap}  # other subclasses may mean something else: a mask, a unit, another product


def dims(shape):
    """A shape and its rank, as functions take them."""
    shape = shape_of(shape)
    return (c.c_int64 * len(shape))(*shape), len(shape)


def dtype_of(dtype):
    """A Dtype from its name, or from what NumPy takes for one."""
    return choice(Dtype, dtype) if isinstance(dtype, (str, int)) else DTYPES.get(np.dtype(dtype), dtype)


def view(address, dtype, shape, owner=None, writable=True):
    """An array over memory of the library's. It keeps what `owner` stands for; without one it is valid during a callback
    only."""
    count = int(np.prod(shape, dtype=np.int64))
    memory = (c.c_char * (count * dtype.itemsize)).from_address(address)
    memory.owner = None if owner is None else owner._lease
    array = np.ndarray(shape, dtype, memory)
    array.flags.writeable = writable
    return array


def view_of(handle, owner=None, writable=True):
    """An array over a tensor handle's memory."""
    rank = c.c_size_t()
    shape = raw.tensor_shape(handle, c.byref(rank))
    return view(raw.tensor_const_data(handle), NUMPY[raw.tensor_dtype(handle)], shape[:rank.value], owner, writable)


def check_plain(array, what):
    """An array that means its numbers and nothing else."""
    kind = type(array)
    if kind not in PLAIN:
        name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
        raise TypeError(f"{what} is {name}, expected a NumPy array of class ndarray")


def check_array(array, what, writable=False):
    """What can be handed over without a copy; anything else is refused, not converted in secret."""
    check_plain(array, what)
    if array.dtype not in DTYPES:
        raise TypeError(f"{what} is {array.dtype}, expected float32, float64 or int64")
    if array.ndim == 0:
        raise ValueError(f"{what} has no dimensions, expected a row for each sample")
    if not (array.flags.c_contiguous and array.flags.aligned):
        raise ValueError(f"{what} is not C-contiguous, or not aligned; use numpy.ascontiguousarray, or copy it")
    if writable and not array.flags.writeable:
        raise ValueError(f"{what} is read-only, expected an array to write to")


class Tensor(Handle):
    """A tensor of the library's. `array` is its memory as a NumPy array, which outlives it."""

    def __init__(self, context, address, memory=None):
        self.context = context
        self._memory = memory  # the array that it wraps; None: its own
        self._own(context.guard, address, raw.tensor_destroy)

    @classmethod
    def zeros(cls, context, shape, dtype="float32"):
        """With memory of its own."""
        return cls(context, context.make(raw.tensor_create, dtype_of(dtype), *dims(shape)))

    @classmethod
    def wrap(cls, context, array, what="array"):
        """Over an array's memory. The array is kept alive, and is only written where the tensor is an output."""
        check_array(array, what)
        return cls(context, context.make(raw.tensor_wrap, array.ctypes.data, DTYPES[array.dtype], *dims(array.shape)),
                   array)

    def rewrap(self, array):
        """Point a wrapping tensor at another batch, of the same type and sample."""
        check_array(array, "array")
        if array.dtype != self.array.dtype or array.shape[1:] != self.array.shape[1:]:
            raise ValueError(f"array is {array.dtype} {array.shape}, expected {self.array.dtype} "
                             f"[rows, {', '.join(map(str, self.array.shape[1:]))}]")
        self.context.call(raw.tensor_rewrap, self._address, array.ctypes.data, len(array))
        self._memory = array

    def rows(self, first, count):
        """Some of its rows, as a tensor over the same memory."""
        address = self.context.make(raw.tensor_rows, first, count, handle=self._address)
        return Tensor(self.context, address, self.array[first:first + count])

    def copy_from(self, other):
        """Copy another tensor's values, converting between float32 and float64."""
        check_array(self.array, "the tensor to copy to", writable=True)
        self.context.call(raw.tensor_copy, self._address, Tensor.address_of(other, "the tensor to copy from"))

    def _said(self):
        array = self.array
        return f" {array.dtype} {list(array.shape)}, {'its own memory' if self._memory is None else 'wraps an array'}"

    @property
    def array(self) -> np.ndarray:
        """Its memory, [rows, ...]."""
        return view_of(self._address, self) if self._memory is None else self._memory


class Arguments:
    """Tensors over the arrays of one call; what is passed for None is NULL."""

    def __init__(self, context):
        self._context = context
        self._tensors = []

    def __call__(self, array, what, writable=False):
        if array is None:
            return None
        tensor = array if isinstance(array, Tensor) else Tensor.wrap(self._context, array, what)
        check_array(tensor.array, what, writable)
        self._tensors.append(tensor)
        return tensor._address
