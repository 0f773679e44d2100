"""A chain of blocks and their parameters."""
import ctypes as c
import json
import math
import os

from . import reports, structs
from .constants import ALL, NONE, Loss, Role, choice
from .context import Handle
from .functions import raw
from .reports import report_of
from .tensor import dims, dtype_of, view_of


class Model(Handle):
    """Build it call by call (add), or take it from a description (parse) or a checkpoint (load)."""

    def __init__(self, context, input_shape, loss="none", dtype="float32"):
        address = context.make(raw.model_create, dtype_of(dtype), *dims(input_shape), choice(Loss, loss))
        self._from(context, address)

    @classmethod
    def parse(cls, context, description, dtype=None):
        """From a dictionary or JSON text; docs/model_description.md has the keys. dtype overrides the description's."""
        text = description if isinstance(description, (str, bytes)) else json.dumps(description)
        text = text.encode() if isinstance(text, str) else text
        config = structs.ParseConfig(dtype=0 if dtype is None else dtype_of(dtype))
        return cls._at(context, context.make(raw.model_parse, c.c_char_p(text), len(text), config))

    @classmethod
    def load(cls, context, path):
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

    # ------------------------------------------------------------------------------------------------------- building

    def add(self, block):
        """Append a block: Feedforward, Hopfield, Resistive, or one of your own. Returns the model."""
        if not hasattr(block, "_add_to_model"):
            raise TypeError(f"block is {type(block).__name__}, expected Feedforward, Hopfield, Resistive, "
                            "or one of your own")
        return self._take(block, type(block)._add_to_model)

    def add_tap(self, block, layer):
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

    def set_initialization(self, type="uniform", **fields):
        """How parameters of ops and couplings without an initialisation of their own are drawn."""
        self.context.call(raw.model_set_initialization, self._address, structs.Initialization(type=type, **fields))

    def set_recipe(self, **changes):
        """Change some of the recipe, as its description and its checkpoints give it."""
        recipe = structs.Recipe()
        self.context.call(raw.model_recipe, self._address, c.byref(recipe))
        for name, value in changes.items():
            setattr(recipe, name, value)
        self.context.call(raw.model_set_recipe, self._address, c.byref(recipe))

    def set_equilibrium(self, **changes):
        """Change some of how the recipe lets blocks settle, as its description and its checkpoints give it."""
        self.context.call(raw.model_set_equilibrium, self._address, c.byref(self.equilibrium(**changes)))

    def set_bounds(self, prefix, lower=-math.inf, upper=math.inf):
        """Keep the parameters whose names begin with these whole parts within bounds."""
        self.context.call(raw.model_set_bounds, self._address, prefix, lower, upper)

    def set_device(self, stage=ALL, config=None, preset=None, **changes):
        """Put an energy stage, or all, on a device: an ideal one, or `config`, with the weights and pulses of a published one
        (`preset`), and with some settings changed. Nothing at all: on none. Engines and optimizers have to be gone."""
        if config is None and (changes or preset):
            config = structs.DeviceConfig()
        if preset:
            self.context.call(raw.device_preset, self.context._address, config, preset)
        for name, value in changes.items():
            setattr(config, name, value)
        self.context.call(raw.model_set_device, self._address, stage, config)

    def set_clock(self, seconds):
        """Set the time that devices drift by."""
        self.context.call(raw.model_set_clock, self._address, seconds)

    def device(self, stage):
        """The DeviceConfig of an energy stage; without a device, that of an ideal one."""
        config = structs.DeviceConfig()
        self.context.call(raw.model_device, self._address, c.byref(config), stage)
        return config

    def effective(self, name):
        """What the block computes with in place of this parameter: a copy, with mismatch in it, noise of a settling not."""
        found = structs.ParameterInfo()
        self.context.call(raw.model_inspect_parameter, self._address, c.byref(found), self.find(name))
        return view_of(found.effective, self).copy()

    def initialize(self, seed=0):
        """Draw first values. Returns the model, which is ready then."""
        self.context.compute(raw.model_initialize, self._address, seed)
        return self

    # ------------------------------------------------------------------------------------------------- what it is asked

    def _inspect(self, kind, struct, function, *where):
        found = struct()
        self.context.call(function, self._address, c.byref(found), *where)
        return report_of(kind, found)

    @property
    def info(self):
        return self._inspect(reports.ModelInfo, structs.ModelInfo, raw.model_inspect)

    @property
    def recipe(self):
        return self._inspect(reports.Recipe, structs.Recipe, raw.model_recipe)

    def pulses(self, stage=ALL):
        """A PulseInfo: what an energy stage, or all, was written by so far."""
        return self._inspect(reports.PulseInfo, structs.PulseInfo, raw.model_inspect_pulses, stage)

    def stage(self, index):
        return self._inspect(reports.StageInfo, structs.StageInfo, raw.model_inspect_stage, index)

    def layer(self, stage, index):
        return self._inspect(reports.LayerInfo, structs.LayerInfo, raw.model_inspect_layer, stage, index)

    def parameter(self, index):
        """Facts about a parameter, or behind them a buffer, by its index."""
        return self._inspect(reports.ParameterInfo, structs.ParameterInfo, raw.model_inspect_parameter, index)

    def find(self, name):
        """The index of a parameter or buffer; None if there is none of this name."""
        index = raw.model_find_parameter(self._address, name)
        return None if index == NONE else index

    @property
    def description(self):
        """Complete and in canonical form, as a dictionary."""
        text, length = c.c_char_p(), c.c_size_t()
        self.context.call(raw.model_description, self._address, c.byref(text), c.byref(length))
        return json.loads(text.value)

    def equilibrium(self, **changes):
        """The EquilibriumConfig that the recipe asks for, with some settings changed."""
        config = structs.EquilibriumConfig()
        self.context.call(raw.model_equilibrium, self._address, c.byref(config))
        for name, value in changes.items():
            setattr(config, name, value)
        return config

    def learning_rate(self, step, steps_per_epoch):
        """The recipe's, at a step that is counted over all epochs."""
        recipe = structs.Recipe()
        self.context.call(raw.model_recipe, self._address, c.byref(recipe))
        return raw.recipe_learning_rate(c.byref(recipe), step, steps_per_epoch)

    # --------------------------------------------------------------------------------------------------------- values

    @property
    def flat_parameters(self):
        """All parameters as one array over the model's memory; None while building."""
        address = raw.model_flat_parameters(self._address)
        return None if address is None else view_of(address, self)

    @property
    def parameters(self):
        """Arrays over the values of all parameters, by their names, to read and to write; empty while building."""
        return self._arrays(Role.PARAMETER)

    @property
    def buffers(self):
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
