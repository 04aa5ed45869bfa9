"""A sweep around Hydra's jobs: the MLflow parent before them, the ranking after them."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf
from rich.text import Text

from mlrunner.errors import MlrunnerError
from mlrunner.outcome import Outcome
from mlrunner.terminal import console, relative, show_hand_over, show_problems, show_ranking

PARENT, SHARED = "MLRUNNER_PARENT_RUN", "MLRUNNER_SHARED_OVERRIDES"  # reach the jobs in other processes
RESULT = "result.json"
NUMBERS = ("objective", "fit_seconds", "score_seconds")  # null in JSON where there is none


class _Callable(ModuleType):
    """What makes `mlrunner.sweep([...])` a search in Python although `mlrunner.sweep` is this package as well."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """See `mlrunner.api.sweep`."""
        return import_module("mlrunner.api").sweep(*arguments, **options)  # which stands above this package


sys.modules[__name__].__class__ = _Callable


def rank(outcomes: list[Outcome]) -> list[Outcome]:
    """Sort best first; failures and NaN come last, in the order of their jobs."""

    def key(outcome: Outcome) -> tuple[bool, float, int]:
        failed = outcome.objective != outcome.objective
        sign = -1 if outcome.direction == "maximize" else 1
        return failed, 0.0 if failed else sign * outcome.objective, outcome.job or 0

    return sorted(outcomes, key=key)


def read_outcomes(folder: Path) -> list[Outcome]:
    """Read the result of every job of a sweep."""
    return [read_outcome(file) for file in folder.glob(f"*/{RESULT}")]


def read_outcome(file: Path) -> Outcome:
    """Read the result of a job."""
    found = json.loads(file.read_text())
    return Outcome(**{**found, **{name: _nan(found[name]) for name in NUMBERS}})


def _nan(value: float | None) -> float:
    return float("nan") if value is None else value


def is_ours(config: DictConfig) -> bool:
    """Tell whether a sweep is searched by our own sweeper."""
    return str(config.hydra.sweeper._target_).startswith("hydra_plugins.mlrunner_sweeper.sweeper.")


class SweepCallback(Callback):
    """What Hydra calls around a multirun; it warns of what a callback raises and goes on, so nothing is raised."""

    failed: int = 0  # compositions of the last sweep of this process
    begun: str | None = None  # what `mlrunner resume` calls the sweep that runs

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Open the MLflow parent; without one nothing starts. Our own sweeper does so itself, after its checks."""
        del kwargs
        name = OmegaConf.select(config, "hydra.sweeper.study_name")
        SweepCallback.begun = str(name or "/".join(Path(config.hydra.sweep.dir).parts[-2:]))
        if is_ours(config):
            return
        from mlrunner.sweep import parent

        os.environ[SHARED] = json.dumps(OmegaConf.to_container(config.hydra.overrides.task))
        try:
            os.environ[PARENT] = parent.open_parent(config)
        except MlrunnerError as error:
            show_problems(error)
            sys.exit(error.exit_code)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Rank the compositions, close the parent, and hand the best one over."""
        del kwargs
        SweepCallback.begun = None
        if is_ours(config):
            return
        from mlrunner.sweep import parent

        folder = Path(config.hydra.sweep.dir)
        outcomes = rank(read_outcomes(folder))
        SweepCallback.failed = sum(outcome.error is not None for outcome in outcomes)
        run_id, wanted = os.environ.pop(PARENT), OmegaConf.select(config, "tracking.plots") is True
        try:
            parent.close_parent(run_id, outcomes)
            if outcomes and outcomes[0].error is None:
                outcomes[0] = parent.hand_over(outcomes[0])
        except MlrunnerError as error:
            show_problems(error)
            SweepCallback.failed += 1
        report = parent.report(run_id, folder, outcomes) if wanted else None
        if OmegaConf.select(config, "output") == "json":
            print(json.dumps([json.loads(outcome.json()) for outcome in outcomes]))
        else:
            show_ranking(outcomes, str(folder))
            show_hand_over(*((outcomes[0].gate, outcomes[0].deployment) if outcomes else (None, None)))
            show_report(report)


def show_report(file: str | None) -> None:
    """Print where the report of a sweep is; nothing where there is none."""
    if file is not None:
        console().print(Text.assemble(("  report    ", "dim"), relative(file)))


def close_open(status: str) -> None:
    """Close the parent of a sweep that did not come to its end; nothing for a single run, which closes itself."""
    run_id = os.environ.pop(PARENT, None)
    if run_id is None:
        return
    from mlrunner.sweep import parent

    with suppress(MlrunnerError):  # what ended the sweep matters more
        parent.close_early(run_id, status)
