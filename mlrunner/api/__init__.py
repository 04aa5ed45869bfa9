"""mlrunner from Python and from notebooks: what the command line does, as functions of `mlrunner` itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from subprocess import PIPE
from typing import TYPE_CHECKING

from mlrunner.api.results import Run, Sweep, make_run, name_of, parse_sweep
from mlrunner.composition.stores import open_store, tracking_uri
from mlrunner.core.environment import has_stack, prepare_environment
from mlrunner.core.errors import ConfigError, ProblemsError
from mlrunner.execution import deploy_run
from mlrunner.execution.deploy_run import DeploymentResult
from mlrunner.tracking.records import separate_stack_overrides

if TYPE_CHECKING:
    import pandas as pd

    from mlrunner.history.diff import Comparison


def _at(home: Path | None) -> Path:
    if home is not None:
        place, before = str(Path(home).resolve()), os.environ.get("MLRUNNER_HOME")
        if has_stack() and place != before:  # MLflow and ZenML would keep to the stores they have opened
            raise ConfigError(f"home={home}: this process has opened the stores of {before}; restart it (the kernel).")
        os.environ["MLRUNNER_HOME"] = place
    prepare_environment(verbose=False)
    return Path(os.environ["MLRUNNER_HOME"])


def _listed(overrides: Sequence[str], what: str = "overrides") -> list[str]:
    if isinstance(overrides, str):
        raise ConfigError(f"{what} is a list of texts, like ['{overrides}'], and not one text.")
    return [str(text) for text in overrides]


def run(overrides: Sequence[str] = (), *, home: Path | None = None) -> Run:
    """Run one composition in this process, as `mlrunner OVERRIDES` does.

    Args:
        overrides: Like `["model=rf", "seed=1"]`.
        home: The folder that receives `.mlrunner/` and `multirun/`, for this call and those after it; None takes
            `MLRUNNER_HOME`, or the project's.

    Returns:
        The scores, and where the run is; a table in a notebook.

    Raises:
        MlrunnerError: When it cannot run: every problem in a sentence.
    """
    _at(home)
    from mlrunner.execution import in_process

    overrides = _listed(overrides)
    if flags := [text for text in overrides if text.startswith("-")]:
        raise ConfigError(
            f"'{flags[0]}' is no override, which is all that mlrunner.run takes; a grid is mlrunner.sweep."
        )
    if any(text.startswith("sweep=") for text in overrides):
        raise ConfigError("A search has many runs; call mlrunner.sweep instead of mlrunner.run.")
    return make_run(in_process.run_here(overrides))


def sweep(overrides: Sequence[str], *, home: Path | None = None) -> Sweep:
    """Run a grid or a search, as `mlrunner --multirun OVERRIDES` does; in a process of its own, which starts workers.

    Args:
        overrides: Like `["model=xgboost,rf"]` or `["sweep=optuna", "model=rf", "hydra.sweeper.n_trials=20"]`.
        home: See `run`.

    Returns:
        The trials and the winner; a table in a notebook.

    Raises:
        MlrunnerError: When it cannot start.
    """
    folder, overrides = _at(home), _listed(overrides)
    out, told = _multirun(overrides)
    if not out.strip():
        lines = [line.removeprefix("mlrunner: ") for line in told.strip().splitlines()]
        raise ProblemsError(lines or ["The sweep ended without a word."])
    tracking_uri(
        folder, [*separate_stack_overrides(overrides)[1], "output=json"]
    )  # and keep to its stack, as after a run
    return parse_sweep(json.loads(out.strip().splitlines()[-1]))


def _multirun(overrides: list[str]) -> tuple[str, str]:
    """Run a sweep in a process of its own, and tell what it wrote."""
    command = [sys.executable, "-m", "mlrunner", "--multirun", *overrides, "output=json"]
    # What can be imported here can be there; our own first, of which every loaded model brings a copy.
    path = os.pathsep.join([os.environ["MLRUNNER_PROJECT"], *filter(None, sys.path)])
    env = {**os.environ, "PYTHONPATH": path, "HYDRA_FULL_ERROR": "0"}  # sentences and no traceback
    with subprocess.Popen(command, stdout=PIPE, stderr=PIPE, text=True, env=env, start_new_session=True) as child:
        return wait_for_sweep(child)


def wait_for_sweep(child: subprocess.Popen[str]) -> tuple[str, str]:
    """Wait for a sweep, which closes its runs when it is interrupted: once, for no terminal reaches its session."""
    try:
        return child.communicate()
    except KeyboardInterrupt:
        child.send_signal(signal.SIGINT)
        wait_for_sweep(child)
        raise


def diff(
    first: str | Run | Sweep,
    *others: str | Run | Sweep,
    composition: Sequence[str] | None = None,
    home: Path | None = None,
) -> Comparison:
    """Compare runs, sweeps or YAML files, as `mlrunner diff` does.

    Args:
        first: A run (id, name, folder, `latest`, `best`, `champion`), a sweep (DAY/TIME), what `run` or `sweep` gave,
            or a file.
        *others: What it is compared with.
        composition: Overrides of a composition to compare with as well, which need not have been run.
        home: See `run`.

    Returns:
        What differs, and the overrides that make it up; tables in a notebook, and what a terminal shows where printed.

    Raises:
        MlrunnerError: When there is no such run.
    """
    overrides = None if composition is None else _listed(composition, "composition")
    folder = _at(home)
    from mlrunner.history.diff import compare
    from mlrunner.history.diff.sides import compose_side, find_side

    store = open_store(folder)
    sides = [find_side(store, name_of(name), folder) for name in (first, *others)]
    return compare([*sides, *([compose_side(overrides)] if overrides is not None else [])])


def runs(
    where: str = "", sort: Sequence[str] = (), limit: int | None = None, *, home: Path | None = None
) -> pd.DataFrame:
    """List runs, the newest first; the parents of sweeps are left out.

    Args:
        where: In MLflow's filter grammar, `"metrics.r2 > 0.3 and params.model = 'rf'"`.
        sort: In MLflow's order grammar, `["metrics.r2 DESC"]`.
        limit: How many; None for all.
        home: See `run`.

    Returns:
        A row a run: `run_id`, `name`, `status`, `start`, `seconds`, and `params.*`, `metrics.*` and `tags.*`, as
        `mlflow.search_runs` names them.

    Raises:
        ConfigError: When the filter or the order cannot be read.
    """
    try:
        found = open_store(_at(home)).search(where, _listed(sort, "sort"), limit, parents=False)
    except ConfigError as error:
        raise ConfigError(str(error).removeprefix("--")) from error  # where and sort are no flags here
    import pandas as pd

    rows = [
        {
            "run_id": one.run_id,
            "name": one.name,
            "status": one.status,
            "start": pd.Timestamp(one.start, unit="ms", tz="UTC"),
            "seconds": one.seconds,
            **{f"{kind}.{key}": at for kind in ("metrics", "params", "tags") for key, at in getattr(one, kind).items()},
        }
        for one in found
    ]
    return pd.DataFrame(rows, columns=None if rows else ["run_id", "name", "status", "start", "seconds"])


def deploy(what: str | Run | Sweep, overrides: Sequence[str] = (), home: Path | None = None) -> DeploymentResult:
    """Judge a saved model on its test rows, and deploy it if the gate opens: `mlrunner deploy` from Python.

    Args:
        what: A run (id, name, folder), a sweep (DAY/TIME), `latest`, `best`, or what `run` or `sweep` gave.
        overrides: Of gate, deployer and stack, like `gate=threshold`; those of the run stand where none are given.
        home: See `run`.

    Returns:
        What the gate said, and where the model serves.

    Raises:
        MlrunnerError: When there is no such run, a choice is impossible, or the model cannot be deployed.
    """
    told = _listed(overrides)
    _at(home)
    return deploy_run.deploy(name_of(what), told)
