"""Run a sweep in a child process, which starts its own workers.

The main module of the child is mlrunner, not the caller's: a script needs no `if __name__ == "__main__"`, and a
notebook's cells are not run again.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from mlrunner.api.preparation import prepare_home, to_list
from mlrunner.api.progress_bar import is_wanted, show_progress
from mlrunner.api.results import Sweep, parse_sweep
from mlrunner.composition.stores import tracking_uri
from mlrunner.core import environment
from mlrunner.core.errors import ProblemsError
from mlrunner.core.progress_file import PROGRESS_VARIABLE
from mlrunner.core.project import CODE
from mlrunner.tracking.records import separate_stack_overrides

POLL_SECONDS = 0.2


def sweep(overrides: Sequence[str], *, progress: bool | None = None, home: Path | None = None) -> Sweep:
    """Run a grid or a search in a child process, as `mlrunner --multirun OVERRIDES` does.

    Args:
        overrides: Overrides, such as `["model=xgboost,rf"]` or
            `["sweep=optuna", "model=rf", "hydra.sweeper.n_trials=20"]`.
        progress: Whether to show a progress bar; None shows one in a notebook and on a terminal.
        home: Folder that holds `.mlrunner/` and `multirun/`, see `run`.

    Returns:
        The trials and the winner; a notebook shows a table.

    Raises:
        MlrunnerError: When the sweep cannot start.
    """
    folder, overrides = prepare_home(home), to_list(overrides)
    out, err = run_multirun(overrides, is_wanted(progress))
    if not out.strip():
        lines = [line.removeprefix("mlrunner: ") for line in err.strip().splitlines()]
        raise ProblemsError(lines or ["The sweep ended without a result and without an error message."])
    tracking_uri(
        folder, [*separate_stack_overrides(overrides)[1], "output=json"]
    )  # and keep to its stack, as after a run
    return parse_sweep(json.loads(out.strip().splitlines()[-1]))


def run_multirun(overrides: list[str], shows_progress: bool) -> tuple[str, str]:
    """Run a sweep in a child process, and return its stdout and stderr.

    Args:
        overrides: Overrides as they are typed after `mlrunner --multirun`.
        shows_progress: Whether to show a progress bar.
    """
    command = [sys.executable, "-m", "mlrunner", "--multirun", *overrides, "output=json"]
    # The child imports what this process can import; our code comes first, since loaded models add copies of it.
    path = os.pathsep.join([str(CODE), *filter(None, sys.path)])
    with TemporaryDirectory() as name:
        out, err, progress = (Path(name) / file for file in ("out", "err", "progress"))
        variables = {PROGRESS_VARIABLE: str(progress)} if shows_progress else {}
        env = environment.child_environment(PYTHONPATH=path, HYDRA_FULL_ERROR="0", **variables)  # no tracebacks
        with (
            out.open("w") as stdout,
            err.open("w") as stderr,
            show_progress(progress) if shows_progress else nullcontext(lambda: None) as update,
            subprocess.Popen(command, stdout=stdout, stderr=stderr, env=env, start_new_session=True) as child,
        ):
            wait_for_sweep(child, update)
        return out.read_text(), err.read_text()


def wait_for_sweep(child: subprocess.Popen[bytes], update: Callable[[], None]) -> None:
    """Wait for a sweep.

    Args:
        child: Process of the sweep, in a session of its own, which Ctrl-C reaches only through this function.
        update: Called while the sweep runs and once after it.

    Raises:
        KeyboardInterrupt: After the sweep has ended its runs.
    """
    try:
        while child.poll() is None:
            update()
            with suppress(subprocess.TimeoutExpired):
                child.wait(POLL_SECONDS)
        update()
    except KeyboardInterrupt:
        child.send_signal(signal.SIGINT)
        wait_for_sweep(child, update)
        raise
