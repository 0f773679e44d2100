"""A chain of blocks and their parameters."""
from __future__ import annotations

import ctypes as c
import json
import math
import os
from typing import TYPE_CHECKING, Any, Callable

from . import reports, structs, update
from .constants import ALL, NONE, Loss, Role, StageKind, choice
from .context import Handle
from .functions import raw
from .reports import report_of
from .tensor import dims, dtype_of, view_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .context import Context


class Model(Handle):
    """Build it call by call (add), or take it from a description (parse) or a checkpoint (load).

    input_shape: of a sample, [units] or [channels, height, width]. loss: "cross_entropy", "mse", or "none".
    """

    def __init__(self, context: Context, input_shape, loss: int | str = "none", dtype="float32"):
        address = context.make(raw.model_create, dtype_of(dtype), *dims(input_shape), choice(Loss, loss))
        self._from(context, address)

    @classmethod
    def parse(cls, context: Context, description: dict | str | bytes, dtype=None) -> Model:
        """From a dictionary or JSON text; docs/model_description.md has the keys. dtype overrides the description's."""
        text = description if isinstance(description, (str, bytes)) else json.dumps(description)
        text = text.encode() if isinstance(text, str) else text
        config = structs.ParseConfig(dtype=0 if dtype is None else dtype_of(dtype))
        return cls._at(context, context.make(raw.model_parse, c.c_char_p(text), len(text), config))

    @classmethod
    def load(cls, context: Context, path: str | bytes | os.PathLike) -> Model:
        """From a checkpoint file, with its values."""
        return cls._at(context, context.make(raw.checkpoint_load, os.fsencode(path)))

    @classmethod
    def _at(cls, context, address):
        model = cls.__new__(cls)
        model._from(context, address)
        return model

    def _from(self, context, address):
        self.context = context
        self._own(context.guard, address, raw.model_destroy)

    def _said(self):
        info = self.info
        stages = [self.stage(i) for i in range(info.stage_count)]
        chain = " - ".join(stage.type if stage.kind is StageKind.ENERGY else "ops" for stage in stages)
        return (f" {list(info.input_shape)} -> {list(info.output_shape)}: {chain or 'no stages'}; {info.loss.name.lower()}, "
                f"{info.dtype.name.lower()}, {info.element_count} parameters{'' if info.ready else ', building'}")

    # ------------------------------------------------------------------------------------------------------- building

    def add(self, block) -> Model:
        """Append a block: Feedforward, Hopfield, Resistive, or one of your own. Returns the model."""
        if not hasattr(block, "_add_to_model"):
            raise TypeError(f"block is {type(block).__name__}, expected Feedforward, Hopfield, Resistive, "
                            "or one of your own")
        return self._take(block, type(block)._add_to_model)

    def add_tap(self, block, layer: int) -> Model:
        """Add a tap to the last stage: its input through a Feedforward, or a row of your own, is the input of that layer,
        1 or more, of the energy block to come. Returns the model."""
        if getattr(block, "_add_to_model", None) != raw.model_add_feedforward:
            raise TypeError(f"block is {type(block).__name__}, expected Feedforward, or a FeedforwardBlock of your own")
        return self._take(block, raw.model_add_tap, layer)

    def _take(self, block, function, *where):
        parts = block._parts()
        address = c.c_void_p(block._create(self.context, parts))
        try:
            for part in parts:
                self.context.call(type(block)._add_part, address, part)
            self.context.call(function, self._address, c.byref(address), *where)
        finally:
            self.context.guard.destroy(type(block)._destroy, address.value)  # None once it is taken
        return self

    def set_initialization(self, type: int | str = "uniform", **fields) -> None:
        """How parameters of ops and couplings without an initialisation of their own are drawn."""
        self.context.call(raw.model_set_initialization, self._address, structs.Initialization(type=type, **fields))

    def set_recipe(self, **changes) -> None:
        """Change some of the recipe, as its description and its checkpoints give it."""
        recipe = structs.Recipe()
        self.context.call(raw.model_recipe, self._address, c.byref(recipe))
        for name, value in changes.items():
            setattr(recipe, name, value)
        self.context.call(raw.model_set_recipe, self._address, c.byref(recipe))

    def set_equilibrium(self, **changes) -> None:
        """Change some of how the recipe lets blocks settle, as its description and its checkpoints give it."""
        self.context.call(raw.model_set_equilibrium, self._address, c.byref(self.equilibrium(**changes)))

    def set_bounds(self, prefix: str, lower: float = -math.inf, upper: float = math.inf) -> None:
        """Keep the parameters whose names begin with these whole parts within bounds."""
        self.context.call(raw.model_set_bounds, self._address, prefix, lower, upper)

    def set_update(self, prefix: str, rule: Callable[[update.Update], Any] | None) -> None:
        """Let a function of yours write the parameters whose names begin with these whole parts, in place of adding the step;
        None: none. It gets an update.Update, writes into its values and returns None, or RETRY to be called again.
        Engines and optimizers have to be gone."""
        if rule is None:
            self.context.call(raw.model_set_update, self._address, prefix, None)
            return
        infos = [self.parameter(index) for index in range(self.info.parameter_count)]
        table, number = update.bind(rule, self.context.guard, [(info.name, info.shape) for info in infos])
        try:
            self.context.call(raw.model_set_update, self._address, prefix, c.byref(table))
        except BaseException:
            update.release(number)
            raise

    def set_device(self, stage: int = ALL, config: structs.DeviceConfig | None = None, preset: str | None = None,
                   **changes) -> None:
        """Put an energy stage, or all, on a device: an ideal one, or `config`, with the weights and pulses of a published one
        (`preset`), and with some settings changed. Nothing at all: on none. Engines and optimizers have to be gone."""
        if config is None and (changes or preset):
            config = structs.DeviceConfig()
        if preset:
            self.context.call(raw.device_preset, self.context._address, config, preset)
        for name, value in changes.items():
            setattr(config, name, value)
        self.context.call(raw.model_set_device, self._address, stage, config)

    def set_clock(self, seconds: float) -> None:
        """Set the time that devices drift by."""
        self.context.call(raw.model_set_clock, self._address, seconds)

    def device(self, stage: int) -> structs.DeviceConfig:
        """The DeviceConfig of an energy stage; without a device, that of an ideal one."""
        config = structs.DeviceConfig()
        self.context.call(raw.model_device, self._address, c.byref(config), stage)
        return config

    def effective(self, name: str) -> NDArray:
        """What the block computes with in place of this parameter: a copy, with mismatch in it, noise of a settling not."""
        found = structs.ParameterInfo()
        self.context.call(raw.model_inspect_parameter, self._address, c.byref(found), self.find(name))
        return view_of(found.effective, self).copy()

    def initialize(self, seed: int = 0) -> Model:
        """Draw first values. Returns the model, which is ready then."""
        self.context.compute(raw.model_initialize, self._address, seed)
        return self

    # ------------------------------------------------------------------------------------------------- what it is asked

    def _inspect(self, kind, struct, function, *where):
        found = struct()
        self.context.call(function, self._address, c.byref(found), *where)
        return report_of(kind, found)

    @property
    def info(self) -> reports.ModelInfo:
        """Shapes, counts, type and loss; is it ready?"""
        return self._inspect(reports.ModelInfo, structs.ModelInfo, raw.model_inspect)

    @property
    def recipe(self) -> reports.Recipe:
        """How the description says to train: epochs, batch, optimizer, schedule."""
        return self._inspect(reports.Recipe, structs.Recipe, raw.model_recipe)

    def pulses(self, stage: int = ALL) -> reports.PulseInfo:
        """A PulseInfo: what an energy stage, or all, was written by so far."""
        return self._inspect(reports.PulseInfo, structs.PulseInfo, raw.model_inspect_pulses, stage)

    def stage(self, index: int) -> reports.StageInfo:
        """Facts about a stage: a feedforward row, or an energy block."""
        return self._inspect(reports.StageInfo, structs.StageInfo, raw.model_inspect_stage, index)

    def layer(self, stage: int, index: int) -> reports.LayerInfo:
        """Facts about a layer of an energy block; layer 0 is next to the input."""
        return self._inspect(reports.LayerInfo, structs.LayerInfo, raw.model_inspect_layer, stage, index)

    def parameter(self, index: int) -> reports.ParameterInfo:
        """Facts about a parameter, or behind them a buffer, by its index."""
        return self._inspect(reports.ParameterInfo, structs.ParameterInfo, raw.model_inspect_parameter, index)

    def find(self, name: str) -> int | None:
        """The index of a parameter or buffer; None if there is none of this name."""
        index = raw.model_find_parameter(self._address, name)
        return None if index == NONE else index

    @property
    def description(self) -> dict[str, Any]:
        """Complete and in canonical form, as a dictionary."""
        text, length = c.c_char_p(), c.c_size_t()
        self.context.call(raw.model_description, self._address, c.byref(text), c.byref(length))
        return json.loads(text.value)

    def equilibrium(self, **changes) -> structs.EquilibriumConfig:
        """The EquilibriumConfig that the recipe asks for, with some settings changed."""
        config = structs.EquilibriumConfig()
        self.context.call(raw.model_equilibrium, self._address, c.byref(config))
        for name, value in changes.items():
            setattr(config, name, value)
        return config

    def learning_rate(self, step: int, steps_per_epoch: int) -> float:
        """The recipe's, at a step that is counted over all epochs."""
        recipe = structs.Recipe()
        self.context.call(raw.model_recipe, self._address, c.byref(recipe))
        return raw.recipe_learning_rate(c.byref(recipe), step, steps_per_epoch)

    # --------------------------------------------------------------------------------------------------------- values

    @property
    def flat_parameters(self) -> NDArray | None:
        """All parameters as one array over the model's memory; None while building."""
        address = raw.model_flat_parameters(self._address)
        return None if address is None else view_of(address, self)

    @property
    def parameters(self) -> dict[str, NDArray]:
        """Arrays over the values of all parameters, by their names, to read and to write; empty while building."""
        return self._arrays(Role.PARAMETER)

    @property
    def buffers(self) -> dict[str, NDArray]:
        """The same of the running statistics."""
        return self._arrays(Role.BUFFER)

    def _arrays(self, role):
        info, arrays = self.info, {}
        for index in range(info.parameter_count + info.buffer_count if info.ready else 0):
            found = structs.ParameterInfo()
            self.context.call(raw.model_inspect_parameter, self._address, c.byref(found), index)
            if found.role == role:
                arrays[found.name.decode()] = view_of(found.value, self)
        return arrays
