"""The wheel: the package, and in it the library, which the Makefile builds. A source distribution has a copy of the
tree's sources in libffebm/; anywhere else they are in the folder above."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist
from setuptools.dist import Distribution
from wheel.bdist_wheel import bdist_wheel

HERE = Path(__file__).resolve().parent
COPY = HERE / "libffebm"
TREE = COPY if COPY.is_dir() else HERE.parent
PRODUCTS = HERE / "build" if TREE == COPY else TREE / "build" / "python"
SOURCES = ("Makefile", "LICENSE", "include", "lib", "src")


def version():
    text = (TREE / "include" / "ffebm" / "version.h").read_text()
    return ".".join(re.search(rf"define FFEBM_VERSION_{part} (\d+)", text)[1] for part in ("MAJOR", "MINOR", "PATCH"))


def path_to_packages():
    """The package as it is here, before what this interpreter has found already: pip hides some of it from children."""
    return os.pathsep.join([str(HERE), *(place for place in sys.path if place)])


class BuildWithLibrary(build_py):
    """Beside the modules the library; an editable installation takes that of its tree, which make builds."""

    def run(self):
        shutil.rmtree(self.build_lib, ignore_errors=True)  # setuptools keeps what an earlier one had
        super().run()
        if not self.editable_mode:
            library = Path(self.build_lib, "ffebm", "libffebm.so")
            self.copy_file(str(self.built()), str(library))
            subprocess.run([sys.executable, str(HERE / "stubs.py"), str(library.parent)], check=True,
                           env={**os.environ, "FFEBM_LIBRARY": str(library.resolve()), "PYTHONPATH": path_to_packages()})
            shutil.copy(TREE / "LICENSE", Path(self.build_lib, "ffebm", "LICENSE"))

    def built(self):
        folder = PRODUCTS / "libffebm"
        target = folder / "lib" / "libffebm.so"
        environment = {"CFLAGS": "-O3", **os.environ}
        subprocess.run(["make", "-C", str(TREE), f"-j{os.cpu_count() or 1}", f"OUT={folder}", str(target)],
                       env=environment, check=True)
        return target.resolve()


class WheelOfAnyPython(bdist_wheel):
    """The library is called by ctypes: one wheel for all versions of Python, of one machine."""

    def get_tag(self):
        return "py3", "none", super().get_tag()[2]


class SourcesToo(sdist):
    def make_release_tree(self, folder, files):
        super().make_release_tree(folder, files)
        for name in SOURCES:
            source, copy = TREE / name, Path(folder, "libffebm", name)
            if source.is_dir():
                shutil.copytree(source, copy, ignore=shutil.ignore_patterns("libffebm.so*", "libffebm.a"))
            else:
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, copy)


class WithLibrary(Distribution):
    def has_ext_modules(self):
        return True


PRODUCTS.mkdir(parents=True, exist_ok=True)
setup(version=version(), distclass=WithLibrary,
      options={"build": {"build_base": str(PRODUCTS)}, "egg_info": {"egg_base": str(PRODUCTS)}},
      cmdclass={"build_py": BuildWithLibrary, "bdist_wheel": WheelOfAnyPython, "sdist": SourcesToo})
