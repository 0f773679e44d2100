"""The Python of the guides runs as it stands."""
import os
import re
import tempfile
import unittest

import ffebm
import headers
import numpy as np


class Guide(unittest.TestCase):
    def names_after(self, guide):
        text = (headers.ROOT / "docs" / guide).read_text()
        blocks = re.findall(r"```python\n(.*?)```", text, re.S)
        self.assertTrue(blocks)
        with tempfile.TemporaryDirectory() as folder:
            names = {"ffebm": ffebm, "images": np.zeros((8, 64), np.float32), "labels": np.arange(8),
                     "path": os.path.join(folder, "model.safetensors")}
            for block in blocks:
                exec(block, names)
        return names

    def test_bindings(self):
        names = self.names_after("bindings.md")
        self.assertEqual(names["weights"].shape, (64, 128))

    def test_pytorch(self):
        try:
            import torch  # noqa: F401
        except ImportError:
            self.skipTest("PyTorch is not installed")
        names = self.names_after("pytorch.md")
        np.testing.assert_array_equal(names["model"].parameters["stage0.4.weight"], names["module"][4].weight.detach())

    def test_python(self):
        names = self.names_after("python.md")
        self.assertEqual(names["weights"].shape, (64, 128))
        self.assertEqual(names["outputs"].shape, (8, 10))
        self.assertTrue(names["worst"].passed)
        self.assertTrue(names["gradient"].any())


if __name__ == "__main__":
    unittest.main()
