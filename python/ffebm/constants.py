"""The constants of the headers. A setting takes a member, its value, or its name in lower case: "centered"."""
import ctypes
from enum import IntEnum

NONE = ctypes.c_size_t(-1).value
ALL = ctypes.c_size_t(-2).value
LAYER_NEWEST = ctypes.c_size_t(-3).value
LAYER_NEW = ctypes.c_size_t(-4).value
MAX_RANK = 8
RETRY = 1
USER_PARAMETERS_MAX = 16


class Status(IntEnum):
    """FFEBM_OK and FFEBM_ERR_*; exceptions carry one."""

    OK = 0
    NOMEM = -1
    ARGUMENT = -2
    SHAPE = -3
    DTYPE = -4
    STATE = -5
    NOT_FOUND = -6
    PARSE = -7
    FORMAT = -8
    IO = -9
    NUMERIC = -10
    CONVERGENCE = -11
    USER = -12
    UNSUPPORTED = -13
    CANCELLED = -14
    INTERNAL = -15
    RANK = -16


def _constants(name, members):
    """FFEBM_<NAME>_<MEMBER>, counted from 1."""
    return IntEnum(name, members, start=1, module=__name__)


Dtype = IntEnum("Dtype", "FLOAT32 FLOAT64 INT64", module=__name__)  # FFEBM_FLOAT32 and so on
Isa = _constants("Isa", "PORTABLE AVX2 AVX512")
ConfigKind = _constants("ConfigKind", "CONTEXT INITIALIZATION OP COUPLING HOPFIELD EQUILIBRIUM RECIPE ENGINE CERTIFY SGD "
                        "ADAM RESISTIVE ACTIVATION DEVICE LEDGER")
SettingType = _constants("SettingType", "NUMBER INTEGER FLAG CHOICE WINDOW OBJECT")
InitializationType = _constants("InitializationType", "UNIFORM GOE")
OpType = _constants("OpType", "LINEAR CONV2D FLATTEN MAXPOOL2D AVGPOOL2D BATCHNORM2D LAYERNORM RELU TANH SIGMOID")
Activation = _constants("Activation", "HARD_SIGMOID RELU IDENTITY SIGMOID TANH")
CouplingType = _constants("CouplingType", "DENSE CONV2D")
Pool = IntEnum("Pool", "NONE MAX AVERAGE", start=0, module=__name__)
Loss = IntEnum("Loss", "NONE CROSS_ENTROPY MSE", start=0, module=__name__)
Schedule = _constants("Schedule", "CONSTANT COSINE STEP")
OptimizerType = _constants("OptimizerType", "SGD ADAM ADAMW")
Per = _constants("Per", "STEP EPOCH")
Augment = IntEnum("Augment", "NONE FLIP FLIP_CROP", start=0, module=__name__)
Estimator = _constants("Estimator", "CENTERED POSITIVE NEGATIVE RANDOM_SIGN FOUR_POINT IMPLICIT")
StageKind = _constants("StageKind", "FEEDFORWARD ENERGY")
Role = _constants("Role", "PARAMETER BUFFER")
Order = _constants("Order", "EVEN_ODD ODD_EVEN SYNCHRONOUS FORWARD BACKWARD COLORS REVERSED")
Nudging = _constants("Nudging", "AUTO LOSS LINEAR CLAMP")
Mode = _constants("Mode", "TRAINING EVALUATION")
Switches = _constants("Switches", "FOLLOW HOLD")
LedgerPart = IntEnum("LedgerPart", "ALL FREE NUDGED UPDATE", start=0, module=__name__)
Read = _constants("Read", "BORDER ALL")
Update = _constants("Update", "IDEAL DIFFERENCE TWO_PHASE")
Step = _constants("Step", "CONSTANT LINEAR SOFT_BOUNDS EXPONENTIAL")
Precision = _constants("Precision", "FULL MIXED")
Start = _constants("Start", "ZEROS STATE")
Phase = _constants("Phase", "FREE NUDGED")


def choice(kind, value):
    """The member of `kind` that `value` names; numbers are left for the library to judge."""
    if not isinstance(value, str):
        return value
    try:
        return kind[value.upper().replace("-", "_")]
    except KeyError:
        names = ", ".join(member.name.lower() for member in kind)
        raise ValueError(f"{kind.__name__} is {value!r}, expected one of {names}") from None
