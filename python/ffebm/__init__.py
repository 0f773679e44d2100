"""libffebm from Python: chains of feedforward and energy blocks, trained by equilibrium propagation. ctypes and NumPy.

    context = ffebm.Context()
    model = ffebm.Model.parse(context, description).initialize(seed=0)
    engine, optimizer = ffebm.Engine(model), ffebm.Adam(model, learning_rate=1e-3)
    for images, labels in batches:                      # arrays, passed without a copy
        report = engine.gradient(images, labels)
        optimizer.step(engine)

`python3 -m ffebm` computes a first gradient; ffebm.torch has a layer for PyTorch. The headers of the library are the
manual, docs/python.md is the guide. BLAS is to run on one thread: set OPENBLAS_NUM_THREADS=1 before NumPy is
imported.
"""
from . import checkpoint, constants, structs
from .blocks import Activation, Coupling, Feedforward, Hopfield, Op, Resistive
from .constants import ALL, RETRY
from .context import Context
from .engine import Engine
from .errors import (ArgumentError, BlockError, CancelledError, ConvergenceError, DtypeError,
                     Error, FileError, FormatError, InternalError, NotFoundError, NumericError,
                     OutOfMemoryError, ParseError, RankError, ShapeError, StateError,
                     UnsupportedError)
from .functions import raw
from .model import Model
from .optimizer import Adam, Optimizer, Sgd
from .reports import (Certificate, LayerInfo, LayerReport, Ledger, ModelInfo, ParameterInfo, PhaseReport, PulseInfo,
                      Recipe, Report, StageInfo, TracePoint, WatchPoint)
from .runs import read_log
from .samples import Samples
from .settings import Setting, settings
from .structs import DeviceConfig, EquilibriumConfig, Initialization
from .tensor import Tensor
from .user import Call, EnergyBlock, FeedforwardBlock, Parameter

random_uniform, random_normal = raw.random_uniform, raw.random_normal
schedule_cosine, schedule_step, schedule_warmup = raw.schedule_cosine, raw.schedule_step, raw.schedule_warmup


def version() -> str:
    """The library's, as in "0.1.0 (abi 0, openblas)"."""
    return raw.version().decode()


# Not the module ffebm.torch, which a star would put in the place of PyTorch's.
__all__ = [
    "ALL", "Activation", "Adam", "ArgumentError", "BlockError", "Call", "CancelledError", "Certificate",
    "Context", "ConvergenceError", "Coupling", "DeviceConfig", "DtypeError", "EnergyBlock", "Engine",
    "EquilibriumConfig", "Error", "Feedforward", "FeedforwardBlock", "FileError", "FormatError", "Hopfield",
    "Initialization", "InternalError", "LayerInfo", "LayerReport", "Ledger", "Model", "ModelInfo",
    "NotFoundError", "NumericError", "Op", "Optimizer", "OutOfMemoryError", "Parameter", "ParameterInfo",
    "ParseError", "PhaseReport", "PulseInfo", "RETRY", "RankError", "Recipe", "Report", "Resistive",
    "Samples", "Setting", "Sgd", "ShapeError", "StageInfo", "StateError", "Tensor", "TracePoint",
    "UnsupportedError", "WatchPoint", "checkpoint", "constants", "random_normal", "random_uniform", "raw",
    "read_log", "schedule_cosine", "schedule_step", "schedule_warmup", "settings", "structs", "version",
]
