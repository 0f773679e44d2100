"""Update rules. Each has a config of the same name in `structs`; learning-rate schedules are pure functions."""
from . import structs
from .context import Handle
from .engine import Engine
from .functions import raw
from .model import Model


class Optimizer(Handle):
    """The one that the model's recipe asks for; Sgd and Adam take settings."""

    def __init__(self, model: Model):
        self._create(model, raw.recipe_optimizer, None)

    def _create(self, model, function, config):
        self.config = config
        address, self.context = Model.address_of(model, "model"), model.context
        self._own(self.context.guard, self.context.make_for(function, address, config), raw.optimizer_destroy)

    def _said(self):
        asked = "by the recipe" if self.config is None else ", ".join(self.config._said()) or "by default"
        return f" {asked}"

    def step(self, engine: Engine) -> None:
        """Update the model's parameters with an engine's gradient."""
        self.context.compute(raw.optimizer_step, self._address, Engine.address_of(engine, "engine"))

    def set_learning_rate(self, learning_rate: float) -> None:
        """From the next step on."""
        self.context.call(raw.optimizer_set_learning_rate, self._address, learning_rate)

    def set_multipliers(self, prefix: str, learning_rate: float = 1.0, weight_decay: float = 1.0) -> None:
        """Factors of the parameters whose names begin with these whole parts; a learning rate of 0 freezes."""
        self.context.call(raw.optimizer_set_multipliers, self._address, prefix, learning_rate, weight_decay)


class Sgd(Optimizer):
    """Gradient descent with momentum: Sgd(model, learning_rate=0.1)."""

    def __init__(self, model: Model, **settings):
        self._create(model, raw.optimizer_create_sgd, structs.SgdConfig(**settings))


class Adam(Optimizer):
    """Adam, or with decoupled_decay=1 AdamW."""

    def __init__(self, model: Model, **settings):
        self._create(model, raw.optimizer_create_adam, structs.AdamConfig(**settings))
