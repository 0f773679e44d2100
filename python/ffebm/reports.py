"""What the library tells, as dataclasses: the fields of the C structs, which the headers describe. An installed package
has their types in reports.pyi, which setup.py makes of them."""
import ctypes as c
import dataclasses

from . import constants as k
from . import structs


def _is_rank(name):
    return name == "rank" or name.endswith("_rank")


def _dataclass(struct):
    """Texts become str, a shape with its rank a tuple, constants members. Addresses are left out."""
    fields = [name for name, kind in struct._fields_
              if name != "size" and not name.startswith("reserved") and not _is_rank(name) and kind is not c.c_void_p]
    names = {"__module__": __name__, "__doc__": f"The values of structs.{struct.__name__}."}
    return dataclasses.make_dataclass(struct.__name__, fields, frozen=True, namespace=names)


def _value(struct, name):
    value = getattr(struct, name)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, structs.shape):
        return tuple(value[:getattr(struct, name.replace("shape", "rank"))])
    kind = struct._choices_.get(name)
    return value if kind is None else kind(value)


def report_of(kind, struct, **more):
    """A dataclass of this kind with a struct's values, and with those that only the caller has."""
    values = {f.name: _value(struct, f.name) for f in dataclasses.fields(kind) if f.name not in more}
    return kind(**values, **more)


Recipe = _dataclass(structs.Recipe)
ModelInfo = _dataclass(structs.ModelInfo)
StageInfo = _dataclass(structs.StageInfo)
LayerInfo = _dataclass(structs.LayerInfo)
ParameterInfo = _dataclass(structs.ParameterInfo)
PulseInfo = _dataclass(structs.PulseInfo)
Report = _dataclass(structs.Report)
PhaseReport = _dataclass(structs.PhaseReport)
LayerReport = _dataclass(structs.LayerReport)
Certificate = _dataclass(structs.Certificate)
Ledger = _dataclass(structs.Ledger)


@dataclasses.dataclass(frozen=True)
class TracePoint:
    """One parameter's gradient after one nudged sweep; the arrays are copies. implicit: None where it does not come."""

    stage: int
    parameter: int
    name: str
    estimate: object
    implicit: object
    estimate_norm: float
    implicit_norm: float
    cosine: float
    relative_error: float
    sweep: int


@dataclasses.dataclass(frozen=True)
class WatchPoint:
    """A state of an energy block on its way to equilibrium; the arrays are copies."""

    phase: k.Phase
    sweep: int  # 0: where the phase starts
    step: int  # within the sweep: so many groups of layers have moved
    steps: int  # of a sweep
    states: list  # [layer]: [batch, layer...]
    energy: object  # float64 [batch]; of a nudged phase with the force's part
