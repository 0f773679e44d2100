"""The layer for PyTorch: its gradient against differences, its memory, its forwards and their order; and weights that
come from PyTorch."""
import copy
import io
import pickle
import unittest

import numpy as np

import ffebm

try:
    import torch
except ImportError:
    raise unittest.SkipTest("PyTorch is not installed (Debian: python3-torch)") from None

from ffebm.torch import EnergyLayer, load_torch, to_torch

SETTLED = {"free_tolerance": 1e-13, "free_sweeps": 2000, "nudged_tolerance": 1e-13, "nudged_sweeps": 2000}
DRAWN = {"type": "uniform", "gain": 0.3, "bias": 0.8}
HOPFIELD = {"energy": {"type": "hopfield", "activation": {"type": "hard_sigmoid", "slope": 0.5},
                       "couplings": [{"type": "dense", "out_features": 7}, {"type": "dense", "out_features": 5}]}}
DENSE = {"input": [6], "initialization": DRAWN,
         "stages": [{"feedforward": [{"type": "linear", "out_features": 8}]}, HOPFIELD]}
RESISTIVE = {"input": [4], "stages": [{"energy": {"type": "resistive", "couplings": [
    {"type": "dense", "out_features": 5}, {"type": "dense", "out_features": 3}]}}]}
IMAGES = {"input": [2, 5, 5], "initialization": DRAWN, "stages": [
    {"feedforward": [{"type": "conv2d", "out_channels": 3, "kernel": 3}, {"type": "batchnorm2d"}, {"type": "relu"}]},
    {"energy": {"type": "hopfield", "activation": {"type": "hard_sigmoid", "slope": 0.5}, "couplings": [
        {"type": "conv2d", "out_channels": 4, "kernel": 3, "padding": 1}, {"type": "dense", "out_features": 3}]}}]}


def layer_of(description=DENSE, dtype="float64", **settings):
    return EnergyLayer(description, dtype=dtype, seed=1, **{"estimator": "implicit", **SETTLED, **settings})


def inputs(layer, rows=3, seed=0, **options):
    drawn = np.random.default_rng(seed).uniform(0, 1, (rows, *layer.model.info.input_shape))
    return torch.from_numpy(drawn).to(layer.dtype).requires_grad_(options.get("requires_grad", True))


def checked(layer, x, **tolerances):
    return torch.autograd.gradcheck(lambda x, *_: layer(x), (x, *layer.parameters()), **tolerances)


def gradients(layer, value):
    layer.zero_grad()
    value.backward()
    return [parameter.grad.clone() for parameter in layer.parameters()]


class Gradients(unittest.TestCase):
    def test_gradcheck(self):
        for description in (DENSE, RESISTIVE, IMAGES):
            for training in (True, False):
                layer = layer_of(description).train(training)
                if description is RESISTIVE:  # away from its bounds
                    layer.model.flat_parameters[:] = np.linspace(0.2, 1, layer.model.info.element_count)
                self.assertTrue(checked(layer, inputs(layer)))

    def test_equilibrium_propagation(self):
        """It passes within what its beta allows, and is off by a multiple of beta squared."""
        layer = layer_of()
        x = inputs(layer)
        layer.engine.configure(beta=1e-3, **SETTLED)
        self.assertTrue(checked(layer, x, atol=1e-5))
        smooth = copy.deepcopy(DENSE)
        smooth["stages"][1]["energy"]["activation"] = {"type": "tanh", "slope": 0.5}
        layer = layer_of(smooth)
        exact, errors = gradients(layer, layer(x).sin().sum()), []
        for beta in (0.2, 0.1):
            layer.engine.configure(beta=beta, **SETTLED)
            found = gradients(layer, layer(x).sin().sum())
            errors.append(sum(((a - b)**2).sum() for a, b in zip(found, exact)).sqrt().item())
        self.assertGreater(errors[1], 0)
        self.assertAlmostEqual(errors[0] / errors[1], 4, 0)
        self.assertFalse(checked(layer, x, atol=1e-8, rtol=1e-8, raise_exception=False))

    def test_inside_a_network(self):
        """As the library's own gradient of the same chain, readout and loss."""
        whole = ffebm.Model.parse(ffebm.Context(), {**DENSE, "dtype": "float64", "loss": "cross_entropy", "stages": [
            *DENSE["stages"], {"feedforward": [{"type": "linear", "out_features": 3}]}]}).initialize(1)
        engine, labels = ffebm.Engine(whole), torch.tensor([0, 2, 1])
        engine.configure(estimator="implicit", **SETTLED)
        layer, readout = layer_of(), torch.nn.Linear(5, 3).double()
        load_torch(layer.model, {name: torch.from_numpy(value) for name, value in whole.parameters.items()
                                 if not name.startswith("stage2")})
        readout.load_state_dict(to_torch(whole, {"stage2.0.weight": "weight", "stage2.0.bias": "bias"}))
        x = inputs(layer, requires_grad=False)
        loss = torch.nn.functional.cross_entropy(readout(layer(x)), labels)
        loss.backward()
        self.assertAlmostEqual(loss.item(), engine.gradient(x.numpy(), labels.numpy()).loss, 12)
        for name, parameter in layer.named_parameters():
            np.testing.assert_allclose(parameter.grad, engine.gradients[name], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(readout.weight.grad, engine.gradients["stage2.0.weight"], rtol=1e-9, atol=1e-12)

    def test_what_is_not_wanted(self):
        layer = layer_of()
        layer.stage0.requires_grad_(False)
        layer(inputs(layer, requires_grad=False)).sum().backward()
        self.assertIsNone(layer.stage0._modules["0"].weight.grad)
        self.assertTrue(layer.stage1._modules["0"].weight.grad.any())
        frozen = copy.deepcopy(DENSE)
        frozen["stages"][0]["feedforward"][0]["frozen"] = True
        self.assertEqual([value.requires_grad for value in layer_of(frozen).parameters()][:3], [False, False, True])
        with torch.no_grad():
            self.assertFalse(layer(inputs(layer)).requires_grad)
        with self.assertRaisesRegex(RuntimeError, "once_differentiable"):
            x = inputs(layer)
            torch.autograd.grad(layer(x).sin().sum(), x, create_graph=True)[0].sum().backward()


class Order(unittest.TestCase):
    """Forwards that come between a forward and its backward."""

    def test_twice_in_one_graph(self):
        for training in (True, False):
            layer = layer_of(IMAGES).train(training)
            a, b = inputs(layer, seed=1), inputs(layer, rows=4, seed=2)
            alone = [gradients(layer, layer(x).sin().sum()) for x in (a, b)]
            both = gradients(layer, layer(a).sin().sum() + layer(b).sin().sum())
            for first, second, found in zip(*alone, both):
                torch.testing.assert_close(found, first + second, rtol=1e-12, atol=1e-12)

    def test_after_itself(self):
        square = layer_of({"input": [5], "initialization": DRAWN, "stages": [HOPFIELD]})
        self.assertTrue(torch.autograd.gradcheck(lambda x, *_: square(square(x)), (inputs(square), *square.parameters())))

    def test_running_statistics_move_once(self):
        layers = [layer_of(IMAGES) for _ in range(2)]
        a, b = (inputs(layers[0], seed=seed) for seed in (1, 2))
        first, second = layers[0](a), layers[0](b)
        (first.sum() + second.sum()).backward()
        layers[1](a).sum().backward()
        layers[1](b).sum().backward()
        for name, buffer in layers[0].named_buffers():
            self.assertTrue(torch.equal(buffer, dict(layers[1].named_buffers())[name]), name)

    def test_drawn_signs_are_drawn_again(self):
        """A backward has the same bits, whether its forward was the last or is repeated, once or twice."""
        found = []
        for between in (False, True):
            layer = layer_of(estimator="random_sign", beta=0.5)
            x = inputs(layer, rows=8)
            output = layer(x)
            if between:
                layer(inputs(layer, seed=5))
            found.append(torch.autograd.grad(output.sum(), x, retain_graph=True)[0])
            found.append(torch.autograd.grad(output.sum(), x)[0])
        for other in found[1:]:
            self.assertTrue(torch.equal(found[0], other))

    def test_evaluation_in_between(self):
        layer = layer_of(IMAGES)
        x = inputs(layer)
        expected = gradients(layer, layer(x).sum())
        output = layer(x)
        with torch.no_grad():
            layer.eval()(inputs(layer, rows=300))
        layer.train()
        for one, other in zip(gradients(layer, output.sum()), expected):
            torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)

    def test_what_cannot_be_repeated_is_refused(self):
        layer = layer_of(IMAGES)
        for change in (lambda: layer.model.flat_parameters.__setitem__(0, 9),
                       lambda: layer.engine.configure(free_sweeps=1)):
            output = layer(inputs(layer))
            layer(inputs(layer, seed=5))
            change()
            with self.assertRaisesRegex(RuntimeError, "cannot be repeated"):
                output.sum().backward()
        output = layer(inputs(layer))
        torch.optim.SGD(layer.parameters(), lr=1).zero_grad()
        with torch.no_grad():
            next(layer.parameters()).add_(1)
        with self.assertRaisesRegex(RuntimeError, "modified by an inplace operation"):
            output.sum().backward()


class Modules(unittest.TestCase):
    def test_memory_is_shared(self):
        layer = layer_of(IMAGES)
        values = {**layer.model.parameters, **layer.model.buffers}
        self.assertEqual(set(layer.state_dict()), set(values))
        for name, value in layer.state_dict().items():
            self.assertEqual(value.data_ptr(), values[name].ctypes.data)
        optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
        before = layer.model.flat_parameters.copy()
        layer(inputs(layer)).sum().backward()
        optimizer.step()
        self.assertGreater(np.abs(layer.model.flat_parameters - before).min(), 0)
        layer.load_state_dict({name: torch.ones_like(value) for name, value in layer.state_dict().items()})
        self.assertTrue((layer.model.flat_parameters == 1).all())

    def test_other_memory_is_copied_back(self):
        layer = layer_of()
        vector = torch.full((layer.model.info.element_count,), 0.25, dtype=torch.float64)
        torch.nn.utils.vector_to_parameters(vector, layer.parameters())
        layer(inputs(layer))
        self.assertTrue((layer.model.flat_parameters == 0.25).all())
        vector += 1
        self.assertTrue((torch.nn.utils.parameters_to_vector(layer.parameters()) == 0.25).all())
        next(layer.parameters()).data = torch.zeros(2)
        with self.assertRaisesRegex(TypeError, "stage0.0.weight is now torch.float32"):
            layer(inputs(layer))

    def test_types(self):
        layer = layer_of(beta=0.3)
        x = inputs(layer)
        expected, named = layer(x), dict(layer.named_parameters())
        layer(x).sum().backward()
        network = torch.nn.Sequential(layer).float()
        self.assertIs(layer.dtype, torch.float32)
        self.assertEqual((layer.engine.equilibrium(1).beta, layer.stage0._modules["0"].weight.grad.dtype),
                         (0.3, torch.float32))
        torch.testing.assert_close(network(x.float()), expected.float())
        for name, parameter in layer.named_parameters():
            self.assertIs(parameter, named[name])
            self.assertEqual(parameter.data_ptr(), layer.model.parameters[name].ctypes.data)
        with self.assertRaisesRegex(TypeError, "input is torch.float64"):
            layer(x)
        for refused in (network.half, lambda: network.to("meta"), network.share_memory):
            with self.assertRaisesRegex(TypeError, "EnergyLayer"):
                refused()
        torch.testing.assert_close(network(x.float()), expected.float())

    def test_copies(self):
        layer = layer_of(IMAGES, beta=0.3, estimator="centered").eval()
        layer.stage0.requires_grad_(False)
        layer.calls = 8
        saved = io.BytesIO()
        torch.save(layer, saved)
        saved.seek(0)
        for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), torch.load(saved)):
            self.assertTrue(torch.equal(other(inputs(layer)), layer(inputs(layer))))
            self.assertEqual((other.training, other.engine.equilibrium(1).beta), (False, 0.3))
            self.assertEqual([p.requires_grad for p in other.parameters()], [p.requires_grad for p in layer.parameters()])
            other.model.flat_parameters[:] = 0
            self.assertTrue(layer.model.flat_parameters.any())

    def test_batches(self):
        layer = EnergyLayer(DENSE, max_batch=2)
        with self.assertRaisesRegex(ffebm.ShapeError, "max_batch"):
            layer(inputs(layer))
        with torch.no_grad():
            rows = layer.eval()(inputs(layer, rows=5))
        torch.testing.assert_close(rows[3:], layer(inputs(layer, rows=5)[3:]))
        turned = inputs(layer, rows=2).detach().t().contiguous().t().requires_grad_()
        layer(turned).sum().backward()
        straight = turned.detach().contiguous().requires_grad_()
        layer(straight).sum().backward()
        torch.testing.assert_close(turned.grad, straight.grad)

    def test_bounds(self):
        layer = EnergyLayer(RESISTIVE)
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.copy_(torch.linspace(-2, 2, parameter.numel()).view_as(parameter))
        self.assertIs(layer.clamp_(), layer)
        facts = [layer.model.parameter(i) for i in range(layer.model.info.parameter_count)]
        self.assertTrue(any(fact.lower == 0 for fact in facts))
        for fact in facts:
            free = torch.linspace(-2, 2, fact.count).numpy()
            np.testing.assert_array_equal(layer.model.parameters[fact.name].ravel(), free.clip(fact.lower, fact.upper))

    def test_built_of_blocks(self):
        layer = EnergyLayer.build(6, ffebm.Hopfield(ffebm.Coupling("dense", out=4)), beta=0.25)
        self.assertEqual((layer(inputs(layer)).shape, layer.engine.equilibrium(0).beta), ((3, 4), 0.25))
        self.assertIn("hopfield", repr(layer))


class Weights(unittest.TestCase):
    NAMES = {"stage0.0": "0", "stage0.1": "1", "stage0.4": "4"}

    def setUp(self):
        torch.manual_seed(3)
        self.module = torch.nn.Sequential(torch.nn.Conv2d(2, 4, 3, padding=1), torch.nn.BatchNorm2d(4), torch.nn.ReLU(),
                                          torch.nn.Flatten(), torch.nn.Linear(100, 3))
        self.module(torch.randn(20, 2, 5, 5) + 1)  # running statistics of some size
        self.x = torch.randn(6, 2, 5, 5)

    def model(self, dtype="float32", bias=True):
        return ffebm.Model.parse(ffebm.Context(), {"input": [2, 5, 5], "loss": "none", "dtype": dtype, "stages": [
            {"feedforward": [{"type": "conv2d", "out_channels": 4, "kernel": 3, "padding": 1}, {"type": "batchnorm2d"},
                             {"type": "relu"}, {"type": "flatten"},
                             {"type": "linear", "out_features": 3, "bias": bias}]}]}).initialize()

    def test_outputs_agree(self):
        model = self.model()
        loaded = load_torch(model, self.module.state_dict(), self.NAMES)
        self.assertEqual(set(loaded), {*model.parameters, *model.buffers})
        engine = ffebm.Engine(model)
        difference = np.abs(engine.forward(self.x.numpy(), keep=False) - self.module(self.x).detach().numpy()).max()
        self.assertLess(difference, 1e-6)
        self.module.eval()
        load_torch(model, self.module.state_dict(), self.NAMES)
        difference = np.abs(engine.predict(self.x.numpy()) - self.module(self.x).detach().numpy()).max()
        self.assertLess(difference, 1e-6)

    def test_there_and_back(self):
        for dtype in ("float32", "float64"):
            model = self.model(dtype)
            load_torch(model, self.module.state_dict(), self.NAMES)
            other = copy.deepcopy(self.module)
            for value in other.state_dict().values():
                value.zero_()
            other.load_state_dict(to_torch(model, self.NAMES))
            for name, value in other.state_dict().items():
                if "num_batches" not in name:
                    self.assertTrue(torch.equal(value, self.module.state_dict()[name]), name)

    def test_halves(self):
        for kind in (torch.float16, torch.bfloat16):
            half = copy.deepcopy(self.module).to(kind)
            for dtype in ("float32", "float64"):
                model = self.model(dtype)
                load_torch(model, half.state_dict(), self.NAMES)
                for ours, value in {**model.parameters, **model.buffers}.items():
                    theirs = ours.split(".", 1)[1]
                    np.testing.assert_array_equal(value, half.state_dict()[theirs].to(torch.float64).numpy())

    def test_couplings(self):
        """An energy block takes weights as well, and a layer those of another."""
        layer, linear = layer_of(), torch.nn.Linear(8, 7).double()
        load_torch(layer.model, linear.state_dict(), {"stage1.0.weight": "weight", "stage1.0.bias": "bias"})
        self.assertTrue(torch.equal(layer.stage1._modules["0"].weight, linear.weight))
        other = EnergyLayer(DENSE, dtype="float64", seed=9)
        load_torch(other.model, layer.state_dict())
        np.testing.assert_array_equal(other.model.flat_parameters, layer.model.flat_parameters)

    def test_refused(self):
        values = self.module.state_dict()
        for change, names, error, words in (
                (lambda v: v.pop("0.bias"), self.NAMES, KeyError, "lacks 0.bias"),
                (lambda v: v.update({"4.weight": torch.ones(3, 99)}), self.NAMES, ValueError, r"4.weight is \[3, 99\]"),
                (lambda v: v.update({"4.bias": torch.ones(3, dtype=torch.int32)}), self.NAMES, TypeError, "int32"),
                (lambda v: v.update({"1.extra": torch.ones(3)}), self.NAMES, KeyError, "no place for 1.extra"),
                (lambda v: None, {"stage0.7": "0"}, KeyError, "the model has no stage0.7"),
                (lambda v: None, None, KeyError, "lacks stage0.0.weight")):
            model, given = self.model(), dict(values)
            change(given)
            before = model.flat_parameters.copy()
            with self.assertRaisesRegex(error, words):
                load_torch(model, given, names)
            np.testing.assert_array_equal(model.flat_parameters, before)
        with self.assertRaisesRegex(KeyError, "no place for 4.bias"):
            load_torch(self.model(bias=False), values, self.NAMES)
        with self.assertRaisesRegex(ValueError, "initialize it first"):
            load_torch(ffebm.Model(ffebm.Context(), 4), values)


if __name__ == "__main__":
    unittest.main()
