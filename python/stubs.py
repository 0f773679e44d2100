"""Types for type checkers of what is made of tables when the package is imported: configurations and reports.

    FFEBM_LIBRARY=libffebm.so stubs.py FOLDER     writes structs.pyi and reports.pyi
"""
import ctypes as c
import dataclasses
import sys
from keyword import iskeyword
from pathlib import Path

from ffebm import reports, structs
from ffebm.structs import Sized, Typed, f64, shape, text, window

HEAD = '''"""Made by stubs.py of the library's tree."""
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from . import constants as k

def __getattr__(name: str) -> Any: ...
'''
ARRAYS = {"estimate": "NDArray", "implicit": "NDArray | None", "energy": "NDArray", "states": "list[NDArray]",
          "phase": "k.Phase"}  # of points, which have more than a struct's plain values


def choice_of(struct, name):
    kind = struct._choices_.get(name)
    return kind.__name__ if kind in (None, bool) or kind.__module__ != "ffebm.constants" else f"k.{kind.__name__}"


def given(struct, name, kind):
    """What a field may be set to."""
    if issubclass(kind, c._Pointer) and kind is not shape:
        return f"{kind._type_.__name__} | None" if issubclass(kind._type_, Sized) else "Any"
    if name in struct._choices_:
        return "bool | int" if struct._choices_[name] is bool else f"int | str | {choice_of(struct, name)}"
    return {window: "int | tuple[int, int]", text: "str | bytes", f64: "float"}.get(kind, plain(kind))


def plain(kind):
    return "int" if issubclass(kind, (c.c_int32, c.c_int64, c.c_uint64, c.c_size_t)) else "Any"


def told(struct, name, kind):
    """What a report has of it."""
    if name in struct._choices_:
        return choice_of(struct, name)
    return {text: "str", shape: "tuple[int, ...]", f64: "float"}.get(kind, plain(kind))


def struct_stub(struct):
    fields = [(name, kind) for name, kind in struct._fields_ if name != "size" and not name.startswith("reserved")]
    yield f"class {struct.__name__}:"
    yield from (f"    {name}: Any" for name, _ in fields if not iskeyword(name))
    first = ["type: int | str"] if issubclass(struct, Typed) else []
    rest = [f"{name}_: {given(struct, name, kind)} = ..." if iskeyword(name) else f"{name}: {given(struct, name, kind)} = ..."
            for name, kind in fields if not (first and name == "type")]
    # A field of some is called self.
    yield f"    def __init__(this, {', '.join([*first, *(['*', *rest] if rest else [])])}) -> None: ..."


def report_stub(kind):
    struct = getattr(structs, kind.__name__)
    kinds = dict(struct._fields_)
    yield "@dataclass(frozen=True)"
    yield f"class {kind.__name__}:"
    for field in dataclasses.fields(kind):
        of_point = kind in (reports.TracePoint, reports.WatchPoint) and field.name in ARRAYS
        yield f"    {field.name}: {ARRAYS[field.name] if of_point else told(struct, field.name, kinds[field.name])}"


def main(folder):
    configs = [kind for kind in vars(structs).values() if isinstance(kind, type) and issubclass(kind, Sized)
               and "_fields_" in vars(kind)]
    lines = ["class Sized: ...", "", *(line for kind in configs for line in (*struct_stub(kind), ""))]
    Path(folder, "structs.pyi").write_text(HEAD + "\n" + "\n".join(lines))
    kinds = [kind for kind in vars(reports).values() if dataclasses.is_dataclass(kind)]
    lines = [line for kind in kinds for line in (*report_stub(kind), "")]
    Path(folder, "reports.pyi").write_text(HEAD + "\n" + "\n".join(lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
