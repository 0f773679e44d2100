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
from types import ModuleType

from . import checkpoint, constants, structs
from .blocks import Activation, Coupling, Feedforward, Hopfield, Op, Resistive
from .constants import ALL, RETRY
from .context import Context
from .engine import Engine
from .errors import CLASSES, Error
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

globals().update({error.__name__: error for error in CLASSES.values()})

random_uniform, random_normal = raw.random_uniform, raw.random_normal
schedule_cosine, schedule_step, schedule_warmup = raw.schedule_cosine, raw.schedule_step, raw.schedule_warmup


def version() -> str:
    """The library's, as in "0.1.0 (abi 0, openblas)"."""
    return raw.version().decode()


# Not the module ffebm.torch, which a star would put in the place of PyTorch's.
__all__ = ["checkpoint", "constants", "structs",
           *(name for name, value in globals().items()
             if not (name.startswith("_") or name == "ModuleType" or isinstance(value, ModuleType)))]
