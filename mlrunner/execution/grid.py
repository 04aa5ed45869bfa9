"""Hydra's own grids: open the MLflow parent run before their jobs, rank and close after them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from mlrunner.core import environment
from mlrunner.core.errors import MlrunnerError
from mlrunner.core.interruption import interruption_code
from mlrunner.core.outcome import Outcome, rank, read_outcomes, separate
from mlrunner.core.terminal import relative_path, show_deployment, show_line, show_problems, show_ranking, show_warnings


@dataclass
class Multirun:
    """State of a multirun, shared by its caller and by `SweepCallback`, which Hydra builds from a name alone.

    Args:
        name: Name that `mlrunner resume` takes; None before and after the multirun.
        folder: Folder of a grid; None before and after it, and for a search, whose study knows its folder.
        parent: Id of the MLflow parent run; None while none is open.
        n_failed: Number of jobs that failed.
        error: Exception that kept the parent run from being opened.
        is_search: True for a grid that runs as a search; as in any grid, each failure counts.
    """

    name: str | None = None
    folder: Path | None = None
    parent: str | None = None
    n_failed: int = 0
    error: Exception | None = None
    is_search: bool = False

    @contextmanager
    def active(self) -> Iterator[None]:
        """Share this state with the callbacks that Hydra builds within the block."""
        token = _ACTIVE.set(self)
        try:
            yield
        finally:
            _ACTIVE.reset(token)

    def abort(self, error: BaseException) -> None:
        """Close the parent run of a multirun that an exception ends, and note in the exception how to resume."""
        from mlrunner.execution.launch import remove_refused_folder  # imports Pydantic, which --help does not need

        is_refused = interruption_code(error) is None and self.folder is not None
        if is_refused and remove_refused_folder(Path(str(self.folder))):
            self.name = None  # no job has begun, so there is nothing to resume
        if self.name is not None:
            error.add_note(f"finished work is kept; go on with mlrunner resume {self.name}")
        if self.parent is None:
            return
        from mlrunner.execution import grid_parent

        environment.leave_grid()
        with suppress(MlrunnerError):  # the exception that ends the multirun matters more
            grid_parent.abort_parent(self.parent, "FAILED" if interruption_code(error) is None else "KILLED")


_ACTIVE: ContextVar[Multirun | None] = ContextVar("multirun", default=None)


def uses_optuna(config: DictConfig) -> bool:
    """Check whether our Optuna sweeper runs a sweep; it opens and closes the parent run itself, after its checks."""
    return str(config.hydra.sweeper._target_).startswith("hydra_plugins.mlrunner_sweeper.sweeper.")


class SweepCallback(Callback):
    """Hydra's hooks around a multirun; they raise nothing, since Hydra only warns of an exception in a callback."""

    def __init__(self) -> None:
        self._state = _ACTIVE.get() or Multirun()

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Open the MLflow parent run; without one, end the process before a job starts."""
        del kwargs
        try:
            self._open(config)
        except Exception as error:  # Hydra would warn of it, and run the jobs without a parent
            self._state.error = error
            sys.exit(1)

    def _open(self, config: DictConfig) -> None:
        study = OmegaConf.select(config, "hydra.sweeper.study_name")
        self._state.name = str(study or "/".join(Path(config.hydra.sweep.dir).parts[-2:]))
        if uses_optuna(config):
            return
        from mlrunner.execution import executor_grid, grid_parent

        executor_grid.check_executor(config)
        self._state.folder = Path(config.hydra.sweep.dir)
        self._state.parent = grid_parent.open_parent(config)
        overrides = OmegaConf.to_container(config.hydra.overrides.task)  # unresolved: ${seed} stays ${seed}
        environment.share_grid([str(text) for text in overrides or ()], self._state.parent)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Rank the jobs, close the parent run, and deploy the best job if its composition says so."""
        del kwargs
        self._state.name = self._state.folder = None
        run_id, folder = self._state.parent, Path(config.hydra.sweep.dir)
        if run_id is None and not self._state.is_search:
            return
        outcomes = rank(read_outcomes(folder))
        self._state.n_failed = sum(outcome.error is not None for outcome in outcomes)
        if run_id is None:
            return
        environment.leave_grid()
        self._close(config, run_id, folder, outcomes)
        _show(config, run_id, folder, outcomes)

    def _close(self, config: DictConfig, run_id: str, folder: Path, outcomes: list[Outcome]) -> None:
        from mlrunner.execution import grid_parent

        self._state.parent = None
        try:
            grid_parent.close_parent(run_id, folder, outcomes)
            if outcomes and outcomes[0].error is None and len(separate(outcomes)) == 1:
                outcomes[0] = grid_parent.deploy_best(outcomes[0], config)
        except MlrunnerError as error:
            show_problems(error)
            self._state.n_failed += 1


def _show(config: DictConfig, run_id: str, folder: Path, outcomes: list[Outcome]) -> None:
    """Write the report of a grid, and print its ranking."""
    from mlrunner.execution import grid_parent

    writes_report = OmegaConf.select(config, "tracking.plots") is True
    report = grid_parent.write_report(run_id, folder, outcomes) if writes_report else None
    output = OmegaConf.select(config, "output")
    if output == "json":
        print(json.dumps([json.loads(outcome.json()) for outcome in outcomes]))
    if output != "text":
        return
    show_ranking(outcomes, str(folder))
    for label, sentence in _describe_comparability(outcomes):
        show_line(label, sentence)
    show_warnings({warning["text"]: warning for outcome in outcomes for warning in outcome.warnings}.values())
    show_deployment(*((outcomes[0].gate, outcomes[0].deployment) if outcomes else (None, None)))
    if report is not None:
        show_line("report", relative_path(report))


def _describe_comparability(outcomes: list[Outcome]) -> Iterator[tuple[str, str]]:
    """Describe which scores of a grid do not compare, as labels and sentences."""
    groups = separate(outcomes)
    if len(groups) > 1:
        yield "best", f"none of all: {' and '.join(groups)} do not compare; mlrunner deploy RUN deploys one"
    if any(len({outcome.judged_rows for outcome in group} - {""}) > 1 for group in groups.values()):
        yield "rows", "jobs are judged by different rows (data, cleaning, split or seed), so part of a lead is chance"
