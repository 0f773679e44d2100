"""What the headers declare, read with regular expressions: enough for the one style that they are written in."""
import os
import re
import shlex
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _text():
    files = sorted((ROOT / "include" / "ffebm").glob("*.h"))
    return re.sub(r"/\*.*?\*/", " ", "".join(file.read_text() for file in files), flags=re.S)


TEXT = _text()
STRUCTS = re.findall(r"typedef struct (ffebm_\w+) \{(.*?)\} \1;", TEXT, re.S)
OPAQUE = set(re.findall(r"typedef struct (ffebm_\w+) \1;", TEXT))
CALLBACKS = re.findall(r"typedef (\w[\w ]*\*?) ?\(\*(ffebm_\w+_fn)\)\(([^)]*)\);", TEXT)
FUNCTIONS = re.findall(r"FFEBM_API\s+(\w[\w ]*?\*?)\s*(ffebm_\w+)\(([^)]*)\);", TEXT)
MAP = re.findall(r"^    (ffebm_\w+);", (ROOT / "lib" / "libffebm.map").read_text(), re.M)


def fields(body):
    """The names of a struct's fields."""
    names = []
    for declaration in filter(str.strip, body.split(";")):
        pointer = re.search(r"\(\*(\w+)\)", declaration)
        names.append(pointer[1] if pointer else re.search(r"(\w+)\s*(\[\d+\])?\s*$", declaration)[1])
    return names


def constants():
    bodies = re.findall(r"enum\s*\w*\s*\{([^}]*)\}", TEXT)
    names = [name for body in bodies for name in re.findall(r"\b(FFEBM_\w+)\s*=", body)]
    statuses = re.findall(r"X\((FFEBM_\w+),", TEXT)
    sizes = ["FFEBM_ALL", "FFEBM_NONE", "FFEBM_LAYER_NEWEST", "FFEBM_LAYER_NEW"]
    return [*names, *statuses, *sizes, "FFEBM_MAX_RANK"]


def types(arguments):
    """The types of a row of parameters, without their names."""
    if arguments.strip() in ("", "void"):
        return []
    return [re.sub(r"(\*?)\b\w+$", r"\1", argument.strip()).strip() for argument in arguments.split(",")]


def compiled(lines):
    """What a C program of these statements prints, a list of words a line."""
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder, "facts.c"), Path(folder, "facts")
        source.write_text("#include <ffebm.h>\n#include <stdio.h>\nint main(void)\n{\n" + "\n".join(lines) + "\n}\n")
        compiler = shlex.split(os.environ.get("CC", "cc"))
        subprocess.run([*compiler, "-std=c11", f"-I{ROOT / 'include'}", "-o", program, source], check=True)
        printed = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    return [line.split() for line in printed.splitlines()]
