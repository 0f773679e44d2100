"""How long handles live, what they say of themselves, and what is asked of one that is closed."""
import gc
import types
import unittest

import ffebm
import numpy as np

from .chains import Quadratic, batch, chain_of, model_of


class Closing(unittest.TestCase):
    def test_with(self):
        gone = []
        block = Quadratic(6)
        block.destroyed = lambda: gone.append(True)
        with ffebm.Context() as context, chain_of(block, context=context) as model:
            with ffebm.Engine(model) as engine, ffebm.Adam(model) as optimizer:
                engine.gradient(*batch())
                optimizer.step(engine)
            self.assertTrue(engine.closed and optimizer.closed)
            self.assertFalse(model.closed or gone)
        self.assertEqual(gone, [True])

    def test_closed_ones_refuse(self):
        model, (x, y) = model_of(), batch()
        engine, optimizer, tensor = ffebm.Engine(model), ffebm.Sgd(model), ffebm.Tensor.zeros(model.context, 3)
        for handle in (tensor, optimizer, engine, model):
            handle.close()
            handle.close()
        refused = {"Engine": [lambda: engine.gradient(x, y), lambda: engine.flat_gradient, engine.__enter__],
                   "Tensor": [lambda: tensor.array], "Optimizer": [],
                   "Model": [lambda: model.info, lambda: model.parameters, lambda: ffebm.Engine(model)],
                   "Sgd": [lambda: optimizer.set_learning_rate(1)]}
        for name, calls in refused.items():
            for call in calls:
                with self.assertRaisesRegex(ffebm.StateError, f"this {name} is closed"):
                    call()

    def test_a_closed_context(self):
        engine, (x, y) = ffebm.Engine(model_of()), batch()
        engine.context.close()
        for call in (lambda: engine.gradient(x, y), lambda: engine.model.info, lambda: ffebm.Engine(engine.model)):
            with self.assertRaisesRegex(ffebm.StateError, "this Context is closed"):
                call()
        self.assertIn("closed", repr(engine))

    def test_arrays_keep_what_is_closed(self):
        gone = []
        block = Quadratic(6)
        block.destroyed = lambda: gone.append(True)
        model, (x, y) = chain_of(block), batch()
        with ffebm.Engine(model) as engine:
            engine.gradient(x, y)
            flat, before = engine.flat_gradient, engine.flat_gradient.copy()
        values = model.flat_parameters
        model.close()
        del model, engine
        gc.collect()
        self.assertFalse(gone)
        np.testing.assert_array_equal(flat, before)
        self.assertTrue(np.isfinite(values).all())
        del flat, values
        gc.collect()
        self.assertEqual(gone, [True])


class Saying(unittest.TestCase):
    def test_handles(self):
        model = model_of()
        self.assertEqual(repr(model), "<Model [4] -> [3]: ops - hopfield - ops; cross_entropy, float64, 83 parameters>")
        self.assertIn("no stages; none, float32, 0 parameters, building", repr(ffebm.Model(model.context, 4)))
        self.assertEqual(repr(ffebm.Engine(model, max_batch=7)), "<Engine [7 at most, 4] -> [3], float64, training>")
        self.assertEqual(repr(ffebm.Sgd(model, learning_rate=2)), "<Sgd learning_rate=2.0>")
        self.assertEqual(repr(ffebm.Tensor.zeros(model.context, (2, 3))), "<Tensor float32 [2, 3], its own memory>")
        self.assertIn(ffebm.version(), repr(model.context))

    def test_descriptions_make_what_they_describe(self):
        """What is written is what makes another of the same."""
        names = {"OpConfig": ffebm.Op, "CouplingConfig": ffebm.Coupling, **vars(ffebm)}
        for block in (
                ffebm.Feedforward(ffebm.Op("conv2d", out=2, kernel=(3, 2), bias=False), ffebm.Op("relu")),
                ffebm.Hopfield(ffebm.Coupling("dense", out=5, from_=0, to=2), ffebm.Coupling("conv2d", pool="max"),
                               activation=ffebm.Activation("tanh", slope=0.25), clamp_last=1),
                ffebm.Resistive(ffebm.Coupling("dense", out=4), input_gain=3),
                ffebm.EquilibriumConfig(beta=0.5, estimator="implicit"), ffebm.DeviceConfig(read="all")):
            self.assertEqual(repr(eval(repr(block), {**names, **vars(ffebm.structs), **names})), repr(block))
        self.assertEqual(repr(ffebm.Op("linear", out=3)), "OpConfig('linear', out=3)")


class Names(unittest.TestCase):
    def test_a_star_brings_all_but_modules_of_ours(self):
        public = {name for name, value in vars(ffebm).items()
                  if not name.startswith("_") and not isinstance(value, types.ModuleType)}
        self.assertEqual(set(ffebm.__all__), public | {"checkpoint", "constants", "structs"})


if __name__ == "__main__":
    unittest.main()
