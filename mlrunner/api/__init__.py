"""The command line as Python functions, for scripts and notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from mlrunner.api import frames
from mlrunner.api.child import sweep as sweep
from mlrunner.api.explanation import explain as explain
from mlrunner.api.preparation import prepare_home, to_list
from mlrunner.api.results import Run, Sweep, load_model, make_run, name_of
from mlrunner.api.run_table import make_table
from mlrunner.composition.stores import export_tracking_uri, open_store
from mlrunner.core import environment
from mlrunner.core.errors import ConfigError
from mlrunner.execution import deploy_run
from mlrunner.execution.deploy_run import DeploymentResult
from mlrunner.history.diff import Comparison
from mlrunner.tracking.records import lookup
from mlrunner.tracking.records.record import MODEL_TAG


def run(
    overrides: Sequence[str] = (),
    *,
    data: Any = None,
    target: str | None = None,
    output: Literal["text", "json", "quiet"] | None = None,
    home: Path | None = None,
) -> Run:
    """Run one composition in this process, as `mlrunner OVERRIDES` does.

    Args:
        overrides: Overrides, such as `["model=rf", "seed=1"]`.
        data: Data frame of pandas, polars or any library with Arrow's protocol; it is stored once for each content, so
            that the run can be repeated. None reads what the overrides name.
        target: Column to predict; None leaves it to the overrides.
        output: What is printed; "quiet" prints nothing. None leaves it to the overrides.
        home: Folder that holds `.mlrunner/` and `multirun/`, for this and later calls; None means `MLRUNNER_HOME`, or
            the folder of the project.

    Returns:
        The scores and the place of the run; a notebook shows a table.

    Raises:
        MlrunnerError: When the composition cannot run, with one sentence for each problem.
    """
    folder = prepare_home(home)
    from mlrunner.execution import in_process

    overrides = to_list(overrides)
    if flags := [text for text in overrides if text.startswith("-")]:
        raise ConfigError(
            f"'{flags[0]}' is not an override, and mlrunner.run takes overrides only; for a grid call mlrunner.sweep."
        )
    if any(text.startswith("sweep=") for text in overrides):
        raise ConfigError("sweep= starts many runs; call mlrunner.sweep instead of mlrunner.run.")
    printed = [] if output is None else [f"output={output}"]
    return make_run(in_process.run_here([*frames.write_overrides(data, target, folder), *overrides, *printed]))


def load(run: str | Run | Sweep, *, home: Path | None = None) -> Any:
    """Load the saved model of a run: a scikit-learn pipeline from raw rows to predictions.

    Args:
        run: Run (id, name or folder), sweep (DAY/TIME; its winner), `latest`, `best`, or result of `run` or `sweep`.
        home: Folder that holds `.mlrunner/` and `multirun/`, see `run`.

    Raises:
        ConfigError: When there is no such run, or it saved no model.
    """
    store, folder = open_store(prepare_home(home)), environment.home()
    record = lookup.resolve_sweep(store, lookup.find(store, name_of(run), folder, saved=True))
    export_tracking_uri(folder)
    return load_model(record.run_id, record.tags.get(MODEL_TAG))


def diff(
    first: str | Run | Sweep,
    *others: str | Run | Sweep,
    composition: Sequence[str] | None = None,
    home: Path | None = None,
) -> Comparison:
    """Compare runs, sweeps or YAML files, as `mlrunner diff` does.

    Args:
        first: Run (id, name, folder, `latest`, `best` or `champion`), sweep (DAY/TIME), result of `run` or `sweep`, or
            path of a YAML file.
        *others: Sides to compare with.
        composition: Overrides of a composition to compare with as well; None adds none.
        home: Folder that holds `.mlrunner/` and `multirun/`, see `run`.

    Returns:
        The differences, and the overrides between the sides; a notebook shows tables.

    Raises:
        MlrunnerError: When there is no such run.
    """
    overrides = None if composition is None else to_list(composition, "composition")
    folder = prepare_home(home)
    from mlrunner.history.diff import compare
    from mlrunner.history.diff.sides import compose_side, find_side

    store = open_store(folder)
    sides = [find_side(store, name_of(name), folder) for name in (first, *others)]
    return compare([*sides, *([compose_side(overrides)] if overrides is not None else [])])


def runs(
    where: str = "", sort: Sequence[str] = (), limit: int | None = None, *, home: Path | None = None
) -> pd.DataFrame:
    """List runs, newest first, without the parent runs of sweeps.

    Args:
        where: Filter in MLflow's grammar, such as `"metrics.r2 > 0.3 and params.model = 'rf'"`.
        sort: Order in MLflow's grammar, such as `["metrics.r2 DESC"]`.
        limit: Largest number of runs; None means all.
        home: Folder that holds `.mlrunner/` and `multirun/`, see `run`.

    Returns:
        A row for each run: `run_id`, `name`, `status`, `start`, `seconds`, and `params.*`, `metrics.*` and `tags.*`, as
        `mlflow.search_runs` names them.

    Raises:
        ConfigError: When the filter or the order cannot be read.
    """
    try:
        records = open_store(prepare_home(home)).search(where, to_list(sort, "sort"), limit, parents=False)
    except ConfigError as error:
        raise ConfigError(str(error).removeprefix("--")) from error  # flags of the command line are parameters here
    return make_table(records)


def tag(run: str | Run | Sweep, *, home: Path | None = None, **tags: str) -> list[str]:
    """Set tags of a run, or of all runs of a sweep, as `mlrunner tag` does; an empty text removes a tag.

    Args:
        run: Run or sweep, see `deploy`.
        home: Folder that holds `.mlrunner/` and `multirun/`, see `run`.
        **tags: Texts by name; `invalid="reason"` takes the run out of `best`, `gate=champion` and warm starts.

    Returns:
        Ids of the tagged runs.
    """
    folder = prepare_home(home)
    from mlrunner.history import tagging

    return [record.run_id for record in tagging.tag_run(name_of(run), folder, tags)]


def deploy(
    run: str | Run | Sweep, overrides: Sequence[str] = (), home: Path | None = None, trust: bool = False
) -> DeploymentResult:
    """Judge a saved model on its test rows, and deploy it if the gate opens, as `mlrunner deploy` does.

    Args:
        run: Run (id, name or folder), sweep (DAY/TIME), `latest`, `best`, or result of `run` or `sweep`.
        overrides: Overrides of gate, deployer and stack, such as `gate=threshold`; see `mlrunner deploy`.
        home: Folder that holds `.mlrunner/` and `multirun/`, see `run`.
        trust: True to read the query or address of the run's data set, with the rights of the current user.

    Returns:
        The decision of the gate, and the address of the service.

    Raises:
        MlrunnerError: When there is no such run, an override is not possible, or the model cannot be deployed.
    """
    overrides = to_list(overrides)
    prepare_home(home)
    return deploy_run.deploy(name_of(run), overrides, trust)
