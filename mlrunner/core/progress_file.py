"""Pass the progress of a sweep to the process that started it, by lines in a file."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from mlrunner.core import environment

PROGRESS_VARIABLE = "MLRUNNER_PROGRESS"  # path of the file; a job in any process of the sweep may add a line


@dataclass(frozen=True)
class Progress:
    """State of a sweep after one of its jobs or trials.

    Args:
        total: Number of jobs or trials of the session; None when it is unknown.
        note: What is worth showing, such as the best score.
    """

    total: int | None
    note: str


def is_requested() -> bool:
    """Check whether another process waits for the progress of this one."""
    return environment.variable(PROGRESS_VARIABLE) is not None


def report(progress: Progress) -> None:
    """Add the line of a finished job or trial, when another process waits for it."""
    file = environment.variable(PROGRESS_VARIABLE)
    if file is not None:
        with suppress(OSError), Path(file).open("a") as lines:
            lines.write(json.dumps(asdict(progress)) + "\n")


def read(file: Path) -> list[Progress]:
    """Read what was reported so far, without a line that is still being written."""
    if not file.exists():
        return []
    return [Progress(**json.loads(line)) for line in file.read_text().splitlines(True) if line.endswith("\n")]
