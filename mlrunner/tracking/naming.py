"""Find a run by what a person calls it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlflow
import yaml
from mlflow import MlflowClient
from mlflow.entities import Run

from mlrunner import tracking
from mlrunner.errors import ConfigError, nearest
from mlrunner.metrics import GREATER_IS_BETTER

PAGE = 1000  # runs a request
SHOWN = 5  # names in a message
WINNER, BEST = "mlrunner.winner_run_id", "mlrunner.best_run_id"
SWEEP, TRIAL, FOLDER = "mlrunner.sweep_id", "mlrunner.trial_number", "mlrunner.folder"


def find(name: str, home: Path) -> Run:
    """Find a run.

    Args:
        name: `latest`, `best`, a run's id or the beginning of one, its name, its folder, a sweep (`DAY/TIME`, its
            folder or its id: the winner, else its best run), or one of a sweep's runs (`DAY/TIME/NUMBER`).
        home: The folder that holds `multirun/`.

    Raises:
        ConfigError: When there is none, or several whose ids begin so.
    """
    known = list(runs())
    ways: tuple[Callable[[], list[Run]], ...] = (
        lambda: _special(name, known),
        lambda: [run for run in known if run.info.run_id == name],
        lambda: [run for run in known if len(name) >= 4 and run.info.run_id.startswith(name)],
        lambda: _by_folder(name, home, known),
        lambda: [run for run in known if run.info.run_name == name][:1],
    )
    found: list[Run] = next((few for way in ways if (few := way())), [])
    if len(found) > 1:
        told = ", ".join(run.info.run_id[: len(name) + 4] for run in found[:SHOWN])
        raise ConfigError(f"'{name}' begins the ids of {len(found)} runs ({told}); write more of it.")
    if not found:
        raise ConfigError(_unknown(name, known))
    return _leading(found[0], known)


def run_of(run_id: str) -> Run:
    """Read a run by its whole id."""
    return MlflowClient().get_run(run_id)


def runs() -> Iterator[Run]:
    """Every run of the store, newest first."""
    client = MlflowClient()
    experiments = [found.experiment_id for found in client.search_experiments()]
    token: str | None = None
    while True:
        page = client.search_runs(experiments, "", max_results=PAGE, order_by=["start_time DESC"], page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _special(name: str, known: list[Run]) -> list[Run]:
    able = [run for run in known if run.info.status == "FINISHED" and tracking.MODEL_TAG in run.data.tags]
    able = [run for run in able if WINNER not in run.data.tags]  # a parent has its winner's
    if name == "latest":
        return able[:1]
    if name != "best" or not able:
        return []
    newest = able[0]
    metric = _metric(newest)
    rivals = [run for run in able if _is_comparable(run, newest, metric)]
    sign = 1 if GREATER_IS_BETTER.get(metric, True) else -1
    return sorted(rivals, key=lambda run: -sign * run.data.metrics[f"test/{metric}"])[:1]


def _metric(run: Run) -> str:
    return str(run.data.params.get("objective.metric", "r2")).strip('[]"').partition('"')[0]


def _is_comparable(run: Run, newest: Run, metric: str) -> bool:
    same = all(run.data.tags.get(tag) == newest.data.tags.get(tag) for tag in ("mlrunner.data_hash",))
    return same and _metric(run) == metric and f"test/{metric}" in run.data.metrics


def _by_folder(name: str, home: Path, known: list[Run]) -> list[Run]:
    wanted = {str(Path(name).absolute()), str(home / "multirun" / name)}
    found = [run for run in known if run.data.tags.get(FOLDER) in wanted]
    if not found:
        sweep, _, number = name.rpartition("/")
        tags = {SWEEP: name} if "/" in name and sweep.count("/") == 0 else {SWEEP: sweep, TRIAL: number}
        found = [run for run in known if tags.items() <= run.data.tags.items()]
    parents = [run for run in found if BEST in run.data.tags]
    return parents[:1] or found[:1]


def _leading(run: Run, known: list[Run]) -> Run:
    """Follow a sweep to its winner, or to its best run where nothing was refitted."""
    wanted = run.data.tags.get(WINNER) or run.data.tags.get(BEST)
    return next((other for other in known if other.info.run_id == wanted), run)


def _unknown(name: str, known: list[Run]) -> str:
    if not known:
        return f"'{name}' is no run: there is none yet; start one with mlrunner."
    names = [str(run.info.run_name) for run in known]
    told = ", ".join(f"{run.info.run_name} ({run.info.run_id[:8]})" for run in known[:SHOWN])
    return (
        f"'{name}' is no run; name one by its id or the beginning of it, its name, its folder, a sweep's DAY/TIME, "
        f"latest or best. The newest are {told}.{nearest(name, names)}"
    )


def config_of(run: Run) -> dict[str, Any]:
    """Read the composition of a run, as it was frozen when it was launched.

    Raises:
        ConfigError: When the run has none, because mlrunner did not make it.
    """
    try:
        found = yaml.safe_load(mlflow.artifacts.load_text(f"{run.info.artifact_uri}/config.yaml"))
    except Exception as error:  # whatever the store says
        raise ConfigError(f"Run {run.info.run_id[:8]} has no config.yaml, so mlrunner did not make it.") from error
    return dict(found)
