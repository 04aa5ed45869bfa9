"""A search inside its ZenML run: run the trials, record each in MLflow, and prepare the refit of the winner."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optuna.trial import TrialState

from mlrunner.core.metric_names import THRESHOLD
from mlrunner.groups.cleaning.column_use import ColumnUse
from mlrunner.groups.model import ModelNameConfig
from mlrunner.search import winner_claim
from mlrunner.search.child_runs import ChildRuns
from mlrunner.search.leftovers import Leftovers
from mlrunner.search.loop import Search
from mlrunner.search.results import find_best
from mlrunner.search.trial import TrialResult
from mlrunner.search.trial_attributes import FOLDER, OVERRIDES, RETRY_OF
from mlrunner.search.trial_preparation import REFUSALS
from mlrunner.search.trial_progress import FinishedTrial
from mlrunner.search.trial_results import restore_results
from mlrunner.search.trial_step import StepArguments, TrialSteps, drop_nan
from mlrunner.search.trial_tables import TableCache, TrialTables
from mlrunner.steps.problem import Problem, describe_problem

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from mlrunner.search.trial_preparation import PreparedTrial
    from mlrunner.steps.recording import RunContext
    from pipelines.rows import Rows


@dataclass(frozen=True)
class Winner:
    """Arguments of ZenML's steps for the winner.

    Args:
        rows: Tables of the winner.
        refit: Arguments of the step that fits.
        judge: Arguments of the step that scores.
        problem: Learning problem.
        scores: Scores of the trial.
        gate: `gate` group.
        deployer: `deployer` group.
        run: MLflow run of the refit.
    """

    rows: Rows
    refit: dict[str, Any]
    judge: dict[str, Any]
    problem: Problem
    scores: dict[str, float]
    gate: dict[str, Any]
    deployer: dict[str, Any]
    run: RunContext


class PipelineDriver:
    """Runs a search for `pipelines.search`.

    Args:
        search: Session of the search.
        experiment: MLflow's id of the experiment.
        parent: MLflow's id of the parent run.
        cache: Folder for copies of tables that ZenML does not keep on this disk.
        lock: Lock that the sessions of a home share.
    """

    def __init__(
        self, search: Search, experiment: str, parent: str, cache: Path, lock: AbstractContextManager[Any]
    ) -> None:
        self.search, self.parent, self._cache = search, parent, cache
        self.pipeline_run = f"search-{parent[:12]}-{search.queue.session}"  # ZenML's name of this session
        self.child_runs = ChildRuns(search.objectives, experiment, parent, self.pipeline_run)
        self._steps = TrialSteps(self.pipeline_run)
        self.lock, self._leftovers = lock, Leftovers(search.queue, self.child_runs, lock)
        self.winner_run: RunContext | None = None
        self.winner_columns = ColumnUse()
        self.started = self._recorded = time.monotonic()
        self._tables: TableCache | None = None

    def run_trials(self, make_rows: Callable[..., Rows]) -> Iterator[StepArguments]:
        """Record the trials that an earlier session could not record, then run the others.

        Returns:
            Arguments of ZenML's step for each trial that has tables.
        """
        self._tables = tables = TableCache(make_rows, self._cache)
        self.started = self._recorded = time.monotonic()
        yield from self._describe_steps(self._leftovers.record(self._read_leftover))
        yield from self._record(self.search.run_trials(tables.get))
        self.search.executor.release()  # the refit needs no cluster, and Ray ends a process whose cluster is gone
        interrupts = self.search.interrupts
        yield from self._describe_steps(self._leftovers.record_last(self._read_leftover, lambda: interrupts.count > 0))
        self._note_time()

    def _note_time(self, _run: object = None) -> None:
        self._recorded = time.monotonic()

    @property
    def search_seconds(self) -> float:
        """Seconds from the first table to the last trial that is recorded, in ZenML and in MLflow."""
        return self._recorded - self.started

    def confirm_step(self, number: int) -> None:
        """Note that ZenML has run the step of a trial."""
        self._steps.confirm(number)

    def await_records(self) -> None:
        """Wait until all trials are recorded; a record that failed is reported later."""
        self.child_runs.wait()

    def _record(self, trials: Iterator[FinishedTrial]) -> Iterator[StepArguments]:
        for finished in trials:
            step = self._steps.find_background_step(finished)
            if step is None:  # before the file that says that the trial is recorded, which a kill may come between
                yield from self._describe_steps([finished])
            self.child_runs.record(finished, step).add_done_callback(self._note_time)

    def _describe_steps(self, trials: Iterable[FinishedTrial]) -> Iterator[StepArguments]:
        return filter(None, map(self._steps.describe, trials))

    def _read_leftover(self, trial: FrozenTrial) -> FinishedTrial:
        """Read a trial from its folder; one that was refused has no tables."""
        try:
            return self._read(trial)
        except REFUSALS:
            overrides = tuple(trial.user_attrs[OVERRIDES])
            return _read_result(trial, self.search.preparer.describe_refused(overrides, trial.number), None)

    def _read(self, trial: FrozenTrial) -> FinishedTrial:
        assert self._tables is not None
        prepared = self.search.preparer.prepare(tuple(trial.user_attrs[OVERRIDES]), trial.number)
        return _read_result(trial, prepared, self._tables.get(prepared))

    def prepare_winner(self) -> Winner | None:
        """Prepare the refit of the best trial.

        Returns:
            None without a refit: it is switched off or made already, the search was interrupted or continues in
            another process, or no trial is complete.
        """
        search, tables = self.search, self._tables
        restore_results(search.study, self.parent, search.objectives)  # those of sessions on other machines
        continues = any(trial.state == TrialState.RUNNING for trial in search.queue.trials)  # ours have finished
        best = find_best(search.study, search.objectives)
        is_due = search.settings.refit and not search.interrupts.count and not continues
        if best is None or tables is None or not is_due:
            return None
        finished = self._read(best)
        composition = finished.prepared.composition
        self.winner_columns = finished.prepared.repeats[0].columns
        if (run := self._open_winner(finished, best)) is None:
            return None
        problem = describe_problem(composition["dataset"], composition["metric"])
        threshold = {name: value for name, value in finished.result.metrics.items() if name == THRESHOLD}
        model_config = ModelNameConfig(name=composition.choice("model"), settings=composition["model"] | threshold)
        shared = {"problem": problem, "model_config": model_config, "run": run}
        return Winner(
            rows=tables.get(finished.prepared).rows[0],
            refit={**shared, "cleaning": composition["cleaning"]},
            judge=shared,
            problem=problem,
            scores=drop_nan(finished.result.metrics),
            gate=composition["gate"],
            deployer=composition["deployer"],
            run=run,
        )

    def _open_winner(self, finished: FinishedTrial, best: FrozenTrial) -> RunContext | None:
        claim = (self.search.study, best.number, winner_claim.digest_settings(finished.prepared))
        winner_claim.await_claimant(*claim, self.search)
        with self.lock:
            best_run = self.child_runs.get_run(best)
            if best_run is None or winner_claim.is_claimed(*claim, self.search.queue.watch.list_live()):
                return None
            self.winner_run = run = winner_claim.open_run(self.child_runs, finished, best_run)
            winner_claim.claim(*claim, run.run_id, self.search.queue.session)
        return run


def _read_result(trial: FrozenTrial, prepared: PreparedTrial, tables: TrialTables | None) -> FinishedTrial:
    result = TrialResult.read(Path(str(trial.user_attrs[FOLDER])))
    started = trial.datetime_start.timestamp() if trial.datetime_start is not None else 0.0
    return FinishedTrial(prepared, result, tables, started, trial.user_attrs.get(RETRY_OF))
