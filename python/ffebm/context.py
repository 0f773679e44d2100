"""The context: how a call is made, what its failures become, and when handles are destroyed."""
from __future__ import annotations

import ctypes as c
import signal
import threading
import weakref
from collections import deque
from typing import TypeVar

from .errors import StateError, error_of
from .functions import raw
from .structs import CancelFn, ContextConfig


class Guard:
    """One call at a time, and destruction between calls: Python's collector may run in another thread, or inside a
    callback, where the library may not be called."""

    def __init__(self):
        self._lock = threading.Lock()
        self._waiting = deque()
        self.carried = None  # the exception of a callback, on its way through the library
        self.interrupts = Interrupts()

    def __enter__(self):
        if not self._lock.acquire(blocking=False):
            raise StateError("FFEBM_ERR_STATE: this context is in use, by another thread or by the call that called "
                             "back; make a context for each thread")
        self.carried = None

    def __exit__(self, *_):
        self._destroy_waiting()
        self._lock.release()

    def destroy(self, function, address):
        self._waiting.append((function, address))
        if self._lock.acquire(blocking=False):
            self.__exit__()

    def _destroy_waiting(self):
        while self._waiting:
            function, address = self._waiting.popleft()
            function(address)

    def carry(self, error):
        """Keep an exception until the call that called back has returned; the first one counts."""
        if self.carried is None:
            self.carried = error

    def cancel(self, _):
        """What the library asks between phases: is there an interrupt to deliver?"""
        try:
            self.interrupts.deliver()
            return 0
        except BaseException as error:  # of any kind: none may pass through C
            self.carry(error)
            return 1


class Interrupts:
    """Hold Ctrl-C back while the library computes: raised on the way into a callback, outside of any `try`, it would be
    lost. The next callback delivers it, or the end of the call."""

    def __init__(self):
        self._handler = None
        self._pending = None

    def __enter__(self):
        if threading.current_thread() is threading.main_thread() and callable(signal.getsignal(signal.SIGINT)):
            self._handler = signal.signal(signal.SIGINT, self._note)
        return self

    def _note(self, number, frame):
        self._pending = (number, frame)

    def deliver(self):
        pending, self._pending = self._pending, None
        if pending is not None:
            self._handler(*pending)

    def __exit__(self, *_):
        if self._handler is not None:
            signal.signal(signal.SIGINT, self._handler)
            self.deliver()


Own = TypeVar("Own", bound="Handle")


class _Lease:
    """The library's object behind a handle: it goes with the last who uses its memory, the handle or an array."""

    def __init__(self, handle, guard, address, destroy):
        self.address = address
        self.context = getattr(handle, "context", None)  # whose callbacks the library may ask
        weakref.finalize(self, guard.destroy, destroy, address)


class Handle:
    """An object of the library's. It is destroyed with this one, by close(), or at the end of a `with`; the library
    leaves the order free. Arrays over its memory keep that memory."""

    _lease = None

    def _own(self, guard, address, destroy):
        self._lease = _Lease(self, guard, address, destroy)

    @property
    def _address(self):
        if self._lease is None:
            raise StateError(f"FFEBM_ERR_STATE: this {type(self).__name__} is closed")
        return self._lease.address

    @property
    def closed(self) -> bool:
        """Whether close() was called, or a `with` is over."""
        return self._lease is None

    def close(self) -> None:
        """Give the memory back, as soon as no array lies over it. May be called again."""
        self._lease = None

    def __enter__(self: Own) -> Own:
        self._address  # a closed one is refused here already
        return self

    def __exit__(self, *_) -> None:
        self.close()

    @classmethod
    def address_of(cls, handle, what):
        """What the library knows it by, of one of this class: it cannot tell an address of another kind itself."""
        if not isinstance(handle, cls):
            raise TypeError(f"{what} is {type(handle).__name__}, expected {cls.__name__}")
        return handle._address

    def __repr__(self):
        over = self.closed or getattr(self, "context", self).closed
        return f"<{type(self).__name__}{' (closed)' if over else self._said()}>"

    def _said(self):
        """What a repr tells beside the class."""
        return ""

    def __reduce_ex__(self, _):
        raise TypeError(f"{type(self).__name__} cannot be copied or pickled; checkpoint.to_bytes has a model's values")


class Context(Handle):
    """Allocator, threads and error text, shared by what is made from it; used by one thread at a time.

    threads: most tasks at once; 0: one a processor that the process may use. max_isa: "portable", "avx2" or "avx512" at
    most. What was made from a context that is closed refuses to work.
    """

    def __init__(self, threads: int = 1, max_isa: int | str = 0):
        self.guard = Guard()
        self._cancel = CancelFn(self.guard.cancel)
        self.threads = threads
        address = c.c_void_p()
        config = ContextConfig(threads=threads, max_isa=max_isa, cancel=self._cancel)
        status = raw.context_create(c.byref(address), c.byref(config))
        if status != 0:
            raise error_of(status, None)
        self._own(self.guard, address.value, raw.context_destroy)

    def _said(self):
        return f" of {raw.version().decode()}, threads={self.threads}"

    def call(self, function, *arguments):
        """Call a function of the library's and raise what it refuses."""
        address = self._address
        with self.guard:
            self._check(function(*arguments), address)

    def compute(self, function, *arguments):
        """The same for a function that computes: it may call back, and be interrupted."""
        address = self._address
        with self.guard, Interrupts() as self.guard.interrupts:
            self._check(function(*arguments), address)

    def make(self, function, *arguments, handle=None):
        """The same for function(context, out, ...), or with another handle first: the address of what it has made."""
        address = c.c_void_p()
        self.call(function, self._address if handle is None else handle, c.byref(address), *arguments)
        return address.value

    def make_for(self, function, *arguments):
        """The same for function(out, ...)."""
        address = c.c_void_p()
        self.call(function, c.byref(address), *arguments)
        return address.value

    def _check(self, status, address):
        if status == 0:
            return
        carried, self.guard.carried = self.guard.carried, None
        raise carried if carried is not None else error_of(status, address)
