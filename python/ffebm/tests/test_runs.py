"""Results of single samples, outputs of any number of rows, and the log of a run."""
import json
import tempfile
import threading
import unittest
from pathlib import Path

import ffebm
import numpy as np

from .chains import DESCRIPTION, batch, model_of


class Samples(unittest.TestCase):
    def test_each_is_what_a_batch_of_one_has(self):
        for loss in ("cross_entropy", "mse"):
            engine, (x, y) = ffebm.Engine(model_of({**DESCRIPTION, "loss": loss}), max_batch=2), batch(7)
            found = engine.evaluate_samples(x, y)
            self.assertEqual(len(found), 7)
            self.assertAlmostEqual(found.loss.mean(), found.report.loss, 12)
            self.assertEqual(found.correct.sum(), found.report.correct)
            np.testing.assert_array_equal(found.output, engine.predict(x))
            for i in range(7):
                alone = engine.evaluate(x[i:i + 1], y[i:i + 1])
                self.assertAlmostEqual(found.loss[i], alone.loss, 12)
                self.assertEqual(found.correct[i], alone.correct)

    def test_targets_as_values(self):
        for loss in ("cross_entropy", "mse"):
            engine, (x, _) = ffebm.Engine(model_of({**DESCRIPTION, "loss": loss})), batch()
            values = np.random.default_rng(2).dirichlet(np.ones(3), 5)
            values[0] = [0, 0, 1]
            found = engine.evaluate_samples(x, values)
            self.assertAlmostEqual(found.loss.mean(), found.report.loss, 12)
            self.assertIsNone(found.correct)

    def test_probabilities(self):
        engine, (x, y) = ffebm.Engine(model_of()), batch()
        found = engine.evaluate_samples(x, y)
        np.testing.assert_allclose(found.probabilities.sum(1), 1)
        np.testing.assert_allclose(-np.log(found.probabilities[range(5), y]), found.loss)
        other = ffebm.Engine(model_of({**DESCRIPTION, "loss": "mse"})).evaluate_samples(x, y)
        with self.assertRaisesRegex(ValueError, "cross_entropy only"):
            other.probabilities

    def test_predict(self):
        """Any number of rows, as one by one; the mode and the running statistics stay."""
        description = {"input": [2, 4, 4], "loss": "cross_entropy", "dtype": "float64", "stages": [{"feedforward": [
            {"type": "conv2d", "out_channels": 3, "kernel": 3}, {"type": "batchnorm2d"}, {"type": "flatten"},
            {"type": "linear", "out_features": 3}]}]}
        engine = ffebm.Engine(model_of(description), max_batch=3)
        x = np.random.default_rng(3).normal(size=(10, 2, 4, 4))
        engine.gradient(x[:3], np.arange(3))
        before = {name: value.copy() for name, value in engine.model.buffers.items()}
        outputs = engine.predict(x)
        self.assertIs(engine.mode, ffebm.constants.Mode.TRAINING)
        for i in range(10):
            np.testing.assert_allclose(engine.predict(x[i:i + 1])[0], outputs[i], rtol=1e-12)
        for name, value in before.items():
            np.testing.assert_array_equal(engine.model.buffers[name], value)
        with self.assertRaises(ValueError):
            engine.predict(x[:, :1])
        self.assertIs(engine.mode, ffebm.constants.Mode.TRAINING)


class Logs(unittest.TestCase):
    LINES = [{"step": 5, "loss": 1.5}, {"step": 9, "train_loss": 1.25}, {"step": 18, "train_loss": 0.5}]

    def test_lines(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "log.jsonl")
            path.write_text("".join(json.dumps(line) + "\n" for line in self.LINES) + '{"step": 2')
            self.assertEqual(list(ffebm.read_log(path)), self.LINES)
            self.assertEqual(list(ffebm.read_log(folder)), self.LINES)
        with self.assertRaises(FileNotFoundError):
            next(ffebm.read_log(path))

    def test_follow(self):
        """Lines that come while it waits, a part at a time; it ends with the result."""
        text = "".join(json.dumps(line) + "\n" for line in self.LINES)
        seen, come = [], threading.Semaphore(0)
        with tempfile.TemporaryDirectory() as folder, open(Path(folder, "log.jsonl"), "w") as log:
            def read():
                for line in ffebm.read_log(folder, follow=True, pause=0.001):
                    seen.append(line)
                    come.release()

            reader = threading.Thread(target=read)
            reader.start()
            for part in (text[:7], text[7:30], text[30:-4], text[-4:]):
                log.write(part)
                log.flush()
            for _ in self.LINES:
                self.assertTrue(come.acquire(timeout=60))
            self.assertTrue(reader.is_alive())
            Path(folder, "result.json").write_text("{}\n")
            reader.join(60)
            self.assertFalse(reader.is_alive())
        self.assertEqual(seen, self.LINES)


if __name__ == "__main__":
    unittest.main()
