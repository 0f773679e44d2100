"""Arrays that go in and out without a copy, and how long their memory lives."""
import gc
import unittest

import ffebm
import numpy as np
from .chains import Quadratic, batch, chain_of, model_of


class Arrays(unittest.TestCase):
    def setUp(self):
        self.context = ffebm.Context()

    def test_wrapped(self):
        for dtype in ("float32", "float64", "int64"):
            array = np.arange(6, dtype=dtype).reshape(2, 3)
            tensor = ffebm.Tensor.wrap(self.context, array)
            self.assertEqual(ffebm.raw.tensor_const_data(tensor._address), array.ctypes.data)
            self.assertIs(tensor.array, array)
            other = np.zeros((4, 3), dtype)
            tensor.rewrap(other)
            self.assertEqual(ffebm.raw.tensor_count(tensor._address), 12)
            with self.assertRaisesRegex(ValueError, r"expected \w+ \[rows, 3\]"):
                tensor.rewrap(np.zeros((4, 2), dtype))

    def test_owned(self):
        tensor = ffebm.Tensor.zeros(self.context, (4, 2))
        rows = tensor.rows(1, 2)
        rows.array[:] = 1
        np.testing.assert_array_equal(tensor.array, [[0, 0], [1, 1], [1, 1], [0, 0]])
        self.assertEqual(ffebm.raw.tensor_const_data(rows._address), tensor.array[1:].ctypes.data)
        wide = ffebm.Tensor.zeros(self.context, (4, 2), "float64")
        wide.copy_from(tensor)
        np.testing.assert_array_equal(wide.array, tensor.array)
        with self.assertRaises(ffebm.ShapeError):
            ffebm.Tensor.zeros(self.context, (0, 2))

    def test_memory_outlives_handles(self):
        array = ffebm.Tensor.zeros(ffebm.Context(), (1000, 1000)).array[5:]
        gc.collect()
        array[:] = 7
        self.assertEqual(array.sum(), 7 * 995 * 1000)
        flat = ffebm.Engine(model_of()).flat_gradient
        gc.collect()
        flat[:] = 1
        self.assertEqual(flat.sum(), len(flat))

    def test_views_keep_the_model(self):
        gone = []
        block = Quadratic(6)
        block.destroyed = lambda: gone.append(True)
        views = {"weight": chain_of(block).parameters["stage0.0.weight"]}
        part = views["weight"][1:, 2]
        views.clear()
        gc.collect()
        self.assertFalse(gone)
        self.assertTrue(np.isfinite(part).all())
        del part
        gc.collect()
        self.assertEqual(gone, [True])

    def test_refused(self):
        engine = ffebm.Engine(model_of())
        x, y = batch()
        with self.assertRaisesRegex(TypeError, "input is list, expected a NumPy array"):
            engine.gradient(x.tolist(), y)
        with self.assertRaisesRegex(TypeError, "target is int32"):
            engine.gradient(x, y.astype("int32"))
        with self.assertRaisesRegex(TypeError, "input is >f8"):
            engine.gradient(x.astype(">f8"), y)
        with self.assertRaisesRegex(ValueError, "input is not C-contiguous"):
            engine.gradient(np.asfortranarray(x), y)
        with self.assertRaisesRegex(ffebm.DtypeError, "input is float32, expected float64"):
            engine.gradient(x.astype("float32"), y)
        output = np.empty((5, 3))
        output.flags.writeable = x.flags.writeable = False
        with self.assertRaisesRegex(ValueError, "output is read-only"):
            engine.forward(x, output)
        self.assertGreater(engine.gradient(x, y).loss, 0)  # reading needs no more

    def test_into(self):
        engine, x = ffebm.Engine(model_of()), batch()[0]
        output = np.full((5, 3), np.nan)
        self.assertIs(engine.forward(x, output), output)
        np.testing.assert_array_equal(output, engine.forward(ffebm.Tensor.wrap(engine.context, x)))


if __name__ == "__main__":
    unittest.main()
