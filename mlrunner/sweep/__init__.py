"""A sweep around Hydra's jobs: the MLflow parent before them, the ranking after them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from mlrunner.terminal import Outcome, show_ranking

PARENT = "MLRUNNER_PARENT_RUN"  # reaches the jobs in other processes
RESULT = "result.json"


def rank(outcomes: list[Outcome]) -> list[Outcome]:
    """Sort best first; failures and NaN come last, in the order of their jobs."""

    def key(outcome: Outcome) -> tuple[bool, float, int]:
        failed = outcome.objective != outcome.objective
        sign = -1 if outcome.direction == "maximize" else 1
        return failed, 0.0 if failed else sign * outcome.objective, outcome.job or 0

    return sorted(outcomes, key=key)


def read_outcomes(folder: Path) -> list[Outcome]:
    """Read the result of every job of a sweep."""
    found = [json.loads(file.read_text()) for file in folder.glob(f"*/{RESULT}")]
    return [
        Outcome(**{**one, "objective": _nan(one["objective"]), "fit_seconds": _nan(one["fit_seconds"])})
        for one in found
    ]


def _nan(value: float | None) -> float:
    return float("nan") if value is None else value


class SweepCallback(Callback):
    """What Hydra calls around a multirun."""

    failed: int = 0  # of the last sweep of this process; Hydra swallows what callbacks raise

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Open the MLflow parent, unless a sweep is only composed."""
        del kwargs
        from mlrunner.sweep import parent

        os.environ[PARENT] = parent.open_parent(config)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Rank the compositions and close the parent."""
        del kwargs
        from mlrunner.sweep import parent

        folder = Path(config.hydra.sweep.dir)
        outcomes = rank(read_outcomes(folder))
        SweepCallback.failed = sum(outcome.error is not None for outcome in outcomes)
        parent.close_parent(os.environ.pop(PARENT), outcomes)
        if OmegaConf.select(config, "output") == "json":
            print(json.dumps([json.loads(outcome.json()) for outcome in outcomes]))
        else:
            show_ranking(outcomes, str(folder))
