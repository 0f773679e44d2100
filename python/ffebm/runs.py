"""What the program `train` leaves of a run: its log, line by line."""
from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def read_log(path: str | os.PathLike, follow: bool = False, pause: float = 0.5) -> Iterator[dict[str, Any]]:
    """The lines of a run's log as dictionaries; docs/training.md has their keys.

    path: a run directory, or a log by itself. An epoch's line has "train_loss", a step's has "loss". follow: wait for
    what is still to come, looking again after `pause` seconds, until the run directory has its result; without a
    directory for ever. A line that is not whole yet is left for later.
    """
    place = Path(path)
    result = place / "result.json" if place.is_dir() else None
    with open(place / "log.jsonl" if place.is_dir() else place, encoding="utf-8") as file:
        while True:
            done = not follow or (result is not None and result.exists())  # asked before the last look
            yield from _whole_lines(file)
            if done:
                return
            time.sleep(pause)


def _whole_lines(file):
    while True:
        at = file.tell()
        line = file.readline()
        if not line.endswith("\n"):
            file.seek(at)
            return
        yield json.loads(line)
