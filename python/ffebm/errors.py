"""What the library refuses is raised as an Error of its status, which is also the nearest built-in exception."""
from .constants import Status
from .functions import raw


class Error(Exception):
    """`status` is the library's, the text says what exactly was wrong."""

    status = None

    def __init__(self, text, status=None):
        super().__init__(text)
        self.text = text
        self.status = self.status if status is None else status

    def __str__(self):
        return self.text


KINDS = {
    Status.NOMEM: ("OutOfMemoryError", MemoryError),
    Status.ARGUMENT: ("ArgumentError", ValueError),
    Status.SHAPE: ("ShapeError", ValueError),
    Status.DTYPE: ("DtypeError", TypeError),
    Status.STATE: ("StateError", RuntimeError),
    Status.NOT_FOUND: ("NotFoundError", LookupError),
    Status.PARSE: ("ParseError", ValueError),
    Status.FORMAT: ("FormatError", ValueError),
    Status.IO: ("FileError", OSError),
    Status.NUMERIC: ("NumericError", ArithmeticError),
    Status.CONVERGENCE: ("ConvergenceError", RuntimeError),
    Status.USER: ("BlockError", RuntimeError),
    Status.UNSUPPORTED: ("UnsupportedError", NotImplementedError),
    Status.CANCELLED: ("CancelledError", RuntimeError),
    Status.INTERNAL: ("InternalError", RuntimeError),
    Status.RANK: ("RankError", RuntimeError),
}
CLASSES = {status: type(name, (Error, near), {"status": status, "__module__": "ffebm"})
           for status, (name, near) in KINDS.items()}
globals().update({error.__name__: error for error in CLASSES.values()})


def error_of(status, context):
    """The exception of a failed call, with the context's text; None: there is no context to ask."""
    text = raw.context_error(context) if context is not None else raw.status_text(status)
    text = text.decode(errors="replace")  # the library cuts long texts anywhere
    return CLASSES[status](text) if status in CLASSES else Error(text, status)
