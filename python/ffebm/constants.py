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


# FFEBM_<NAME>_<MEMBER>, counted from 1.
Dtype = IntEnum("Dtype", "FLOAT32 FLOAT64 INT64", module=__name__)  # FFEBM_FLOAT32 and so on
Isa = IntEnum("Isa", "PORTABLE AVX2 AVX512", module=__name__)
ConfigKind = IntEnum("ConfigKind", "CONTEXT INITIALIZATION OP COUPLING HOPFIELD EQUILIBRIUM RECIPE ENGINE CERTIFY SGD "
                   "ADAM RESISTIVE ACTIVATION DEVICE LEDGER", module=__name__)
SettingType = IntEnum("SettingType", "NUMBER INTEGER FLAG CHOICE WINDOW OBJECT", module=__name__)
InitializationType = IntEnum("InitializationType", "UNIFORM GOE", module=__name__)
OpType = IntEnum("OpType", "LINEAR CONV2D FLATTEN MAXPOOL2D AVGPOOL2D BATCHNORM2D LAYERNORM RELU TANH SIGMOID", module=__name__)
Activation = IntEnum("Activation", "HARD_SIGMOID RELU IDENTITY SIGMOID TANH", module=__name__)
CouplingType = IntEnum("CouplingType", "DENSE CONV2D", module=__name__)
Pool = IntEnum("Pool", "NONE MAX AVERAGE", start=0, module=__name__)
Loss = IntEnum("Loss", "NONE CROSS_ENTROPY MSE", start=0, module=__name__)
Schedule = IntEnum("Schedule", "CONSTANT COSINE STEP", module=__name__)
OptimizerType = IntEnum("OptimizerType", "SGD ADAM ADAMW", module=__name__)
Per = IntEnum("Per", "STEP EPOCH", module=__name__)
Augment = IntEnum("Augment", "NONE FLIP FLIP_CROP", start=0, module=__name__)
Estimator = IntEnum("Estimator", "CENTERED POSITIVE NEGATIVE RANDOM_SIGN FOUR_POINT IMPLICIT", module=__name__)
StageKind = IntEnum("StageKind", "FEEDFORWARD ENERGY", module=__name__)
Role = IntEnum("Role", "PARAMETER BUFFER", module=__name__)
Order = IntEnum("Order", "EVEN_ODD ODD_EVEN SYNCHRONOUS FORWARD BACKWARD COLORS REVERSED", module=__name__)
Nudging = IntEnum("Nudging", "AUTO LOSS LINEAR CLAMP", module=__name__)
Mode = IntEnum("Mode", "TRAINING EVALUATION", module=__name__)
Switches = IntEnum("Switches", "FOLLOW HOLD", module=__name__)
LedgerPart = IntEnum("LedgerPart", "ALL FREE NUDGED UPDATE", start=0, module=__name__)
Read = IntEnum("Read", "BORDER ALL", module=__name__)
Update = IntEnum("Update", "IDEAL DIFFERENCE TWO_PHASE", module=__name__)
Step = IntEnum("Step", "CONSTANT LINEAR SOFT_BOUNDS EXPONENTIAL", module=__name__)
Precision = IntEnum("Precision", "FULL MIXED", module=__name__)
Start = IntEnum("Start", "ZEROS STATE", module=__name__)
Phase = IntEnum("Phase", "FREE NUDGED", module=__name__)


def choice(kind, value):
    """The member of `kind` that `value` names; numbers are left for the library to judge."""
    if not isinstance(value, str):
        return value
    try:
        return kind[value.upper().replace("-", "_")]
    except KeyError:
        names = ", ".join(member.name.lower() for member in kind)
        raise ValueError(f"{kind.__name__} is {value!r}, expected one of {names}") from None
