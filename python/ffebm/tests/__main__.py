"""python3 -m ffebm.tests [OPTIONS OF UNITTEST]"""
import sys
import unittest
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
TOP = str(FOLDER.parents[1])

if __name__ == "__main__":
    unittest.main(module=None, argv=["python3 -m ffebm.tests", "discover", "-s", str(FOLDER), "-t", TOP, *sys.argv[1:]])
