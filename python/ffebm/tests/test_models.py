"""Models, engines, optimizers, checkpoints: every method once, against what it must equal."""
import json
import os
import tempfile
import unittest

import ffebm
import numpy as np
from .chains import DESCRIPTION, Quadratic, batch, chain_of, model_of, settled


class Models(unittest.TestCase):
    def test_built_by_calls(self):
        parsed = ffebm.Model.parse(ffebm.Context(), json.dumps(DESCRIPTION))
        built = ffebm.Model(ffebm.Context(), (4,), "cross_entropy", "float64")
        built.set_initialization(gain=0.3, bias=0.8, constant_bias=1)
        built.add(ffebm.Feedforward(ffebm.Op("linear", out=6), ffebm.Op("tanh")))
        built.add(ffebm.Hopfield(ffebm.Coupling("dense", out=5))).add(ffebm.Feedforward(ffebm.Op("linear", out=3)))
        self.assertEqual(built.description["stages"], parsed.description["stages"])
        self.assertFalse(built.info.ready or built.parameters)
        self.assertIsNone(built.flat_parameters)
        np.testing.assert_array_equal(built.initialize(3).flat_parameters, parsed.initialize(3).flat_parameters)

    def test_couplings_join_layers(self):
        model = ffebm.Model(ffebm.Context(), (2, 4, 4))
        model.add(ffebm.Hopfield(ffebm.Coupling("conv2d", out=3, kernel=3, padding=1, pool="average", pool_kernel=2),
                                 ffebm.Coupling("dense", out=5),
                                 ffebm.Coupling("dense", out=5, from_=0, to=2, bias=False)))
        self.assertEqual(model.initialize().parameters["stage0.2.weight"].shape, (5, 32))
        with self.assertRaisesRegex(ffebm.ArgumentError, "to is 1, expected a layer above from, which is 1"):
            model.add(ffebm.Hopfield(ffebm.Coupling("dense", out=5), ffebm.Coupling("dense", out=5, from_=1, to=1)))

    def test_convolutions(self):
        model = ffebm.Model(ffebm.Context(), (3, 8, 8))
        convolution = ffebm.Op("conv2d", out=4, kernel=3, padding=(1, 1), bias=0)
        model.add(ffebm.Feedforward(convolution, ffebm.Op("batchnorm2d")))
        model.add(ffebm.Hopfield(ffebm.Coupling("conv2d", out=5, kernel=3, padding=1, pool="max", pool_kernel=2),
                                 clamp_last=1))
        self.assertEqual(model.stage(1).output_shape, (5, 4, 4))
        self.assertEqual(model.layer(0, 0), ffebm.LayerInfo((4, 8, 8), 256))
        self.assertEqual(list(model.initialize().buffers), ["stage0.1.running_mean", "stage0.1.running_var"])

    def test_devices(self):
        model = ffebm.Model(ffebm.Context(), 5, "mse", "float64")
        model.add(ffebm.Feedforward(ffebm.Op("linear", out=6))).add(ffebm.Hopfield(ffebm.Coupling("dense", out=4)))
        model.set_device(seed=3, weight_dtod=0.2, output_noise=0.1, read="all")
        model.initialize(1)
        self.assertEqual((model.stage(0).device, model.stage(1).device), (False, True))
        self.assertEqual((model.device(1).seed, model.device(1).read), (3, ffebm.constants.Read.ALL))
        self.assertEqual(model.description["stages"][1]["energy"]["device"],
                         {"seed": 3, "weight": {"dtod": 0.2}, "output": {"noise": 0.1}, "read": "all"})
        weight = model.parameters["stage1.0.weight"]
        ratio = model.effective("stage1.0.weight") / weight
        self.assertGreater(ratio.std(), 0.1)
        np.testing.assert_array_equal(model.effective("stage0.0.weight"), model.parameters["stage0.0.weight"])
        engine, x = ffebm.Engine(model), np.random.default_rng(4).uniform(0, 1, (3, 5))
        with self.assertRaisesRegex(ffebm.StateError, "an engine or optimizer of it exists"):
            model.set_device(seed=4)
        noisy = [engine.evaluate(x, np.zeros((3, 4))).loss for _ in range(2)]
        engine.set_noise(False)
        quiet = [engine.evaluate(x, np.zeros((3, 4))).loss for _ in range(2)]
        self.assertNotEqual(*noisy)
        self.assertEqual(*quiet)
        del engine
        model.set_device(1, preset="reram_sb", weight_stuck=0.1)
        device = model.device(1)
        self.assertEqual((device.weight_max, device.update_step, device.weight_stuck),
                         (1.25, ffebm.constants.Step.SOFT_BOUNDS, 0.1))
        with self.assertRaisesRegex(ffebm.NotFoundError, "expected one of idealized"):
            model.set_device(preset="flash")
        self.assertEqual(model.pulses(1), ffebm.PulseInfo(0, 0, 0, 0))
        engine = ffebm.Engine(model)
        engine.gradient(x, np.ones((3, 4)))
        ffebm.Sgd(model, learning_rate=1, momentum=0).step(engine)
        self.assertGreater(model.pulses().up, 0)
        free, nudged = (engine.ledger(1, part) for part in ("free", "nudged"))
        self.assertEqual((free.settlings, nudged.settlings, engine.ledger(1, "update").pulses), (1, 2, 0))
        self.assertEqual(engine.ledger(trained_samples=3).pulses, (model.pulses().up + model.pulses().down) / 3)
        self.assertEqual(engine.ledger(adc_8=0, converter_bits=8, digital_add=0).measured, False)
        with self.assertRaisesRegex(ffebm.ArgumentError, "digital_rate is 0"):
            engine.ledger(digital_rate=0)
        del engine
        model.set_device(1)
        self.assertFalse(model.stage(1).device)

    def test_update_rules(self):
        model = ffebm.Model(ffebm.Context(), 5, "mse", "float64")
        model.add(ffebm.Feedforward(ffebm.Op("linear", out=6))).add(ffebm.Hopfield(ffebm.Coupling("dense", out=4)))
        model.initialize(1)
        kept, answers = [], []

        def halved(update):
            kept.append(update)
            self.assertEqual((update.name, update.values.shape), ("stage1.0.weight", (4, 6)))
            update.values[:] += update.request / 2
            if answers:
                raise answers.pop()

        model.set_update("stage1.0.weight", halved)
        engine, sgd = ffebm.Engine(model), ffebm.Sgd(model, learning_rate=1, momentum=0)
        engine.gradient(np.random.default_rng(4).uniform(0, 1, (3, 5)), np.ones((3, 4)))
        before = {name: array.copy() for name, array in model.parameters.items()}
        answers.append(ZeroDivisionError("of the rule"))
        with self.assertRaisesRegex(ZeroDivisionError, "of the rule"):
            sgd.step(engine)
        for name, array in model.parameters.items():
            np.testing.assert_array_equal(array, before[name])
        sgd.step(engine)
        gradient = engine.gradients["stage1.0.weight"]
        self.assertGreater(np.abs(gradient).max(), 0)
        np.testing.assert_allclose(model.parameters["stage1.0.weight"], before["stage1.0.weight"] - gradient / 2, atol=1e-14)
        self.assertEqual([update.step for update in kept], [1, 1])
        with self.assertRaisesRegex(ffebm.StateError, "the rule has returned"):
            kept[0].values
        with self.assertRaisesRegex(ffebm.StateError, "an engine or optimizer of it exists"):
            model.set_update("", None)
        del engine, sgd, gradient, array
        model.set_update("", None)
        with self.assertRaises(ffebm.NotFoundError):
            model.set_update("stage7", halved)

    def test_taps(self):
        model = ffebm.Model(ffebm.Context(), 5, "mse", "float64")
        model.add(ffebm.Feedforward(ffebm.Op("linear", out=6)))
        model.add_tap(ffebm.Feedforward(ffebm.Op("linear", out=4)), 1).add_tap(ffebm.Feedforward(), 2)
        with self.assertRaisesRegex(TypeError, "Hopfield, expected Feedforward"):
            model.add_tap(ffebm.Hopfield(), 3)
        with self.assertRaisesRegex(ffebm.ArgumentError, "stage 0 tap 2: it gives to layer 2, as tap 1 does"):
            model.add_tap(ffebm.Feedforward(), 2)
        model.add(ffebm.Hopfield(ffebm.Coupling("dense", out=4), ffebm.Coupling("dense", out=5))).initialize(1)
        self.assertEqual([model.stage(i).tap_count for i in range(2)], [2, 0])
        self.assertEqual(model.description["stages"][0]["taps"][1], {"to": 2, "ops": []})
        self.assertEqual(model.parameters["stage0.tap0.0.weight"].shape, (4, 5))
        engine, x = ffebm.Engine(model), np.random.default_rng(4).uniform(0, 1, (3, 6))
        engine.settle(1, x)
        at = [engine.state(1, layer, 3) for layer in (1, 2)]
        free, given = engine.energy(1, x), np.full((3, 5), 0.25)
        engine.set_input(1, 2, given)  # a term of the energy, - <x_2, s_2>
        np.testing.assert_allclose(engine.energy(1, x), free - 0.25 * at[1].sum(1), rtol=1e-12)
        np.testing.assert_array_equal(engine.input(1, 2, 3), given)
        np.testing.assert_array_equal(engine.input(1, 0, 3), x)
        with self.assertRaisesRegex(ffebm.ArgumentError, "layer 0 has no input that could be set"):
            engine.set_input(1, 0, x)

    def test_facts(self):
        model = model_of()
        self.assertEqual((model.info.parameter_count, model.info.output_shape, model.info.ready), (6, (3,), True))
        self.assertIs(model.info.dtype, ffebm.constants.Dtype.FLOAT64)
        self.assertEqual((model.stage(1).type, model.stage(1).layer_count), ("hopfield", 2))
        self.assertEqual(model.parameter(model.find("stage2.0.weight")).shape, (3, 5))
        self.assertIsNone(model.find("stage9.0.weight"))
        self.assertEqual(model.equilibrium().estimator, ffebm.constants.Estimator.FOUR_POINT)
        self.assertEqual(model.equilibrium(free_sweeps=7).free_sweeps, 7)
        self.assertEqual((model.equilibrium().beta, model.equilibrium().estimator), (0.125, 5))
        self.assertAlmostEqual(model.learning_rate(20, 10), 0.3)
        model.set_equilibrium(beta=0.5)
        self.assertEqual((model.equilibrium().beta, model.description["recipe"]["beta"], model.recipe.lr),
                         (0.5, 0.5, 0.5))
        with self.assertRaises(ffebm.ArgumentError):
            model.set_recipe(epochs=0)
        with self.assertRaises(ffebm.ArgumentError):
            model.stage(3)

    def test_refused(self):
        context = ffebm.Context()
        with self.assertRaisesRegex(ffebm.ParseError, '"stages" is missing'):
            ffebm.Model.parse(context, {"input": [1], "loss": "mse"})
        with self.assertRaisesRegex(TypeError, "OpConfig has no 'out_features', expected one of initialization, out"):
            ffebm.Op("linear", out_features=3)
        with self.assertRaisesRegex(ValueError, "Estimator is 'central', expected one of centered"):
            ffebm.EquilibriumConfig(estimator="central")
        model = ffebm.Model(context, 4)
        with self.assertRaisesRegex(ffebm.ShapeError, "stage 0 op 0"):
            model.add(ffebm.Feedforward(ffebm.Op("conv2d", out=2, kernel=3)))
        self.assertEqual(model.info.stage_count, 0)

    def test_errors(self):
        for status in ffebm.constants.Status:
            if status != 0:
                error = ffebm.errors.error_of(status, None)
                self.assertIsInstance(error, ffebm.Error)
                self.assertEqual(error.status, status)
                self.assertTrue(str(error).startswith(f"FFEBM_ERR_{status.name}: "))
        for name, kind in (("FileError", OSError), ("NotFoundError", LookupError), ("OutOfMemoryError", MemoryError)):
            self.assertTrue(issubclass(getattr(ffebm, name), kind))
        self.assertEqual(ffebm.errors.error_of(-99, None).status, -99)


class Engines(unittest.TestCase):
    def test_training(self):
        model, (x, y) = model_of(), batch()
        engine, optimizer = ffebm.Engine(model, max_batch=5), ffebm.Adam(model, learning_rate=0.02)
        engine.configure(model.equilibrium())
        losses = []
        for _ in range(100):
            losses.append(engine.gradient(x, y).loss)
            optimizer.step(engine)
        self.assertLess(losses[-1], 0.8 * losses[0])
        self.assertEqual(engine.evaluate(np.tile(x, (3, 1)), np.tile(y, 3)).batch, 15)

    def test_gradient_by_name(self):
        model, (x, y) = model_of(), batch()
        engine = ffebm.Engine(model)
        report = engine.gradient(x, y, weights=np.ones(5))
        self.assertAlmostEqual(np.linalg.norm(engine.flat_gradient), report.gradient_norm)
        before = model.flat_parameters.copy()
        engine.gradients["stage0.0.bias"][:] = 0
        optimizer = ffebm.Sgd(model, learning_rate=1, momentum=0)
        optimizer.set_multipliers("stage2", learning_rate=0)
        optimizer.set_learning_rate(0.25)
        model.set_bounds("stage1.0.bias", upper=0.5)
        optimizer.step(engine)
        after = {name: value - model.parameters[name] for name, value in model_like(model, before).items()}
        self.assertFalse(after["stage0.0.bias"].any() or after["stage2.0.weight"].any())
        np.testing.assert_allclose(after["stage0.0.weight"], engine.gradients["stage0.0.weight"] / 4)
        np.testing.assert_array_equal(model.parameters["stage1.0.bias"], 0.5)

    def test_vjp_is_the_derivative_of_forward(self):
        engine, (x, _) = ffebm.Engine(model_of()), batch()
        engine.configure(**settled())
        u, v = np.random.default_rng(5).normal(size=(2, 5, 4))
        v = np.ascontiguousarray(v[:, :3])
        ends = [engine.forward(x + step * u, keep=False) for step in (1e-5, -1e-5)]
        slope = ((ends[0] - ends[1]) / 2e-5 * v).sum()
        engine.forward(x)
        self.assertAlmostEqual((engine.vjp(v) * u).sum() / slope, 1, 5)
        self.assertIsNone(engine.vjp(v, want_input=False))

    def test_a_vjp_knows_its_forward(self):
        engine, (x, _) = ffebm.Engine(model_of()), batch()
        v = np.ones((5, 3))
        with self.assertRaises(ffebm.Error):
            engine.vjp(v)
        engine.forward(x)
        expected = engine.vjp(v)
        first = engine.ticket
        engine.forward(x)
        engine.forward(x + 1)
        with self.assertRaisesRegex(ffebm.StateError, "2 forwards"):
            engine.vjp(v)
        engine.forward(x)
        np.testing.assert_array_equal(engine.vjp(v), expected)
        with self.assertRaisesRegex(ffebm.StateError, f"ticket {first} asked for"):
            engine.vjp(v, ticket=first)
        np.testing.assert_array_equal(engine.vjp(v, ticket=engine.ticket), expected)
        engine.model.flat_parameters[-1] += 1
        with self.assertRaisesRegex(ffebm.StateError, "written to"):
            engine.vjp(v)
        engine.model.flat_parameters[-1] -= 1

    def test_outputs_of_any_number(self):
        engine, (x, y) = ffebm.Engine(model_of(), max_batch=2), batch()
        with self.assertRaises(ffebm.ShapeError):
            engine.forward(x, keep=False)  # in training mode
        engine.set_mode("evaluation")
        outputs = engine.forward(x, keep=False)
        np.testing.assert_array_equal(outputs[2:4], engine.forward(x[2:4].copy()))
        kept = np.empty_like(outputs)
        self.assertEqual(engine.evaluate(x, y, output=kept).batch, 5)
        np.testing.assert_array_equal(kept, outputs)

    def test_by_hand(self):
        engine = ffebm.Engine(model_of())
        engine.configure(stage=1, **settled(free_tolerance=0, free_sweeps=500))
        engine.set_beta(0.5, stage=1)
        engine.set_sweeps(400, 300)
        s = np.random.default_rng(2).uniform(0, 1, (5, 6))
        engine.settle(1, s)
        free = engine.energy(1, s)
        engine.energy_gradient(1)
        self.assertTrue(engine.gradients["stage1.0.weight"].any())
        self.assertEqual((engine.phase("free", 1).samples, engine.phase("free").sweeps_max), (5, 400))
        first, last = engine.state(1, 0, 5), engine.state(1, 1, 5)
        engine.settle(1, s, force=np.ones((5, 5)))
        self.assertTrue((engine.state(1, 1, 5, "nudged") > last).all())
        engine.set_state(1, 0, first * 0.5)
        self.assertTrue((engine.energy(1, s) > free).all())

    def test_stable_beta(self):
        nodes = [{"type": "dense", "out_features": n} for n in (6, 1)]
        resistors = {"type": "resistive", "couplings": nodes}
        engine = ffebm.Engine(model_of({"dtype": "float64", "input": [4], "loss": "mse", "stages": [{"energy": resistors}]}))
        self.assertRaises(ffebm.StateError, engine.stable_beta, 0)
        engine.settle(0, np.ones((1, 4)))
        weights = engine.model.parameters["stage0.1.weight"]
        self.assertTrue(0 < engine.stable_beta(0) <= weights.sum() * (1 + 1e-12))

    def test_reports(self):
        engine, (x, y) = ffebm.Engine(model_of()), batch()
        engine.set_mode("evaluation")
        engine.set_label_smoothing(0.1)
        engine.set_step(9)
        smoothed = engine.gradient(x, y).loss
        self.assertNotEqual(smoothed, engine.evaluate(x, y).loss)
        engine.gradient(x, y)
        self.assertEqual(engine.layer(1, 1).units, 5)

    def test_certificate(self):
        engine, (x, y) = ffebm.Engine(model_of()), batch(3)
        engine.configure(**settled())
        worst = engine.certify(x, y, directions=4)
        self.assertTrue(worst.passed)
        names = [certificate.name for certificate in engine.certificates]
        self.assertEqual(names, [*engine.model.parameters, "input"])
        self.assertIn(worst, engine.certificates)

    def test_trace(self):
        engine, (x, y) = ffebm.Engine(model_of()), batch(3)
        engine.configure(nudged_sweeps=4)
        points = []
        self.assertTrue(engine.trace(x, y, points.append))
        self.assertEqual(len(points), 6 * 4)
        self.assertEqual({point.name for point in points}, set(engine.model.parameters))
        last = next(p for p in points if p.name == "stage1.0.weight" and p.sweep == 4)
        self.assertAlmostEqual(np.linalg.norm(last.estimate), last.estimate_norm)
        self.assertFalse(engine.trace(x, y, lambda point: point.sweep == 2))
        with self.assertRaises(ZeroDivisionError):
            engine.trace(x, y, lambda point: 1 / 0)

    def test_watch(self):
        """Energy falls from step to step, to the state that a gradient begins from."""
        engine, (x, y) = ffebm.Engine(model_of()), batch(3)
        engine.configure(**settled(beta=0.1, free_tolerance=1e-10))
        points = engine.watch(1, x, y)
        for phase in ffebm.constants.Phase:
            shown = [point for point in points if point.phase is phase]
            self.assertEqual([(p.sweep, p.step) for p in shown[:4]], [(0, 0), (1, 1), (1, 2), (2, 1)])
            self.assertEqual({point.steps for point in shown}, {2})
            energies = np.array([point.energy for point in shown])
            self.assertLess(np.diff(energies, axis=0).max(), 1e-13)
            self.assertGreater((energies[0] - energies[-1]).min(), 0)
        free = [point for point in points if point.phase is ffebm.constants.Phase.FREE][-1]
        engine.gradient(x, y)
        for layer, state in enumerate(free.states):
            np.testing.assert_allclose(state, engine.state(1, layer, 3), atol=1e-8)
        np.testing.assert_allclose(free.energy, engine.energy(1, engine.input(1, 0, 3)), atol=1e-12)
        self.assertEqual(len(engine.watch(1, x, y, lambda point: point.sweep == 2)), 4)
        with self.assertRaises(ZeroDivisionError):
            engine.watch(1, x, y, lambda point: 1 / 0)
        with self.assertRaises(ffebm.ArgumentError):
            engine.watch(0, x, y)
        with self.assertRaisesRegex(ffebm.UnsupportedError, "user one, settles by means of its own"):
            ffebm.Engine(chain_of(Quadratic(6))).watch(1, x, y)

    def test_schedules(self):
        self.assertAlmostEqual(ffebm.schedule_cosine(1, 0, 5, 10), 0.5)
        self.assertEqual((ffebm.schedule_step(1, 0.5, 4, 2), ffebm.schedule_warmup(0, 4)), (0.25, 0.25))
        self.assertTrue(0 <= ffebm.random_uniform(1, 2) < 1)
        self.assertEqual(ffebm.random_normal(1, 2), ffebm.random_normal(1, 2))


def model_like(model, flat):
    """A flat array's parts, by name."""
    found = [model.parameter(i) for i in range(model.info.parameter_count)]
    return {p.name: flat[p.offset:p.offset + p.count].reshape(p.shape) for p in found}


class Checkpoints(unittest.TestCase):
    def test_round_trip(self):
        model, (x, y) = model_of(), batch()
        engine, optimizer = ffebm.Engine(model), ffebm.Optimizer(model)
        engine.gradient(x, y)
        optimizer.step(engine)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "büro.safetensors")
            ffebm.checkpoint.save(model, path, optimizer, "grüße")
            context = ffebm.Context()
            loaded = ffebm.Model.load(context, path)
            np.testing.assert_array_equal(loaded.flat_parameters, model.flat_parameters)
            ffebm.checkpoint.restore(loaded, path, ffebm.Optimizer(loaded))
            self.assertEqual(ffebm.checkpoint.metadata(context, path, "note"), "grüße")
            names = ffebm.checkpoint.tensor_names(context, path)
            self.assertTrue(set(model.parameters) < set(names))
            value = ffebm.checkpoint.tensor(context, path, "stage1.0.weight")
            np.testing.assert_array_equal(value, model.parameters["stage1.0.weight"])
            with self.assertRaises(ffebm.NotFoundError):
                ffebm.checkpoint.metadata(context, path, "no such key")
        with self.assertRaisesRegex(OSError, "büro"):
            ffebm.Model.load(context, path)

    def test_in_memory(self):
        model, other = chain_of(Quadratic(6)), chain_of(Quadratic(6))
        other.flat_parameters[:] = 1
        data = ffebm.checkpoint.to_bytes(model)
        ffebm.checkpoint.restore(other, data)
        np.testing.assert_array_equal(other.flat_parameters, model.flat_parameters)
        with self.assertRaises(ffebm.FormatError):
            ffebm.checkpoint.restore(other, data[:-1])


if __name__ == "__main__":
    unittest.main()
