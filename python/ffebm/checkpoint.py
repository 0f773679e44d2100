"""Checkpoints. Model.load builds a model from one; the functions here save, restore, and read any safetensors file."""
import ctypes as c
import os

from . import structs
from .functions import raw
from .model import Model
from .optimizer import Optimizer
from .tensor import Tensor


def _handles(model, optimizer):
    return (Model.address_of(model, "model"),
            None if optimizer is None else Optimizer.address_of(optimizer, "optimizer"))


def save(model, path, optimizer=None, note=None):
    """Write a file, so that the old or the new one is always whole. note: a text of yours."""
    model.context.call(raw.checkpoint_save, *_handles(model, optimizer), note, os.fsencode(path))


def to_bytes(model, optimizer=None, note=None):
    """The same, in memory."""
    parts, guard = [], model.context.guard

    @structs.WriteFn
    def take(_, data, count):
        try:
            guard.interrupts.deliver()
            parts.append(c.string_at(data, count))
            return 0
        except BaseException as error:  # none may pass through C
            guard.carry(error)
            return 1

    model.context.compute(raw.checkpoint_write, *_handles(model, optimizer), note, take, None)
    return b"".join(parts)


def restore(model, source, optimizer=None):
    """Read values into a model that you have built, and into its optimizer: from a path, or from bytes."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
        model.context.call(raw.checkpoint_read, *_handles(model, optimizer), data, len(data))
    else:
        model.context.call(raw.checkpoint_restore, *_handles(model, optimizer), os.fsencode(source))


def _read_text(context, function, *where):
    """Ask for the length, then for the text."""
    length = c.c_size_t()
    context.call(function, context._address, None, 0, c.byref(length), *where)
    text = c.create_string_buffer(length.value + 1)
    context.call(function, context._address, text, len(text), None, *where)
    return text.raw[:length.value].decode()


def metadata(context, path, key):
    """A text of the file: "note", "model", or any other key."""
    return _read_text(context, raw.checkpoint_metadata, os.fsencode(path), key)


def tensor(context, path, name):
    """One tensor of the file, as an array."""
    return Tensor(context, context.make(raw.checkpoint_tensor, os.fsencode(path), name)).array


def tensor_names(context, path):
    """The names of all tensors in the file, in their order."""
    return _read_text(context, raw.checkpoint_tensor_names, os.fsencode(path)).split("\0")[:-1]
