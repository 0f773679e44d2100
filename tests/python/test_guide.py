"""The Python of docs/bindings.md runs as it stands."""
import re
import unittest

import ffebm
import headers
import numpy as np


class Guide(unittest.TestCase):
    def test_blocks_of_code(self):
        text = (headers.ROOT / "docs" / "bindings.md").read_text()
        blocks = re.findall(r"```python\n(.*?)```", text, re.S)
        self.assertTrue(blocks)
        names = {"ffebm": ffebm, "images": np.zeros((8, 64), np.float32), "labels": np.arange(8)}
        for block in blocks:
            exec(block, names)
        self.assertEqual(names["weights"].shape, (64, 128))


if __name__ == "__main__":
    unittest.main()
