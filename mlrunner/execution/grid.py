"""A grid around Hydra's own jobs: the MLflow parent before them, the ranking after them."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from mlrunner.core.errors import MlrunnerError
from mlrunner.core.outcome import rank, read_outcomes
from mlrunner.core.terminal import show_hand_over, show_problems, show_ranking, show_report

PARENT, SHARED = "MLRUNNER_PARENT_RUN", "MLRUNNER_SHARED_OVERRIDES"  # reach the jobs in other processes


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
        from mlrunner.execution import grid_parent

        os.environ[SHARED] = json.dumps(OmegaConf.to_container(config.hydra.overrides.task))
        try:
            os.environ[PARENT] = grid_parent.open_parent(config)
        except MlrunnerError as error:
            show_problems(error)
            sys.exit(error.exit_code)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Rank the compositions, close the parent, and hand the best one over."""
        del kwargs
        SweepCallback.begun = None
        if is_ours(config):
            return
        from mlrunner.execution import grid_parent

        folder = Path(config.hydra.sweep.dir)
        outcomes = rank(read_outcomes(folder))
        SweepCallback.failed = sum(outcome.error is not None for outcome in outcomes)
        run_id, wanted = os.environ.pop(PARENT), OmegaConf.select(config, "tracking.plots") is True
        try:
            grid_parent.close_parent(run_id, outcomes)
            if outcomes and outcomes[0].error is None:
                outcomes[0] = grid_parent.deploy_best(outcomes[0])
        except MlrunnerError as error:
            show_problems(error)
            SweepCallback.failed += 1
        report = grid_parent.write_report(run_id, folder, outcomes) if wanted else None
        if OmegaConf.select(config, "output") == "json":
            print(json.dumps([json.loads(outcome.json()) for outcome in outcomes]))
        else:
            show_ranking(outcomes, str(folder))
            show_hand_over(*((outcomes[0].gate, outcomes[0].deployment) if outcomes else (None, None)))
            show_report(report)


def close_open(status: str) -> None:
    """Close the parent of a sweep that did not come to its end; nothing for a single run, which closes itself."""
    run_id = os.environ.pop(PARENT, None)
    if run_id is None:
        return
    from mlrunner.execution import grid_parent

    with suppress(MlrunnerError):  # what ended the sweep matters more
        grid_parent.abort_parent(run_id, status)
