"""The functions of the headers: result and arguments. tests/python/test_headers.py compares them with the C.

Handles are addresses; `out` is where one is put. Every function of the library can be called through `raw`, with what
context.call does about failures around it.
"""
import ctypes as c
import os
from pathlib import Path
from typing import Any

from . import structs as s
from .scalars import CONVERTERS, Checked

status, handle, out, size = c.c_int32, c.c_void_p, c.POINTER(c.c_void_p), c.c_size_t
i32, i64, u64, f64, text = c.c_int32, c.c_int64, c.c_uint64, c.c_double, c.c_char_p
dims, length, p = c.POINTER(c.c_int64), c.POINTER(c.c_size_t), c.POINTER

FUNCTIONS = {
    # version.h, core.h
    "version": (text, []),
    "status_text": (text, [status]),
    "context_config_init": (None, [p(s.ContextConfig), size]),
    "context_create": (status, [out, p(s.ContextConfig)]),
    "context_destroy": (None, [handle]),
    "context_error": (text, [handle]),
    "random_uniform": (f64, [u64, u64]),
    "random_normal": (f64, [u64, u64]),
    # settings.h
    "setting_inspect": (status, [p(s.SettingInfo), i32, size]),
    "setting_find": (size, [i32, text]),
    "setting_read": (status, [handle, text, size, length, i32, text, c.c_void_p]),
    "setting_read_number": (status, [handle, c.c_void_p, i32, text, c.c_void_p]),
    "setting_write": (status, [handle, c.c_void_p, i32, text, text]),
    "setting_write_number": (status, [handle, c.c_void_p, i32, text, f64]),
    # tensor.h
    "tensor_create": (status, [handle, out, i32, dims, size]),
    "tensor_wrap": (status, [handle, out, c.c_void_p, i32, dims, size]),
    "tensor_rewrap": (status, [handle, c.c_void_p, i64]),
    "tensor_rows": (status, [handle, out, i64, i64]),
    "tensor_destroy": (None, [handle]),
    "tensor_copy": (status, [handle, handle]),
    "tensor_data": (c.c_void_p, [handle]),
    "tensor_const_data": (c.c_void_p, [handle]),
    "tensor_dtype": (i32, [handle]),
    "tensor_shape": (dims, [handle, length]),
    "tensor_count": (size, [handle]),
    # feedforward.h
    "initialization_init": (None, [p(s.Initialization), size]),
    "op_config_init": (None, [p(s.OpConfig), size, i32]),
    "feedforward_create": (status, [handle, out]),
    "feedforward_add_op": (status, [handle, p(s.OpConfig)]),
    "feedforward_destroy": (None, [handle]),
    "user_parameter_init": (None, [p(s.UserParameter), size]),
    "feedforward_create_user": (status, [handle, out, p(s.UserFeedforward)]),
    "feedforward_add_parameter": (status, [handle, p(s.UserParameter)]),
    # energy.h
    "activation_init": (None, [p(s.Activation), size, i32]),
    "hopfield_config_init": (None, [p(s.HopfieldConfig), size]),
    "resistive_config_init": (None, [p(s.ResistiveConfig), size]),
    "energy_create_resistive": (status, [handle, out, p(s.ResistiveConfig)]),
    "energy_create_hopfield": (status, [handle, out, p(s.HopfieldConfig)]),
    "coupling_config_init": (None, [p(s.CouplingConfig), size, i32]),
    "energy_add_coupling": (status, [handle, p(s.CouplingConfig)]),
    "energy_destroy": (None, [handle]),
    "energy_create_user": (status, [handle, out, p(s.UserEnergy)]),
    "energy_add_parameter": (status, [handle, p(s.UserParameter)]),
    # device.h
    "device_config_init": (None, [p(s.DeviceConfig), size]),
    "device_preset": (status, [handle, p(s.DeviceConfig), text]),
    # equilibrium.h
    "equilibrium_config_init": (None, [p(s.EquilibriumConfig), size]),
    # model.h
    "model_create": (status, [handle, out, i32, dims, size, i32]),
    "parse_config_init": (None, [p(s.ParseConfig), size]),
    "model_parse": (status, [handle, out, text, size, p(s.ParseConfig)]),
    "model_add_feedforward": (status, [handle, out]),
    "model_add_tap": (status, [handle, out, size]),
    "model_add_energy": (status, [handle, out]),
    "model_destroy": (None, [handle]),
    "model_set_initialization": (status, [handle, p(s.Initialization)]),
    "model_set_bounds": (status, [handle, text, f64, f64]),
    "model_set_update": (status, [handle, text, p(s.UpdateRule)]),
    "model_initialize": (status, [handle, u64]),
    "model_description": (status, [handle, p(text), length]),
    "model_recipe": (status, [handle, p(s.Recipe)]),
    "recipe_init": (None, [p(s.Recipe), size]),
    "model_equilibrium": (status, [handle, p(s.EquilibriumConfig)]),
    "model_set_recipe": (status, [handle, p(s.Recipe)]),
    "model_set_equilibrium": (status, [handle, p(s.EquilibriumConfig)]),
    "model_set_device": (status, [handle, size, p(s.DeviceConfig)]),
    "model_inspect_pulses": (status, [handle, p(s.PulseInfo), size]),
    "model_set_clock": (status, [handle, f64]),
    "model_device": (status, [handle, p(s.DeviceConfig), size]),
    "model_inspect": (status, [handle, p(s.ModelInfo)]),
    "model_inspect_stage": (status, [handle, p(s.StageInfo), size]),
    "model_inspect_layer": (status, [handle, p(s.LayerInfo), size, size]),
    "model_inspect_parameter": (status, [handle, p(s.ParameterInfo), size]),
    "model_find_parameter": (size, [handle, text]),
    "model_flat_parameters": (handle, [handle]),
    # gradient.h
    "engine_config_init": (None, [p(s.EngineConfig), size]),
    "engine_create": (status, [out, handle, p(s.EngineConfig)]),
    "engine_destroy": (None, [handle]),
    "engine_configure": (status, [handle, size, p(s.EquilibriumConfig)]),
    "engine_equilibrium": (status, [handle, p(s.EquilibriumConfig), size]),
    "engine_set_beta": (status, [handle, size, f64]),
    "engine_stable_beta": (status, [handle, handle, size]),
    "engine_set_sweeps": (status, [handle, size, i64, i64]),
    "engine_set_step": (status, [handle, u64]),
    "engine_set_first_sample": (status, [handle, u64]),
    "engine_set_noise": (status, [handle, i32]),
    "engine_set_mode": (status, [handle, i32]),
    "engine_set_label_smoothing": (status, [handle, f64]),
    "engine_gradient": (status, [handle, p(s.Report), handle, handle, handle]),
    "engine_evaluate": (status, [handle, p(s.Report), handle, handle, handle, handle]),
    "engine_flat_gradient": (handle, [handle]),
    "engine_forward": (status, [handle, handle, p(u64), handle]),
    "engine_vjp": (status, [handle, handle, u64, handle, f64]),
    "engine_settle": (status, [handle, size, handle, handle]),
    "engine_settle_springs": (status, [handle, size, handle, handle, c.c_double]),
    "engine_energy": (status, [handle, handle, size, i32, handle]),
    "engine_get_input": (status, [handle, handle, size, size]),
    "engine_set_input": (status, [handle, size, size, handle]),
    "engine_energy_gradient": (status, [handle, handle, size, i32]),
    "engine_get_state": (status, [handle, handle, size, size, i32]),
    "engine_set_state": (status, [handle, size, size, handle]),
    "engine_inspect_phase": (status, [handle, p(s.PhaseReport), size, i32]),
    "engine_unsettled": (status, [handle, text, size, length]),
    "engine_inspect_layer": (status, [handle, p(s.LayerReport), size, size]),
    "certify_config_init": (None, [p(s.CertifyConfig), size]),
    "engine_certify": (status, [handle, p(s.Certificate), handle, handle, handle, p(s.CertifyConfig)]),
    "engine_inspect_certificate": (status, [handle, p(s.Certificate), size]),
    "engine_trace": (status, [handle, handle, handle, handle, s.TraceFn, c.c_void_p]),
    "engine_watch": (status, [handle, size, handle, handle, s.WatchFn, c.c_void_p]),
    # ledger.h
    "ledger_config_init": (None, [p(s.LedgerConfig), size]),
    "engine_ledger": (status, [handle, p(s.Ledger), size, i32, p(s.LedgerConfig)]),
    # optimizer.h
    "sgd_config_init": (None, [p(s.SgdConfig), size]),
    "optimizer_create_sgd": (status, [out, handle, p(s.SgdConfig)]),
    "adam_config_init": (None, [p(s.AdamConfig), size]),
    "optimizer_create_adam": (status, [out, handle, p(s.AdamConfig)]),
    "optimizer_destroy": (None, [handle]),
    "optimizer_step": (status, [handle, handle]),
    "optimizer_set_learning_rate": (status, [handle, f64]),
    "optimizer_set_multipliers": (status, [handle, text, f64, f64]),
    "schedule_cosine": (f64, [f64, f64, i64, i64]),
    "schedule_step": (f64, [f64, f64, i64, i64]),
    "schedule_warmup": (f64, [i64, i64]),
    "recipe_optimizer": (status, [out, handle, p(s.Recipe)]),
    "recipe_learning_rate": (f64, [p(s.Recipe), i64, i64]),
    # io.h
    "checkpoint_save": (status, [handle, handle, text, text]),
    "checkpoint_write": (status, [handle, handle, text, s.WriteFn, c.c_void_p]),
    "checkpoint_load": (status, [handle, out, text]),
    "checkpoint_restore": (status, [handle, handle, text]),
    "checkpoint_read": (status, [handle, handle, c.c_void_p, size]),
    "checkpoint_metadata": (status, [handle, text, size, length, text, text]),
    "checkpoint_tensor": (status, [handle, out, text, text]),
    "checkpoint_tensor_names": (status, [handle, text, size, length, text]),
}

CONFIGS = {
    "context_config_init": s.ContextConfig, "initialization_init": s.Initialization, "op_config_init": s.OpConfig,
    "user_parameter_init": s.UserParameter, "activation_init": s.Activation,
    "hopfield_config_init": s.HopfieldConfig,
    "coupling_config_init": s.CouplingConfig, "parse_config_init": s.ParseConfig, "engine_config_init": s.EngineConfig,
    "equilibrium_config_init": s.EquilibriumConfig, "certify_config_init": s.CertifyConfig,
    "ledger_config_init": s.LedgerConfig,
    "resistive_config_init": s.ResistiveConfig, "device_config_init": s.DeviceConfig,
    "sgd_config_init": s.SgdConfig, "adam_config_init": s.AdamConfig, "recipe_init": s.Recipe,
}


def _open():
    """The library that FFEBM_LIBRARY names; else that in the installed package; else that of this tree, if it is built;
    else the system's."""
    package = Path(__file__).resolve().parent
    beside = [package / "libffebm.so", package.parents[1] / "lib" / "libffebm.so"]
    path = os.environ.get("FFEBM_LIBRARY") or next((str(place) for place in beside if place.exists()), "libffebm.so.0")
    try:
        return c.CDLL(path)
    except OSError as error:
        raise ImportError(f"libffebm cannot be loaded: {error}; build it with make, install it, or name it in "
                          "FFEBM_LIBRARY") from error


class Raw:
    """The functions, without the prefix ffebm_."""

    def __init__(self, library):
        for name, (result, arguments) in FUNCTIONS.items():
            try:
                function = getattr(library, "ffebm_" + name)
            except AttributeError as error:
                raise ImportError(f"{library._name} is too old or too new for this package: {error}") from error
            function.restype, function.argtypes = result, arguments
            plain = CONVERTERS.keys().isdisjoint(arguments)
            setattr(self, name, function if plain else Checked(function, name, arguments))
        for name, config in CONFIGS.items():
            config._init_ = getattr(self, name)


raw: Any = Raw(_open())
