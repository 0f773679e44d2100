"""What crosses from Python to C and would mean something else there, or reach beyond it: refused before the library
sees it, by every function, every field and every argument that takes its kind."""
import copy
import ctypes as c
import os
import pickle
import tempfile
import unittest
from pathlib import Path

import ffebm
import numpy as np
from .chains import Quadratic, batch, chain_of, model_of
from ffebm import checkpoint, functions, structs
from ffebm.scalars import RANGES

REFUSED = (TypeError, ValueError)
STRUCTS = [kind for kind in vars(structs).values() if isinstance(kind, type) and "_fields_" in vars(kind)]
NO_NUMBERS = ("1", None, 1j, np.complex64(1), [1.0], np.array([1.0]), b"1")
NO_TEXTS = ("a\0b", b"\0", 1, ["a"])
NO_INTEGERS = (1.0, np.float32(2), "3", None, 1j, [1], np.array([1]), b"1")
NO_WINDOWS = ((1.0, 2), (1, 2, 3), (2**64, 1), 2**63, "3")


def no_values(kind):
    """What a C type cannot hold."""
    if kind in RANGES:
        low, high = RANGES[kind]
        return low - 1, high + 1, -2**100, *NO_INTEGERS
    return {c.c_char_p: NO_TEXTS, c.c_double: NO_NUMBERS, structs.window: NO_WINDOWS}.get(kind, ())


class Scalars(unittest.TestCase):
    def test_functions(self):
        """No function has a number cut to its bits, or a text at its first NUL, or either made of something else."""
        seen = 0
        for name, (_, kinds) in functions.FUNCTIONS.items():
            for index, kind in enumerate(kinds):
                for value in no_values(kind):
                    arguments = [0 if other in RANGES or other is c.c_double else None for other in kinds]
                    arguments[index] = value
                    seen += 1
                    with self.subTest(function=name, value=value), \
                            self.assertRaisesRegex(REFUSED, f"{name}, argument {index + 1}: "):
                        getattr(ffebm.raw, name)(*arguments)
        self.assertGreater(seen, 500)

    def test_fields(self):
        for struct in STRUCTS:
            for name, kind in struct._fields_:
                found = struct.__new__(struct)
                for value in (1, np.int8(1), np.uint64(1), np.array(1)) if kind in RANGES or kind is c.c_double else ():
                    setattr(found, name, value)
                    self.assertEqual(getattr(found, name), 1)
                for value in no_values(kind):
                    with self.subTest(struct=struct, field=name, value=value), \
                            self.assertRaisesRegex(REFUSED, rf"^{struct.__name__}\.{name}: "):
                        setattr(found, name, value)

    def test_flags(self):
        """Yes and no are numbers where C has them, and nowhere else."""
        for yes in (True, np.True_):
            self.assertEqual(ffebm.Op("linear", out=2, frozen=yes).frozen, 1)
            with self.assertRaises(TypeError):
                ffebm.Op("linear", out=yes)
            with self.assertRaises(TypeError):
                ffebm.Engine(model_of()).set_step(yes)

    def test_shapes(self):
        context = ffebm.Context()
        for shape in (4, (4,), [4], np.int16(4), np.array(4), np.array([4], "uint8")):
            self.assertEqual(ffebm.Model(context, shape).info.input_shape, (4,))
            self.assertEqual(ffebm.Tensor.zeros(context, shape).array.shape, (4,))
            self.assertEqual(ffebm.Parameter("k", shape).shape, (4,))
        for shape in (True, (True,), 4.0, np.array([4.0]), "4", "44", None, {4}, {4: 1}, ((4,),), np.array([[4]]),
                      2**64 + 4, (-2**64 + 4,)):
            for function in (ffebm.Model, ffebm.Tensor.zeros):
                with self.subTest(shape=shape), self.assertRaises(REFUSED):
                    function(context, shape)
            with self.assertRaises(REFUSED):
                ffebm.Parameter("k", shape)
        for shape in (-4, 0, (), (3, -1), (1,) * 9, (2**40, 2**40)):
            for function in (ffebm.Model, ffebm.Tensor.zeros):
                with self.subTest(shape=shape), self.assertRaises((ffebm.ShapeError, ffebm.OutOfMemoryError)):
                    function(context, shape)

    def test_types_by_name_or_numpy(self):
        context = ffebm.Context()
        for dtype in ("float64", np.float64, np.dtype("float64"), float, ffebm.constants.Dtype.FLOAT64):
            self.assertEqual(ffebm.Tensor.zeros(context, 2, dtype).array.dtype, np.float64)
            self.assertEqual(ffebm.Model(context, 2, dtype=dtype).info.dtype, ffebm.constants.Dtype.FLOAT64)
        for dtype in ("float16", np.float16, ">f8", object):
            with self.subTest(dtype=dtype), self.assertRaises(REFUSED):
                ffebm.Tensor.zeros(context, 2, dtype)


def no_arrays(good):
    """Arrays that are near to a good one, and are to be refused; the first word of what they are called."""
    structured = np.zeros(good.shape, [("value", good.dtype)])
    odd = np.frombuffer(b"\0" * (good.nbytes + 1), np.uint8)[1:].view(good.dtype).reshape(good.shape)
    yield from {
        "masked": np.ma.masked_greater(good, 0), "masked nothing": np.ma.array(good),
        "a record": np.rec.array(structured), "structured": structured, "objects": good.astype(object),
        "complex": good.astype(complex), "swapped": good.astype(good.dtype.newbyteorder()), "bytes": good.astype("S8"),
        "halves": good.astype("float16"), "long": good.astype("longdouble"), "booleans": good.astype(bool),
        "times": good.astype("int64").view("m8[s]"),
        "no dimensions": np.array(good.flat[0]), "a number": good.flat[0], "list": good.tolist(),
        "memory": memoryview(good), "a subclass": good.view(type("Metres", (np.ndarray,), {})),
        "misaligned": odd, "reversed": good[::-1], "every other": np.repeat(good, 2, 0)[::2],
        "broadcast": np.broadcast_to(good[:1], good.shape), "empty": good[:0],
        "deep": good.reshape((1,) * 9 + good.shape), "fewer rows": good[:-1],
    }.items()
    if good.ndim == 2:
        yield from {"a matrix": good.view(np.matrix), "by columns": np.asfortranarray(good), "flat": good.reshape(-1),
                    "narrow": good[:, 1:].copy(), "wide": np.repeat(good, 2, 1), "one sample": good[0]}.items()


class Arrays(unittest.TestCase):
    def test_every_argument(self):
        engine, (x, y) = ffebm.Engine(model_of()), batch()
        engine.configure(nudged_sweeps=2)
        ones, hidden, output = np.ones(5), np.ones((5, 6)), np.ones((5, 3))
        engine.forward(x)
        arguments = {
            "gradient, input": (x, lambda a: engine.gradient(a, y)),
            "gradient, target": (y, lambda a: engine.gradient(x, a)),
            "gradient, weights": (ones, lambda a: engine.gradient(x, y, a)),
            "evaluate, input": (x, lambda a: engine.evaluate(a, y)),
            "evaluate, target": (y, lambda a: engine.evaluate(x, a)),
            "evaluate, weights": (ones, lambda a: engine.evaluate(x, y, a)),
            "certify, input": (x, lambda a: engine.certify(a, y)),
            "certify, target": (y, lambda a: engine.certify(x, a)),
            "trace, input": (x, lambda a: engine.trace(a, y, lambda point: True)),
            "trace, target": (y, lambda a: engine.trace(x, a, lambda point: True)),
            "forward, input": (x, engine.forward),
            "forward, output": (output, lambda a: engine.forward(x, a)),
            "settle, force": (np.ones((5, 5)), lambda a: engine.settle(1, hidden, a)),
            "set_state": (np.ones((5, 5)), lambda a: (engine.settle(1, hidden), engine.set_state(1, 1, a))),
        }
        parameters = engine.model.flat_parameters.copy()
        for name, (good, use) in arguments.items():
            use(good)
            for kind, bad in no_arrays(good):
                if kind != "fewer rows" or name not in ("set_state", "forward, input"):
                    with self.subTest(argument=name, kind=kind), self.assertRaises(REFUSED):
                        use(bad)
        np.testing.assert_array_equal(engine.model.flat_parameters, parameters)

    def test_tensors(self):
        context = ffebm.Context()
        good = np.ones((5, 4))
        for kind, bad in no_arrays(good):
            tensor = ffebm.Tensor.wrap(context, good)
            if kind not in ("flat", "one sample", "narrow", "wide", "fewer rows", "deep"):
                with self.subTest(kind=kind), self.assertRaises(REFUSED):
                    ffebm.Tensor.wrap(context, bad)
            if kind != "fewer rows":
                with self.subTest(kind=kind), self.assertRaises(REFUSED):
                    tensor.rewrap(bad)
            self.assertIs(tensor.array, good) if kind != "fewer rows" else None

    def test_what_means_the_same(self):
        engine, (x, y) = ffebm.Engine(model_of()), batch()
        expected = engine.gradient(x, y)
        with tempfile.NamedTemporaryFile() as file:
            mapped = np.memmap(file, x.dtype, "w+", shape=x.shape)
            mapped[:] = x
            self.assertEqual(engine.gradient(mapped, y.astype("longlong")), expected)
            self.assertEqual(engine.gradient(ffebm.Tensor.wrap(engine.context, x), y), expected)

    def test_read_only_outputs(self):
        engine, x = ffebm.Engine(model_of()), batch()[0]
        output = np.empty((5, 3))
        tensor = ffebm.Tensor.wrap(engine.context, output)
        engine.forward(x, tensor)
        output.flags.writeable = False
        for given in (output, tensor, tensor.rows(0, 5)):
            with self.assertRaisesRegex(ValueError, "output is read-only"):
                engine.forward(x, given)
        with self.assertRaisesRegex(ValueError, "read-only"):
            tensor.copy_from(ffebm.Tensor.zeros(engine.context, (5, 3), "float64"))


class Handles(unittest.TestCase):
    def test_configurations_of_another_kind(self):
        engine = ffebm.Engine(model_of())
        for config in ("loss", {"beta": 1}, engine.model.recipe, structs.AdamConfig(), 0):
            with self.assertRaisesRegex(TypeError, "EquilibriumConfig"):
                engine.configure(config)

    def test_of_another_kind(self):
        model = model_of()
        engine, optimizer, tensor = ffebm.Engine(model), ffebm.Adam(model), ffebm.Tensor.zeros(model.context, 2)
        for use in (lambda: ffebm.Engine(engine), lambda: ffebm.Adam(engine), lambda: ffebm.Optimizer(tensor),
                    lambda: optimizer.step(model), lambda: optimizer.step(optimizer), lambda: tensor.copy_from(model),
                    lambda: checkpoint.to_bytes(engine), lambda: checkpoint.to_bytes(model, engine),
                    lambda: checkpoint.restore(tensor, b""), lambda: checkpoint.save(model, "x", model),
                    lambda: engine.gradient(model, engine), lambda: model.add(engine), lambda: model.add("tanh"),
                    lambda: ffebm.Model(model.context, 4).add(ffebm.Feedforward("tanh"))):
            with self.assertRaisesRegex(TypeError, "expected|is no"):
                use()

    def test_are_one_of_a_kind(self):
        """A copy would be an address that nobody keeps alive."""
        model = model_of()
        for handle in (model.context, model, ffebm.Engine(model), ffebm.Adam(model)):
            for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
                with self.assertRaisesRegex(TypeError, "cannot be copied"):
                    duplicate(handle)


class Texts(unittest.TestCase):
    def test_nul(self):
        model, context = model_of(), ffebm.Context()
        optimizer = ffebm.Adam(model)
        nameless = Quadratic(6)
        nameless.name = "quad\0ratic"
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "file")
            checkpoint.save(model, path)
            for bad in ("fi\0le", "\0", path + "\0"):
                for use in (lambda: model.find(bad), lambda: model.set_bounds(bad),
                            lambda: optimizer.set_multipliers(bad), lambda: checkpoint.save(model, path, note=bad),
                            lambda: checkpoint.to_bytes(model, note=bad), lambda: checkpoint.save(model, bad),
                            lambda: checkpoint.restore(model, bad), lambda: checkpoint.metadata(context, bad, "note"),
                            lambda: checkpoint.metadata(context, path, bad),
                            lambda: checkpoint.tensor(context, bad, "x"),
                            lambda: checkpoint.tensor(context, path, bad),
                            lambda: checkpoint.tensor_names(context, bad),
                            lambda: ffebm.Model.load(context, bad), lambda: chain_of(nameless)):
                    with self.assertRaisesRegex(ValueError, "NUL"):
                        use()
            self.assertEqual(os.listdir(folder), ["file"])
        with self.assertRaises(ValueError):
            ffebm.Model.parse(context, '{"input": [4]}\0')

    def test_paths(self):
        """Whatever names a file to Python names it here, also in bytes that are no UTF-8."""
        model, context = model_of(), ffebm.Context()
        with tempfile.TemporaryDirectory() as folder:
            for name in (b"plain", "grün".encode(), b"\xff\xfe", b"with a space", b"100%s%n"):
                raw = os.path.join(os.fsencode(folder), name)
                for path in (raw, os.fsdecode(raw), Path(os.fsdecode(raw))):
                    checkpoint.save(model, path, note="here")
                    self.assertTrue(os.path.exists(raw))
                    self.assertEqual(checkpoint.metadata(context, path, "note"), "here")
                    loaded = ffebm.Model.load(context, path)
                    np.testing.assert_array_equal(loaded.flat_parameters, model.flat_parameters)
                    if not isinstance(path, bytes):
                        checkpoint.restore(model, path)
                    os.remove(raw)
                    with self.assertRaises(OSError):
                        ffebm.Model.load(context, path)
            for path in (7, None, 1.5, ["a"]):
                with self.assertRaises(TypeError):
                    checkpoint.save(model, path)


if __name__ == "__main__":
    unittest.main()
