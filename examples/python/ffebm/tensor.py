"""Tensors and NumPy arrays: the same memory, in both directions."""
import ctypes as c

import numpy as np

from .constants import Dtype, choice
from .context import Handle
from .functions import raw

NUMPY = {Dtype.FLOAT32: np.dtype("float32"), Dtype.FLOAT64: np.dtype("float64"), Dtype.INT64: np.dtype("int64")}
DTYPES = {numpy: dtype for dtype, numpy in NUMPY.items()}


def dims(shape):
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    return (c.c_int64 * len(shape))(*shape), len(shape)


def view(address, dtype, shape, owner=None, writable=True):
    """An array over memory of the library's. It keeps `owner` alive; without one it is valid during a callback only."""
    count = int(np.prod(shape, dtype=np.int64))
    memory = (c.c_char * (count * dtype.itemsize)).from_address(address)
    memory.owner = owner
    array = np.ndarray(shape, dtype, memory)
    array.flags.writeable = writable
    return array


def view_of(handle, owner=None, writable=True):
    """An array over a tensor handle's memory."""
    rank = c.c_size_t()
    shape = raw.tensor_shape(handle, c.byref(rank))
    return view(raw.tensor_const_data(handle), NUMPY[raw.tensor_dtype(handle)], shape[:rank.value], owner, writable)


def check_array(array, what):
    """What can be handed over without a copy; anything else is refused, not converted in secret."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{what} is {type(array).__name__}, expected a NumPy array")
    if array.dtype not in DTYPES:
        raise TypeError(f"{what} is {array.dtype}, expected float32, float64 or int64")
    if not array.flags.c_contiguous:
        raise ValueError(f"{what} is not C-contiguous; use numpy.ascontiguousarray")
    return array


class Tensor(Handle):
    """A tensor of the library's. `array` is its memory as a NumPy array, which outlives it."""

    def __init__(self, context, address, memory=None):
        self.context = context
        self._memory = memory  # the array that it wraps; None: its own
        self._own(context.guard, address, raw.tensor_destroy)

    @classmethod
    def zeros(cls, context, shape, dtype="float32"):
        """With memory of its own."""
        return cls(context, context.make(raw.tensor_create, choice(Dtype, dtype), *dims(shape)))

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
        self.context.call(raw.tensor_copy, self._address, other._address)

    @property
    def array(self):
        return view_of(self._address, self) if self._memory is None else self._memory


class Arguments:
    """Tensors over the arrays of one call; what is passed for None is NULL."""

    def __init__(self, context):
        self._context = context
        self._tensors = []

    def __call__(self, array, what, writable=False):
        if array is None:
            return None
        if not isinstance(array, Tensor):
            array = Tensor.wrap(self._context, array, what)
            if writable and not array._memory.flags.writeable:
                raise ValueError(f"{what} is read-only, expected an array to write to")
        self._tensors.append(array)
        return array._address
