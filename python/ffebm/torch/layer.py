"""A chain of the library's as a layer of a PyTorch network."""
from __future__ import annotations

import dataclasses
import json
import zlib

import torch
from torch import nn
from torch.autograd.function import once_differentiable

from ..constants import Dtype, StageKind
from ..context import Context
from ..engine import Engine
from ..model import Model

DTYPES = {Dtype.FLOAT32: torch.float32, Dtype.FLOAT64: torch.float64}


@dataclasses.dataclass(frozen=True)
class _Call:
    """A forward that a backward may follow."""

    ticket: int  # the engine's
    number: int  # what is drawn in it, and in its vjp, depends on this
    training: bool
    check: int  # of its output's bits


class _Equilibrium(torch.autograd.Function):
    @staticmethod
    def forward(ctx, layer, x, *parameters):
        output, ctx.call = layer._forward(x)
        ctx.layer = layer
        ctx.save_for_backward(x, *parameters)  # PyTorch says so if they have changed by then
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx, cotangent):
        x, *parameters = ctx.saved_tensors
        wanted = ctx.needs_input_grad[1:]
        input_cotangent, gradients = ctx.layer._backward(ctx.call, x, cotangent, wanted[0])
        return None, input_cotangent, *(part if want else None for part, want in zip(gradients, wanted[1:]))


class _Part(nn.Module):
    """Holds parameters under the names that the library has for them: stage0.0.weight."""

    def extra_repr(self):
        return ", ".join(f"{name} {list(value.shape)}" for name, value in self._parameters.items())


class EnergyLayer(nn.Module):
    """A chain of feedforward and energy blocks as a layer: [batch, in...] -> [batch, out...], at the free equilibrium.

    model: a Model that is ready, or a description as in Model.parse (then `context`, `seed` and `dtype` say how it is
    made). max_batch: the largest batch that a backward may follow. scale: of ffebm_engine_vjp; 0 means a loss that is a
    mean over the batch. settings: of EquilibriumConfig, for all energy blocks, as beta=0.1, estimator="implicit".

    The module's parameters and buffers are the model's own memory, under the library's names; optimizers of PyTorch
    write to it. The backward is that of the engine: vector-Jacobian products, and in energy blocks the estimator's. A
    backward whose forward is no longer the engine's last repeats it, to the bit. On the CPU, in float32 or float64;
    train() and eval() are the engine's modes. One derivative: there is none of the backward.
    """

    def __init__(self, model: Model | dict | str | bytes, max_batch: int = 128, scale: float = 0.0, *,
                 context: Context | None = None, seed: int = 0, dtype=None, **settings):
        super().__init__()
        if not isinstance(model, Model):
            model = _parsed(model, context or Context(threads=torch.get_num_threads()), dtype).initialize(seed)
        self.max_batch, self.scale = max_batch, scale
        self.calls = 0  # forwards and backwards so far: set it with your training step, and a resumed run draws the same
        self._take(model)
        if settings:
            self.engine.configure(**settings)

    @classmethod
    def build(cls, input_shape, *blocks, dtype="float32", seed: int = 0, context: Context | None = None, **settings):
        """Of blocks, as Model.add takes them: EnergyLayer.build((32, 8, 8), Hopfield(Coupling("dense", out=64)))."""
        model = Model(context or Context(threads=torch.get_num_threads()), input_shape, dtype=dtype)
        for block in blocks:
            model.add(block)
        return cls(model.initialize(seed), **settings)

    def _take(self, model):
        """Compute on this model, and show its values."""
        self.model, self.engine = model, Engine(model, self.max_batch)
        self.dtype = DTYPES[model.info.dtype]
        self._facts = [model.parameter(i) for i in range(model.info.parameter_count)]
        self._memory = {name: torch.from_numpy(array) for arrays in (model.parameters, model.buffers)
                        for name, array in arrays.items()}
        for fact in self._facts:
            part, leaf = self._part_of(fact.name)
            if leaf in part._parameters:
                part._parameters[leaf].data = self._memory[fact.name]
            else:
                part.register_parameter(leaf, nn.Parameter(self._memory[fact.name], requires_grad=not fact.frozen))
        for name in model.buffers:
            part, leaf = self._part_of(name)
            part.register_buffer(leaf, self._memory[name])

    def _part_of(self, name):
        *path, leaf = name.split(".")
        part = self
        for step in path:
            if step not in part._modules:
                part.add_module(step, _Part())
            part = part._modules[step]
        return part, leaf

    def _values(self):
        """The parameters as they are now. What was given other memory, with .data or assign=True, is copied back."""
        for name, memory in self._memory.items():
            part, leaf = self._part_of(name)
            value = part._parameters.get(leaf, part._buffers.get(leaf))
            if value.data_ptr() != memory.data_ptr():
                if value.shape != memory.shape or value.dtype != memory.dtype:
                    raise TypeError(f"{name} is now {value.dtype} {list(value.shape)}, expected {memory.dtype} "
                                    f"{list(memory.shape)}")
                with torch.no_grad():
                    memory.copy_(value)
                value.data = memory
        return [self._part_of(fact.name)[0]._parameters[fact.name.rpartition(".")[2]] for fact in self._facts]

    # ------------------------------------------------------------------------------------------------------- computing

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[batch, in...] -> [batch, out...]; without a gradient to come, in evaluation mode any number of samples."""
        if x.dtype != self.dtype or x.device.type != "cpu":
            raise TypeError(f"input is {x.dtype} on {x.device}, expected {self.dtype} on the CPU")
        parameters = self._values()
        if torch.is_grad_enabled() and (x.requires_grad or any(value.requires_grad for value in parameters)):
            return _Equilibrium.apply(self, x, *parameters)
        return self._forward(x, keep=False)[0]

    def _forward(self, x, keep=True):
        self.calls += 2  # one number for the forward, one for its vjp
        output = self._run(x, self.calls - 2, self.training, keep)
        return output, _Call(self.engine.ticket, self.calls - 2, self.training, _check(output)) if keep else None

    def _run(self, x, number, training, keep=True):
        mode = "training" if training else "evaluation"
        if self.engine.mode.name.lower() != mode:
            self.engine.set_mode(mode)
        self.engine.set_step(number)
        return torch.from_numpy(self.engine.forward(_array(x), keep=keep))

    def _backward(self, call, x, cotangent, want_input):
        if self.engine.ticket != call.ticket or self.engine.mode.name != ("TRAINING" if call.training else "EVALUATION"):
            call = self._repeated(call, x)
        self.engine.set_step(call.number + 1)
        input_cotangent = self.engine.vjp(_array(cotangent), scale=self.scale, want_input=want_input, ticket=call.ticket)
        flat = torch.from_numpy(self.engine.flat_gradient).clone() if self._facts else None  # the engine's is used again
        gradients = [flat[fact.offset:fact.offset + fact.count].view(fact.shape) for fact in self._facts]
        return None if input_cotangent is None else torch.from_numpy(input_cotangent), gradients

    def _repeated(self, call, x):
        """The forward once more. Running statistics have moved for it already."""
        buffers = {name: self._memory[name].clone() for name in self.model.buffers}
        output = self._run(x, call.number, call.training)
        for name, value in buffers.items():
            self._memory[name].copy_(value)
        if _check(output) != call.check:
            raise RuntimeError("EnergyLayer: another forward came between this backward and its own, and that cannot be "
                               "repeated: values, running statistics, settings or a start state have changed since")
        return dataclasses.replace(call, ticket=self.engine.ticket)

    @torch.no_grad()
    def clamp_(self) -> EnergyLayer:
        """Put parameters back within the model's bounds, which PyTorch's optimizers do not know: call it after a step."""
        for fact in self._facts:
            self._memory[fact.name].clamp_(fact.lower, fact.upper)
        return self

    # ------------------------------------------------------------------------------------------- what modules are asked

    def extra_repr(self):
        return repr(self.model)

    def _apply(self, fn, *rest):
        """float() and double() make a model of the other type; other memory than the model's there cannot be."""
        sample = fn(torch.empty(0, dtype=self.dtype))
        if sample.device.type != "cpu" or sample.dtype not in DTYPES.values():
            raise TypeError(f"EnergyLayer computes on the CPU in float32 or float64, not on {sample.device} in {sample.dtype}")
        if sample.is_shared():
            raise TypeError("EnergyLayer: its memory is the library's, and cannot be shared between processes")
        if sample.dtype != self.dtype:
            dtype = str(sample.dtype).rpartition(".")[2]
            values, engine = dict(self._memory), self.engine
            self._take(_parsed(self.model.description, self.model.context, dtype).initialize())
            for name, value in values.items():
                self._memory[name].copy_(value)
            _configure_as(self.engine, engine)
            for value in self.parameters():
                if value.grad is not None:
                    value.grad = fn(value.grad)
        return self

    def __reduce__(self):
        """Copies and pickles have a model and a context of their own."""
        state = {name: value.numpy().copy() for name, value in self._memory.items()}
        wanted = {name: value.requires_grad for name, value in self.named_parameters()}
        settings = {stage: bytes(self.engine.equilibrium(stage)) for stage in _energy_stages(self.model)}
        return _restored, (type(self), self.model.context.threads, json.dumps(self.model.description), state, wanted,
                           settings, (self.max_batch, self.scale, self.calls, self.training))


def _parsed(description, context, dtype=None):
    if isinstance(description, dict):
        description = {"loss": "none", **description}
    return Model.parse(context, description, dtype)


def _energy_stages(model):
    return [i for i in range(model.info.stage_count) if model.stage(i).kind is StageKind.ENERGY]


def _configure_as(engine, other):
    for stage in _energy_stages(engine.model):
        engine.configure(other.equilibrium(stage), stage)


def _restored(kind, threads, description, state, wanted, settings, rest):
    max_batch, scale, calls, training = rest
    layer = kind(Model.parse(Context(threads=threads), description).initialize(), max_batch, scale)
    for name, value in state.items():
        layer._memory[name].copy_(torch.from_numpy(value))
    for name, value in layer.named_parameters():
        value.requires_grad_(wanted[name])
    for stage, config in settings.items():
        layer.engine.configure(type(layer.engine.equilibrium(stage)).from_buffer_copy(config), stage)
    layer.calls = calls
    return layer.train(training)


def _array(tensor):
    return tensor.detach().contiguous().numpy()


def _check(output):
    return zlib.crc32(output.numpy())
