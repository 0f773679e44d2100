"""What the library refuses is raised as an Error of its status, which is also the nearest built-in exception."""
from __future__ import annotations

from .constants import Status
from .functions import raw


class Error(Exception):
    """`status` is the library's, the text says what exactly was wrong."""

    status: int | None = None

    def __init__(self, text: str, status: int | None = None):
        super().__init__(text)
        self.text = text
        self.status = self.status if status is None else status

    def __str__(self):
        return self.text


class OutOfMemoryError(Error, MemoryError):
    status = Status.NOMEM


class ArgumentError(Error, ValueError):
    status = Status.ARGUMENT


class ShapeError(Error, ValueError):
    status = Status.SHAPE


class DtypeError(Error, TypeError):
    status = Status.DTYPE


class StateError(Error, RuntimeError):
    status = Status.STATE


class NotFoundError(Error, LookupError):
    status = Status.NOT_FOUND


class ParseError(Error, ValueError):
    status = Status.PARSE


class FormatError(Error, ValueError):
    status = Status.FORMAT


class FileError(Error, OSError):
    status = Status.IO


class NumericError(Error, ArithmeticError):
    status = Status.NUMERIC


class ConvergenceError(Error, RuntimeError):
    status = Status.CONVERGENCE


class BlockError(Error, RuntimeError):
    status = Status.USER


class UnsupportedError(Error, NotImplementedError):
    status = Status.UNSUPPORTED


class CancelledError(Error, RuntimeError):
    status = Status.CANCELLED


class InternalError(Error, RuntimeError):
    status = Status.INTERNAL


class RankError(Error, RuntimeError):
    status = Status.RANK


CLASSES = {kind.status: kind for kind in Error.__subclasses__()}


def error_of(status, context):
    """The exception of a failed call, with the context's text; None: there is no context to ask."""
    text = raw.context_error(context) if context is not None else raw.status_text(status)
    text = text.decode(errors="replace")  # the library cuts long texts anywhere
    return CLASSES[status](text) if status in CLASSES else Error(text, status)
