"""A progress bar for a sweep that runs in a child process: a widget in a notebook, a line on a terminal."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mlrunner.core import progress_file


def is_wanted(progress: bool | None) -> bool:
    """Decide whether to show a bar.

    Args:
        progress: Choice of the caller; None shows one in a notebook and on a terminal.
    """
    return "ipykernel" in sys.modules or sys.stderr.isatty() if progress is None else progress


@contextmanager
def show_progress(file: Path) -> Iterator[Callable[[], None]]:
    """Show a bar that counts the lines of a progress file, and yield the function that updates it.

    Args:
        file: Progress file; it may not exist yet.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without ipywidgets tqdm warns, and draws a line of text
        from tqdm.auto import tqdm
    with tqdm(desc="sweep", unit="run") as bar:

        def update() -> None:
            reports = progress_file.read(file)
            if len(reports) > bar.n:
                bar.total, bar.n = reports[-1].total, len(reports)
                bar.set_postfix_str(reports[-1].note)

        yield update
