"""The structs and callbacks of the headers, field by field. tests/python/test_headers.py compares them with the C.

A configuration is made by name, the rest having the library's defaults: EquilibriumConfig(beta=0.1). Windows may be one
number or [height, width].
"""
import ctypes as c
from keyword import iskeyword

from . import constants as k
from .scalars import CONVERTERS, named, whole

size, i32, i64, u64, f64 = c.c_size_t, c.c_int32, c.c_int64, c.c_uint64, c.c_double
text, pointer, shape, window = c.c_char_p, c.c_void_p, c.POINTER(c.c_int64), c.c_int64 * 2

# What the library calls.
AllocateFn = c.CFUNCTYPE(pointer, pointer, size, size)
ReleaseFn = c.CFUNCTYPE(None, pointer, pointer, size, size)
TaskFn = c.CFUNCTYPE(None, pointer, size)
RunFn = c.CFUNCTYPE(None, pointer, TaskFn, pointer, size)
ForceAtFn = c.CFUNCTYPE(None, pointer, pointer, pointer)
CancelFn = c.CFUNCTYPE(i32, pointer)
ReduceFn = c.CFUNCTYPE(i32, pointer, pointer, size, i32)
WriteFn = c.CFUNCTYPE(i32, pointer, pointer, size)
DestroyFn = c.CFUNCTYPE(None, pointer)


def _window(value):
    sides = value if isinstance(value, (tuple, list)) else (value, value)
    if len(sides) != 2:
        raise ValueError(f"{value!r}, expected one number or [height, width]")
    return window(*map(whole, sides))


def _shown(struct, name, kind):
    """A field's value as text; None of what has none: NULL, functions, addresses."""
    value = getattr(struct, name)
    if kind is window:
        return str(value[0] if value[0] == value[1] else tuple(value))
    if kind is shape:
        rank = getattr(struct, name.replace("shape", "rank"), 0)
        return str(tuple(value[:rank])) if value else None
    if isinstance(value, c._Pointer):
        return repr(value.contents) if value and isinstance(value.contents, Sized) else None
    if kind is pointer or isinstance(value, c._CFuncPtr):
        return None
    choices = struct._choices_.get(name, bool)
    known = choices is not bool and value in list(choices)
    return repr(choices(value).name.lower() if known else value)


class Sized(c.Structure):
    """A struct whose first field is its size. Its fields are those of C, and no others can be set."""

    _choices_ = {}  # field: the IntEnum, or bool, that its numbers stand for

    def __init__(self, **fields):
        super().__init__(size=c.sizeof(self))
        for name, value in fields.items():
            setattr(self, name[:-1] if iskeyword(name[:-1]) else name, value)  # from_ is the field `from`

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        cls._types_ = dict(getattr(cls, "_fields_", ()))

    def __setattr__(self, name, value):
        if name not in self._types_:
            known = ", ".join(field for field, _ in self._fields_ if field != "size" and not field.startswith("reserved"))
            raise TypeError(f"{type(self).__name__} has no {name!r}, expected one of {known}")
        with named(f"{type(self).__name__}.{name}"):
            super().__setattr__(name, self._converted(name, self._types_[name], value))

    def __repr__(self):
        """What differs from the defaults, as it would be written."""
        return f"{type(self).__name__}({', '.join(self._said())})"

    def _said(self):
        plain = self._plain()
        for name, kind in self._fields_:
            value, initial = _shown(self, name, kind), None if plain is None else _shown(plain, name, kind)
            if name not in ("size", "type") and not name.startswith("reserved") and value is not None and value != initial:
                yield f"{name}_={value}" if iskeyword(name) else f"{name}={value}"

    def _plain(self):
        """One that nothing was set in."""
        return type(self)()

    def _converted(self, name, kind, value):
        if isinstance(value, str) and self._choices_.get(name, bool) is not bool:
            return k.choice(self._choices_[name], value)
        if kind is window:
            return _window(value)
        if kind in CONVERTERS:
            return CONVERTERS[kind](value, kind)
        return c.pointer(value) if isinstance(value, Sized) else value


class Config(Sized):
    """A struct with an init function, which the loader of the library puts here as `_init_`."""

    def __init__(self, **fields):
        self._init_(c.byref(self), c.sizeof(self))
        for name, value in fields.items():
            setattr(self, name[:-1] if iskeyword(name[:-1]) else name, value)  # from_ is the field `from`


class SettingInfo(Sized):
    _fields_ = [("size", size), ("key", text), ("field", text), ("unit", text), ("text", text), ("initial", text),
                ("choices", c.POINTER(text)), ("values", c.POINTER(i32)), ("choice_count", size), ("offset", size),
                ("bytes", size), ("count", size), ("lower", f64), ("upper", f64), ("lower_open", i32),
                ("upper_open", i32), ("type", i32), ("object", i32)]
    _choices_ = {"type": k.SettingType}


class ContextConfig(Config):
    _fields_ = [("size", size), ("allocate", AllocateFn), ("release", ReleaseFn), ("allocator_user", pointer),
                ("run", RunFn), ("run_user", pointer), ("threads", i32), ("max_isa", i32), ("cancel", CancelFn),
                ("cancel_user", pointer), ("reduce", ReduceFn), ("reduce_user", pointer)]
    _choices_ = {"max_isa": k.Isa}


# ------------------------------------------------------------------------------------------------------------- blocks


class Initialization(Config):
    _fields_ = [("size", size), ("type", i32), ("constant_bias", i32), ("gain", f64), ("variance", f64),
                ("bias", f64)]
    _choices_ = {"type": k.InitializationType, "constant_bias": bool}


class Typed(Config):
    """A configuration whose defaults depend on its type: Op("linear", out=10)."""

    def __init__(self, type, **fields):
        self._init_(c.byref(self), c.sizeof(self), k.choice(self._choices_["type"], type))
        for name, value in fields.items():
            setattr(self, name[:-1] if iskeyword(name[:-1]) else name, value)  # from_ is the field `from`

    def _said(self):
        yield _shown(self, "type", i32)
        yield from super()._said()

    def _plain(self):
        return type(self)(self.type)


class OpConfig(Typed):
    _fields_ = [("size", size), ("initialization", c.POINTER(Initialization)), ("out", i64), ("kernel", window),
                ("stride", window), ("padding", window), ("epsilon", f64), ("momentum", f64), ("type", i32),
                ("bias", i32), ("frozen", i32), ("reserved_", i32)]
    _choices_ = {"type": k.OpType}


class Activation(Typed):
    _fields_ = [("size", size), ("type", i32), ("reserved_", i32), ("slope", f64), ("lower", f64), ("upper", f64)]
    _choices_ = {"type": k.Activation}


class CouplingConfig(Typed):
    _fields_ = [("size", size), ("initialization", c.POINTER(Initialization)),
                ("activation", c.POINTER(Activation)), ("from", size), ("to", size),
                ("out", i64), ("kernel", window), ("stride", window), ("padding", window), ("pool_kernel", window),
                ("pool_stride", window), ("pool", i32), ("type", i32), ("bias", i32), ("frozen", i32)]
    _choices_ = {"type": k.CouplingType, "pool": k.Pool}


class HopfieldConfig(Config):
    _fields_ = [("size", size), ("activation", c.POINTER(Activation)), ("layer0", c.POINTER(Activation)),
                ("clamp_last", i32), ("reserved_", i32)]


class ResistiveConfig(Config):
    _fields_ = [("size", size), ("input_gain", f64), ("g_min", f64), ("g_max", f64), ("diode_threshold", f64),
                ("diode_conductance", f64), ("amplifier", f64), ("paired_input", i32), ("clamp_last", i32)]


class DeviceConfig(Config):
    _fields_ = [("size", size), ("seed", u64), ("input_bits", i64), ("input_bound", f64), ("input_noise", f64),
                ("weight_min", f64), ("weight_max", f64), ("weight_min_dtod", f64), ("weight_max_dtod", f64),
                ("weight_bits", i64), ("weight_dtod", f64), ("weight_read_noise", f64), ("weight_asymmetry", f64), ("weight_stuck", f64), ("weight_stuck_range", f64),
                ("weight_drift_nu", f64), ("weight_drift_nu_dtod", f64), ("weight_drift_t0", f64),
                ("neuron_slope_dtod", f64), ("neuron_offset_dtod", f64), ("neuron_drive_noise", f64),
                ("nudge_bits", i64), ("nudge_bound", f64), ("nudge_gain_dtod", f64), ("output_bits", i64),
                ("output_bound", f64), ("output_noise", f64), ("output_repeats", i64), ("output_offset_dtod", f64),
                ("output_phase_offset_dtod", f64), ("update_dw_min", f64), ("update_dw_min_dtod", f64),
                ("update_dw_min_std", f64), ("update_up_down", f64), ("update_up_down_dtod", f64),
                ("update_write_noise_std", f64), ("update_gamma_up", f64), ("update_gamma_down", f64),
                ("update_exp_a_up", f64), ("update_exp_a_down", f64), ("update_exp_a", f64), ("update_exp_b", f64),
                ("update_pulses_max", i64), ("update_mode", i32), ("update_step", i32), ("read", i32), ("output_sto_round", i32), ("noise", i32),
                ("reserved_", i32)]
    _choices_ = {"read": k.Read, "update_mode": k.Update, "update_step": k.Step}


class UserParameter(Config):
    _fields_ = [("size", size), ("name", text), ("shape", shape), ("rank", size), ("lower", f64), ("upper", f64),
                ("frozen", i32), ("position", i32)]


class FeedforwardCall(Sized):
    _fields_ = [("size", size), ("batch", size), ("first", size), ("parameters", pointer), ("parameter_count", size),
                ("input", pointer), ("output", pointer), ("output_cotangent", pointer), ("input_cotangent", pointer),
                ("gradient", pointer), ("values", pointer), ("message", pointer), ("message_capacity", size),
                ("seed", u64), ("version", u64), ("scale", f64), ("training", i32), ("attempt", i32)]


class EnergyCall(Sized):
    _fields_ = [("size", size), ("batch", size), ("first", size), ("parameters", pointer), ("parameter_count", size),
                ("input", pointer), ("force", pointer), ("state", pointer), ("output", pointer),
                ("output_cotangent", pointer), ("input_gradient", pointer), ("weight", pointer), ("gradient", pointer),
                ("energy", pointer), ("residual", pointer), ("sweeps", pointer), ("values", pointer),
                ("force_at", ForceAtFn), ("force_user", pointer), ("message", pointer), ("message_capacity", size),
                ("seed", u64), ("version", u64), ("max_sweeps", i64), ("tolerance", f64), ("joules", f64),
                ("nudged", i32), ("attempt", i32)]


FeedforwardFn = c.CFUNCTYPE(i32, pointer, c.POINTER(FeedforwardCall))
EnergyFn = c.CFUNCTYPE(i32, pointer, c.POINTER(EnergyCall))


class UserFeedforward(Sized):
    _fields_ = [("size", size), ("self", pointer), ("name", text), ("input_shape", shape), ("input_rank", size),
                ("output_shape", shape), ("output_rank", size), ("max_batch", size), ("forward", FeedforwardFn),
                ("vjp", FeedforwardFn), ("initialize", FeedforwardFn), ("destroy", DestroyFn), ("retry_limit", i32),
                ("reserved_", i32)]


class UserEnergy(Sized):
    _fields_ = [("size", size), ("self", pointer), ("name", text), ("input_shape", shape), ("input_rank", size),
                ("output_shape", shape), ("output_rank", size), ("state_count", size), ("max_batch", size),
                ("settle", EnergyFn), ("output", EnergyFn), ("parameter_gradient", EnergyFn),
                ("input_gradient", EnergyFn), ("energy", EnergyFn), ("adjoint", EnergyFn), ("initialize", EnergyFn),
                ("destroy", DestroyFn), ("max_beta", f64), ("retry_limit", i32), ("concurrent", i32),
                ("loss_nudging", i32), ("reserved_", i32)]


# ------------------------------------------------------------------------------------------------------ the model


class ParseConfig(Config):
    _fields_ = [("size", size), ("dtype", i32), ("reserved_", i32)]
    _choices_ = {"dtype": k.Dtype}


class Recipe(Config):
    _fields_ = [("size", size), ("epochs", i64), ("batch", i64), ("optimizer", i32), ("schedule", i32),
                ("schedule_per", i32), ("augment", i32), ("lr", f64), ("lr_min", f64), ("lr_factor", f64),
                ("lr_period", i64), ("warmup", i64), ("weight_decay", f64), ("clip_norm", f64), ("momentum", f64),
                ("label_smoothing", f64), ("nesterov", i32), ("reserved_", i32)]
    _choices_ = {"optimizer": k.OptimizerType, "schedule": k.Schedule, "schedule_per": k.Per, "augment": k.Augment,
                 "nesterov": bool}


class ModelInfo(Sized):
    _fields_ = [("size", size), ("stage_count", size), ("parameter_count", size), ("buffer_count", size),
                ("element_count", size), ("input_shape", shape), ("input_rank", size), ("output_shape", shape),
                ("output_rank", size), ("ready", i32), ("dtype", i32), ("loss", i32), ("reserved_", i32)]
    _choices_ = {"ready": bool, "dtype": k.Dtype, "loss": k.Loss}


class StageInfo(Sized):
    _fields_ = [("size", size), ("layer_count", size), ("first_parameter", size), ("parameter_count", size),
                ("type", text), ("input_shape", shape), ("input_rank", size), ("output_shape", shape),
                ("output_rank", size), ("kind", i32), ("device", i32), ("tap_count", size)]
    _choices_ = {"kind": k.StageKind, "device": bool}


class LayerInfo(Sized):
    _fields_ = [("size", size), ("shape", shape), ("rank", size), ("units", size)]


class UpdateCall(Sized):
    _fields_ = [("size", size), ("parameter", size), ("stage", size), ("count", size), ("step", i64),
                ("request", pointer), ("values", pointer), ("lower", f64), ("upper", f64), ("message", pointer),
                ("message_capacity", size), ("attempt", i32), ("reserved_", i32)]


UpdateFn = c.CFUNCTYPE(i32, pointer, c.POINTER(UpdateCall))


class UpdateRule(Sized):
    _fields_ = [("size", size), ("self", pointer), ("update", UpdateFn), ("destroy", DestroyFn), ("retry_limit", i32),
                ("reserved_", i32)]


class PulseInfo(Sized):
    _fields_ = [("size", size), ("up", i64), ("down", i64), ("clipped", i64), ("limited", i64)]


class ParameterInfo(Sized):
    _fields_ = [("size", size), ("name", text), ("shape", shape), ("rank", size), ("value", pointer), ("stage", size),
                ("offset", size), ("count", size), ("role", i32), ("frozen", i32), ("lower", f64), ("upper", f64),
                ("effective", pointer)]
    _choices_ = {"role": k.Role, "frozen": bool}


# ------------------------------------------------------------------------------------------- engine and optimizers


class EngineConfig(Config):
    _fields_ = [("size", size), ("max_batch", size), ("seed", u64)]


class EquilibriumConfig(Config):
    _fields_ = [("size", size), ("beta", f64), ("free_tolerance", f64), ("nudged_tolerance", f64),
                ("free_sweeps", i64), ("nudged_sweeps", i64), ("free_order", i32), ("nudged_order", i32),
                ("start", i32), ("estimator", i32), ("nudging", i32), ("require_convergence", i32), ("switches", i32),
                ("repeats", i32), ("relaxation", f64), ("precision", i32), ("reserved_", i32)]
    _choices_ = {"free_order": k.Order, "nudged_order": k.Order, "start": k.Start, "estimator": k.Estimator,
                 "nudging": k.Nudging, "switches": k.Switches, "precision": k.Precision}


class CertifyConfig(Config):
    _fields_ = [("size", size), ("directions", size), ("min_cosine", f64), ("max_relative_error", f64),
                ("max_difference_error", f64), ("adjoint_tolerance", f64), ("difference_step", f64),
                ("adjoint_sweeps", i64), ("seed", u64)]


class Report(Sized):
    _fields_ = [("size", size), ("batch", size), ("correct", size), ("correct_top5", size), ("unconverged", size),
                ("nonfinite", size), ("region_changes", size), ("loss", f64), ("gradient_norm", f64), ("sweeps", i64)]


class PhaseReport(Sized):
    _fields_ = [("size", size), ("samples", size), ("unconverged", size), ("nonfinite", size),
                ("region_changes", size), ("sweeps_min", i64), ("sweeps_max", i64), ("sweeps_mean", f64),
                ("residual_max", f64), ("seconds", f64), ("joules", f64), ("retries", i64),
                ("relaxation_max", f64)]


class LayerReport(Sized):
    _fields_ = [("size", size), ("units", size), ("free_norm", f64), ("nudge_norm", f64), ("residual_norm", f64),
                ("signal_to_residual", f64), ("saturated", f64)]


class Certificate(Sized):
    _fields_ = [("size", size), ("name", text), ("norm", f64), ("cosine", f64), ("relative_error", f64),
                ("difference_cosine", f64), ("difference_error", f64), ("free_residual", f64),
                ("nudged_residual", f64), ("adjoint_residual", f64), ("region_changes", size), ("passed", i32),
                ("reserved_", i32)]
    _choices_ = {"passed": bool}


class LedgerConfig(Config):
    _fields_ = [("size", size), ("free_sweeps", f64), ("nudged_sweeps", f64), ("trained_samples", f64),
                ("digital_add", f64), ("digital_multiply", f64), ("digital_read", f64), ("digital_reads", f64),
                ("digital_rate", f64), ("adc_4", f64), ("adc_6", f64), ("adc_8", f64), ("adc_10", f64),
                ("adc_12", f64), ("dac_share", f64), ("converter_clock", f64), ("converter_count", f64),
                ("converter_bits", i64), ("write_pulse", f64), ("unrolled_conductance", f64),
                ("unrolled_voltage", f64), ("unrolled_siemens", f64), ("unrolled_volts", f64),
                ("unrolled_settling", f64), ("crossbar_mac", f64), ("crossbar_mac_most", f64),
                ("crossbar_product", f64), ("input_cotangent", i32), ("reserved_", i32)]
    _choices_ = {"input_cotangent": bool}


class Ledger(Sized):
    _fields_ = [("size", size), ("settlings", f64), ("sweeps", f64), ("dac", f64), ("adc", f64),
                ("sweep_conversions", f64), ("pulses", f64), ("digital_macs", f64), ("crossbar_macs", f64),
                ("backprop_macs", f64), ("digital_joules", f64), ("conversion_joules", f64), ("pulse_joules", f64),
                ("unrolled_joules", f64), ("crossbar_joules", f64), ("crossbar_joules_most", f64),
                ("backprop_joules", f64), ("digital_seconds", f64), ("conversion_seconds", f64),
                ("unrolled_seconds", f64), ("crossbar_seconds", f64), ("backprop_seconds", f64), ("unknown", size),
                ("measured", i32), ("reserved_", i32)]
    _choices_ = {"measured": bool}


class TracePoint(Sized):
    _fields_ = [("size", size), ("stage", size), ("parameter", size), ("name", text), ("estimate", pointer),
                ("implicit", pointer), ("estimate_norm", f64), ("implicit_norm", f64), ("cosine", f64),
                ("relative_error", f64), ("sweep", i64)]


TraceFn = c.CFUNCTYPE(i32, pointer, c.POINTER(TracePoint))


class WatchPoint(Sized):
    _fields_ = [("size", size), ("layer_count", size), ("states", c.POINTER(pointer)), ("energy", pointer),
                ("sweep", i64), ("step", size), ("steps", size), ("phase", i32), ("reserved_", i32)]
    _choices_ = {"phase": k.Phase}


WatchFn = c.CFUNCTYPE(i32, pointer, c.POINTER(WatchPoint))


class SgdConfig(Config):
    _fields_ = [("size", size), ("learning_rate", f64), ("momentum", f64), ("weight_decay", f64), ("clip_norm", f64),
                ("nesterov", i32), ("reserved_", i32)]


class AdamConfig(Config):
    _fields_ = [("size", size), ("learning_rate", f64), ("beta1", f64), ("beta2", f64), ("epsilon", f64),
                ("weight_decay", f64), ("clip_norm", f64), ("decoupled_decay", i32), ("reserved_", i32)]
