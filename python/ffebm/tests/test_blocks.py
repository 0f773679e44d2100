"""Blocks written in Python: what they compute, and what comes out of them when they fail."""
import gc
import os
import signal
import threading
import time
import traceback
import unittest
import warnings

import ffebm
import numpy as np
from .chains import Linear, Quadratic, batch, chain_of, model_of, settled


class Computing(unittest.TestCase):
    def test_certified(self):
        model = chain_of(Quadratic(6), Linear(6, 3))
        engine = ffebm.Engine(model)
        engine.configure(**settled())
        worst = engine.certify(*batch(3), directions=4)
        self.assertTrue(worst.passed, worst)
        self.assertGreater(worst.cosine, 1 - 1e-6)
        self.assertEqual(engine.phase("free", 1).joules, 1.5)
        self.assertEqual(engine.phase("free", 1).sweeps_max, 1)

    def test_energy(self):
        engine, s = ffebm.Engine(chain_of(Quadratic(6))), np.random.default_rng(1).normal(size=(2, 6))
        engine.settle(1, s)
        k, b = engine.model.parameters["stage1.0.k"], engine.model.parameters["stage1.0.b"]
        np.testing.assert_allclose(engine.state(1, 1, 2), b + s / k)
        np.testing.assert_allclose(engine.energy(1, s), (-(b + s / k)**2 / 2 @ k))
        self.assertEqual(engine.model.parameter(engine.model.find("stage1.0.k")).lower, 0.5)

    def test_loss_nudging(self):
        class Asking(Quadratic):
            loss_nudging = True
            asked = 0

            def settle(self, call):
                super().settle(call)
                k, b = call.parameters["k"], call.parameters["b"]
                for _ in range(50 if call.nudged else 0):
                    Asking.asked += 1
                    call.state[:] = b + (call.input + call.force_at(call.state)) / k

        gradients = []
        for settings in ({"estimator": "implicit"}, {"beta": 1e-3, "nudging": "loss"}):
            engine = ffebm.Engine(chain_of(Asking(6)))
            engine.configure(**settings)
            engine.gradient(*batch())
            gradients.append(engine.flat_gradient.copy())
        self.assertGreater(Asking.asked, 0)
        np.testing.assert_allclose(gradients[1], gradients[0], rtol=1e-4, atol=1e-7)

    def test_several_threads_of_the_library(self):
        class Parallel(Quadratic):
            concurrent = True

        gradients = []
        for threads in (1, 4):
            engine = ffebm.Engine(chain_of(Parallel(6), context=ffebm.Context(threads=threads)), max_batch=64)
            engine.gradient(*batch(64))
            gradients.append(engine.flat_gradient.copy())
        np.testing.assert_array_equal(*gradients)

    def test_arrays(self):
        class Curious(Quadratic):
            def settle(self, call):
                super().settle(call)
                for name in ("input", "state", "force", "sweeps"):
                    found = getattr(call, name)
                    seen[name] = None if found is None else (found.shape, found.dtype.name, found.flags.writeable)
                seen["scalars"] = (call.batch, call.attempt, call.nudged, call.max_sweeps)
                with test.assertRaises(ValueError):
                    call.input[:] = 0
                with test.assertRaises(ValueError):
                    call.parameters["k"][:] = 0
                with test.assertRaisesRegex(AttributeError, r"write into the array: call.state\[:\]"):
                    call.state = 0
                with test.assertRaises(AttributeError):
                    call.no_such_field

        test, seen = self, {}
        model = chain_of(Curious(6))
        ffebm.Engine(model).forward(batch(3)[0])
        self.assertEqual(seen, {"input": ((3, 6), "float64", False), "state": ((3, 6), "float64", True), "force": None,
                                "sweeps": ((3,), "int64", True), "scalars": (3, 0, 0, model.equilibrium().free_sweeps)})

    def test_shapes_as_numbers(self):
        """A block may say 6 for (6,), and whatever else it says later, calls go by what the library was told."""
        class Plain(Quadratic):
            def settle(self, call):
                super().settle(call)
                seen.append((call.input.shape, call.state.shape, call.parameters["k"].shape))

        gradients, seen = [], []
        for width in (6, np.int64(6), [6], np.array([6])):
            block = Plain(6)
            block.input_shape = block.output_shape = width
            block.state_count = np.int32(6)
            engine = ffebm.Engine(chain_of(block))
            block.input_shape = block.output_shape = (600,)
            block.state_count, block.parameters = 10**9, [ffebm.Parameter("k", 10**9)]
            engine.gradient(*batch())
            gradients.append(engine.flat_gradient.copy())
        self.assertEqual(set(seen), {((5, 6), (5, 6), (6,))})
        for gradient in gradients:
            np.testing.assert_array_equal(gradient, gradients[0])

    def test_force_at_takes_the_whole_batch(self):
        class Asking(Quadratic):
            loss_nudging = True

            def settle(self, call):
                super().settle(call)
                if call.nudged:
                    call.force_at(wrong(call.state))

        engine = ffebm.Engine(chain_of(Asking(6)))
        engine.configure(nudging="loss")
        for wrong in (lambda s: s[0], lambda s: s[:1], lambda s: s[:, :5], lambda s: s.T, lambda s: s + 0j,
                      lambda s: s.astype(object), lambda s: s.astype("longdouble"), lambda s: s.view("V8"),
                      lambda s: np.array(1.0), lambda s: s.tolist(), np.ma.array, lambda s: s.view(np.matrix)):
            with self.assertRaisesRegex((TypeError, ValueError), "^output is .* expected"):
                engine.gradient(*batch(3))
        losses = []
        for wrong in (lambda s: s, np.asfortranarray, lambda s: s.astype(">f8"), lambda s: np.repeat(s, 2, 1)[:, ::2]):
            losses.append(engine.gradient(*batch(3)).gradient_norm)
        self.assertEqual(set(losses), {losses[0]})

    def test_outputs_alone_are_written(self):
        """The state is settle's to write; in other slots it is read."""
        class Greedy(Quadratic):
            def parameter_gradient(self, call):
                call.state[:] = 0

        self.assertRaisesRegex(ValueError, "read-only", ffebm.Engine(chain_of(Greedy(6))).gradient, *batch())

    def test_a_call_ends_with_its_slot(self):
        class Keeping(Quadratic):
            loss_nudging = True

            def settle(self, call):
                super().settle(call)
                kept.append(call)

        kept = []
        ffebm.Engine(chain_of(Keeping(6))).gradient(*batch())
        for call in kept:
            for use in (lambda: call.state, lambda: call.batch, lambda: call.force_at(np.zeros((5, 6)))):
                self.assertRaisesRegex(ffebm.StateError, "the slot has returned", use)

    def test_life(self):
        gone = []
        block = Quadratic(6)
        block.destroyed = lambda: gone.append(1)
        models = [chain_of(block), chain_of(block)]
        models.pop()
        gc.collect()
        self.assertEqual(gone, [1])
        models.pop()
        gc.collect()
        self.assertEqual(gone, [1, 1])
        with self.assertRaises(ffebm.ShapeError):
            ffebm.Model(ffebm.Context(), 7).add(block)
        self.assertEqual(gone, [1, 1, 1])
        block.name = "no name!"
        with self.assertRaises(ffebm.ArgumentError):
            ffebm.Model(ffebm.Context(), 6).add(block)
        self.assertEqual(len(gone), 3)
        self.assertFalse(ffebm.user._bound)


class Failing(unittest.TestCase):
    def failing(self, slot, error, base=Quadratic):
        def fail(block, call):
            raise error
        return type("Failing", (base,), {slot: fail})

    def raised_by(self, error, function, *arguments):
        try:
            function(*arguments)
        except type(error) as caught:
            self.assertIs(caught, error)
            frames = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
            self.assertEqual([name for name in frames if name in ("raised_by", "fail")], ["raised_by", "fail"])
        else:
            self.fail(f"{error!r} was not raised")

    def test_every_slot(self):
        x, y = batch()
        for slot in ("settle", "parameter_gradient", "output", "input_gradient"):
            error = KeyError(slot)
            model = chain_of(self.failing(slot, error)(6))
            self.raised_by(error, ffebm.Engine(model).gradient, x, y)
        for slot in ("forward", "vjp"):
            error = SystemExit(slot)
            model = chain_of(Quadratic(6), self.failing(slot, error, Linear)(6, 3))
            self.raised_by(error, ffebm.Engine(model).gradient, x, y)
        error = ArithmeticError("initialize")
        self.raised_by(error, chain_of, self.failing("initialize", error)(6))
        error = OSError("energy")
        engine = ffebm.Engine(chain_of(self.failing("energy", error)(6)))
        engine.settle(1, np.ones((2, 6)))
        self.raised_by(error, engine.energy, 1, np.ones((2, 6)))

    def test_the_next_call_is_as_good_as_ever(self):
        class Flaky(Quadratic):
            broken = False

            def settle(self, call):
                super().settle(call)
                return 1 / 0 if self.broken else None

        block = Flaky(6)
        engine = ffebm.Engine(chain_of(block))
        loss = engine.gradient(*batch()).loss
        block.broken = True
        self.assertRaises(ZeroDivisionError, engine.gradient, *batch())
        with self.assertRaises(ffebm.StateError):
            ffebm.Adam(engine.model).step(engine)
        block.broken = False
        self.assertEqual(engine.gradient(*batch()).loss, loss)
        self.assertRaisesRegex(ffebm.ShapeError, "input", engine.gradient, batch()[0][:, :3].copy(), batch()[1])

    def test_answers(self):
        class Busy(Quadratic):
            answer = ffebm.RETRY
            retry_limit = 3

            def settle(self, call):
                super().settle(call)
                return None if call.attempt == 2 else self.answer

        block = Busy(6)
        engine = ffebm.Engine(chain_of(block))
        engine.forward(batch()[0])
        self.assertEqual(engine.phase("free", 1).retries, 2)
        block.answer = np.int64(-7)
        self.assertRaisesRegex(ffebm.BlockError, "settle.*-7", engine.forward, batch()[0])
        for answer in ("yes", True, 0.0, [0]):
            block.answer = answer
            self.assertRaisesRegex(TypeError, "settle has returned: .* expected a whole", engine.forward, batch()[0])
        block.answer = 2**32  # no success, though its last 32 bits are
        self.assertRaisesRegex(ValueError, "settle has returned: 4294967296 is", engine.forward, batch()[0])

    def test_no_calls_from_within(self):
        class Nosy(Quadratic):
            def settle(self, call):
                super().settle(call)
                engine.evaluate(*batch())

        engine = ffebm.Engine(chain_of(Nosy(6)))
        self.assertRaisesRegex(ffebm.StateError, "in use", engine.forward, batch()[0])

    def test_collected_from_within(self):
        """What is dropped inside a callback is destroyed behind the call."""
        class Dropping(Quadratic):
            def settle(self, call):
                super().settle(call)
                dropped.clear()
                waiting.append(len(context.guard._waiting))

        context, waiting = ffebm.Context(), []
        dropped = [ffebm.Tensor.zeros(context, 3), chain_of(Quadratic(6), context=context)]
        ffebm.Engine(chain_of(Dropping(6), context=context)).forward(batch()[0])
        self.assertEqual(waiting[0], 2)
        self.assertFalse(context.guard._waiting)


def interrupt_in_a_call(delay):
    """Send SIGINT so long after the next call has begun, which has a handler of its own then, however busy the machine is."""
    def send():
        while signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            time.sleep(0.001)
        time.sleep(delay)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=send, daemon=True).start()


class Interrupting(unittest.TestCase):
    def setUp(self):
        # A shell that starts the tests in the background has SIGINT ignored, and Python then leaves it so.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.addCleanup(signal.signal, signal.SIGINT, before)

    class Interrupted(Quadratic):
        at_end = False

        def settle(self, call):
            super().settle(call)
            self.calls = getattr(self, "calls", 0) + 1
            if self.calls == 1 and not self.at_end:
                signal.raise_signal(signal.SIGINT)

        def parameter_gradient(self, call):
            super().parameter_gradient(call)
            if self.at_end:
                signal.raise_signal(signal.SIGINT)

    def test_stops_at_the_next_callback(self):
        block = self.Interrupted(6)
        engine = ffebm.Engine(chain_of(block))
        self.assertRaises(KeyboardInterrupt, engine.gradient, *batch())
        self.assertEqual(block.calls, 1)
        self.assertIs(signal.getsignal(signal.SIGINT), signal.default_int_handler)
        self.assertGreater(engine.gradient(*batch()).loss, 0)

    def test_stops_at_the_end_of_the_call(self):
        block = self.Interrupted(6)
        block.at_end = True
        engine = ffebm.Engine(chain_of(block))
        self.assertRaises(KeyboardInterrupt, engine.gradient, *batch())
        self.assertRaises(KeyboardInterrupt, engine.trace, *batch(), lambda point: signal.raise_signal(signal.SIGINT))

    def test_comes_at_any_moment(self):
        """In C, on the way into a callback, or in it: it stops the call, and is not lost."""
        engine = ffebm.Engine(chain_of(Quadratic(6)))
        engine.configure(repeats=200000)
        for delay in (0.01, 0.013, 0.017, 0.02):
            interrupt_in_a_call(delay)
            begin = time.monotonic()
            self.assertRaises(KeyboardInterrupt, engine.gradient, *batch())
            self.assertLess(time.monotonic() - begin, 20)

    def test_stops_what_calls_no_block(self):
        """The library asks between phases."""
        engine = ffebm.Engine(model_of())
        engine.configure(repeats=10**7)
        interrupt_in_a_call(0.02)
        begin = time.monotonic()
        self.assertRaises(KeyboardInterrupt, engine.gradient, *batch())
        self.assertLess(time.monotonic() - begin, 20)

    def test_a_handler_that_does_not_raise(self):
        seen = []
        before = signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
        try:
            loss = ffebm.Engine(chain_of(self.Interrupted(6))).gradient(*batch()).loss
        finally:
            signal.signal(signal.SIGINT, before)
        self.assertEqual(seen, [signal.SIGINT])
        self.assertEqual(loss, ffebm.Engine(chain_of(Quadratic(6))).gradient(*batch()).loss)


class Threads(unittest.TestCase):
    def test_a_context_each(self):
        def train(kind, into):
            engine = ffebm.Engine(chain_of(Quadratic(6)) if kind % 2 else model_of())
            optimizer = ffebm.Adam(engine.model, learning_rate=0.01)
            for _ in range(30):
                engine.gradient(*batch())
                optimizer.step(engine)
            into[kind] = engine.model.flat_parameters.copy()

        alone, together = {}, {}
        for kind in range(2):
            train(kind, alone)
        threads = [threading.Thread(target=train, args=(kind, together)) for kind in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for kind in range(6):
            np.testing.assert_array_equal(together[kind], alone[kind % 2])

    def test_dropped_after_a_fork(self):
        """The child has no threads that could be told to end; it drops its copy all the same."""
        engine = ffebm.Engine(model_of(context=ffebm.Context(threads=4)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # from 3.12 on, of a fork beside threads
            child = os.fork()
        if child == 0:
            signal.alarm(10)
            del engine
            gc.collect()
            os._exit(7)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 7)
        engine.gradient(*batch())

    def test_made_after_a_fork(self):
        """What a child makes on its parent's context goes when it drops it. The parent's blocks are the parent's to
        close."""
        def block(name):
            made = Quadratic(6)
            made.destroyed = lambda: gone.append(name)
            return made

        gone, context = [], ffebm.Context()
        model = chain_of(block("parent's"), context=context)
        before = set(ffebm.user._bound)
        child = os.fork()
        if child == 0:
            chain_of(block("child's"), context=context)
            del model
            gc.collect()
            os._exit(7 if gone == ["child's"] and set(ffebm.user._bound) < before else 1)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 7)
        del model
        gc.collect()
        self.assertEqual(gone, ["parent's"])

    def test_one_context_in_two(self):
        class Waiting(Quadratic):
            def settle(self, call):
                super().settle(call)
                entered.set()
                leave.wait(10)

        entered, leave = threading.Event(), threading.Event()
        engine = ffebm.Engine(chain_of(Waiting(6)))
        thread = threading.Thread(target=engine.forward, args=(batch()[0],))
        thread.start()
        entered.wait(10)
        self.assertRaisesRegex(ffebm.StateError, "another thread", engine.evaluate, *batch())
        leave.set()
        thread.join()
        engine.evaluate(*batch())


if __name__ == "__main__":
    unittest.main()
