"""The loop of a search: ask Optuna, submit to a worker, wait, tell Optuna; several trials at a time, no barrier."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import Trial, TrialState

from mlrunner.core.redaction import redact_override
from mlrunner.search.executor import Executor, Step
from mlrunner.search.interrupts import Interrupts
from mlrunner.search.stopping import StoppingRule
from mlrunner.search.trial import TrialResult
from mlrunner.search.trial_attributes import ATTEMPT, INVALID_TRIALS, LOSSES, OVERRIDES, RETRY_OF
from mlrunner.search.trial_preparation import REFUSALS
from mlrunner.search.trial_progress import AWAITING, FinishedTrial, RunningTrial
from mlrunner.search.trial_results import store_result
from mlrunner.search.trial_tables import build_task
from mlrunner.search.worker_exit import limit_losses

if TYPE_CHECKING:
    from optuna import Study

    from mlrunner.search.objective import Objectives
    from mlrunner.search.settings import SweepSettings
    from mlrunner.search.space import Space
    from mlrunner.search.trial_preparation import PreparedTrial, TrialPreparer
    from mlrunner.search.trial_queue import TrialQueue
    from mlrunner.search.trial_tables import TrialTables

WAIT = 0.2  # seconds between two checks of the time-out and of Ctrl-C
GetTables = Callable[["PreparedTrial"], "TrialTables"]


class Search:
    """One session of a search.

    Args:
        settings: Settings of the sweeper.
        objectives: Metrics and directions.
        space: Search space.
        study: Study, which other processes may work on too.
        queue: Queue that hands out the trials of the study.
        preparer: Composes and checks trials.
        executor: Runs trials.
        customize: Function of `hydra.sweeper.custom_search_space`; None without one.
    """

    def __init__(
        self,
        settings: SweepSettings,
        objectives: Objectives,
        space: Space,
        study: Study,
        queue: TrialQueue,
        preparer: TrialPreparer,
        executor: Executor,
        customize: Callable[[Trial], None] | None = None,
    ) -> None:
        self.settings, self.objectives, self.space, self.study = settings, objectives, space, study
        self.queue, self.preparer, self.executor, self._customize = queue, preparer, executor, customize
        self.stopping_rule = StoppingRule(settings, objectives, queue.limit)
        self.interrupts = Interrupts(self._show)
        self.running: dict[int, RunningTrial] = {}
        self.stop_reason: str | None = None  # why no more trials are started
        self.display: Callable[[Any], None] | None = None
        self._started = time.monotonic()

    def _show(self, event: Any) -> None:
        if self.display is not None:
            self.display(event)

    def run_trials(self, get_tables: GetTables) -> Iterator[FinishedTrial]:
        """Run trials until none is left, and yield each when it has finished."""
        with self.interrupts.handled():
            try:
                while True:
                    yield from self._fill(get_tables)
                    if not self.running and not self._has_more():
                        return
                    yield from self._process_events()
            except BaseException:
                self._abandon()
                raise

    def _fill(self, get_tables: GetTables) -> Iterator[FinishedTrial]:
        """Start as many trials as the executor has room for; a trial that cannot start has finished."""
        while self.executor.room > 0 and self._continues():
            trial = self.queue.take(self._suggest)
            if trial is None:
                return
            if (refused := self._start(trial, get_tables)) is not None:
                yield refused

    def _process_events(self) -> Iterator[FinishedTrial]:
        for event in self.executor.wait(WAIT):
            if isinstance(event, Step):
                self._report(event)
            elif event.number in self.running:
                running = self.running.pop(event.number)
                result = limit_losses(event, int(running.trial.user_attrs.get(LOSSES, 0)))
                if result.state != "LOST":
                    yield self._finish(running, result)
                else:
                    self.queue.requeue(result.number, "lost")
                    self._show(f"trial {result.number} is lost ({result.error}); its parameters run again")

    def _continues(self) -> bool:
        timeout = self.settings.timeout
        if self.stop_reason is None and timeout is not None and time.monotonic() - self._started >= timeout:
            self.stop_reason = f"timeout of {timeout:g} s"
        return self.stop_reason is None and not self.interrupts.count

    def _has_more(self) -> bool:
        """Check for trials to take, also those of other processes that have died."""
        is_awaiting = self.queue.awaits_heartbeat  # first: `recover` takes what is lost in the meantime
        if not self._continues() or self.queue.has_next or self.queue.recover() > 0:
            return self._continues()
        if is_awaiting:
            self._show(AWAITING)
        return is_awaiting

    def _suggest(self, trial: Trial) -> bool:
        overrides = self.space.suggest(trial, self._customize)
        trial.set_user_attr(OVERRIDES, list(map(redact_override, overrides)))
        return not self.space.excludes(overrides)

    def _start(self, trial: Trial, get_tables: GetTables) -> FinishedTrial | None:
        overrides = tuple(trial.user_attrs[OVERRIDES])
        try:
            prepared = self.preparer.prepare(overrides, trial.number)
            tables = get_tables(prepared)
        except REFUSALS as error:
            return self._refuse(trial, overrides, " ".join(str(error).split()))
        self.running[trial.number] = RunningTrial(trial, prepared, tables)
        self.executor.submit(build_task(prepared, tables, self.settings, self.objectives.measured_metric))
        prepared.write_record()
        self._show(self.running[trial.number])
        return None

    def _refuse(self, trial: Trial, overrides: tuple[str, ...], error: str) -> FinishedTrial:
        prepared = self.preparer.describe_refused(overrides, trial.number)
        prepared.write_record()
        return self._finish(RunningTrial(trial, prepared, None), TrialResult(trial.number, "FAIL", error=error))

    def _report(self, step: Step) -> None:
        """Report an intermediate value to the study, and answer the trial."""
        running = self.running.get(step.number)
        if running is None:
            return
        running.reported = step.value
        running.trial.report(step.value, step.step)
        self.executor.answer(step.number, running.trial.should_prune())
        self._show(step)

    def _finish(self, running: RunningTrial, result: TrialResult) -> FinishedTrial:
        """Write the result of a trial before anything else, then tell Optuna."""
        result = self.objectives.check(result)
        if result.state == "PRUNED" and running.reported is not None:
            result = replace(result, metrics={**result.metrics, self.objectives.measured_metric: running.reported})
        trial = running.trial
        store_result(trial, result, running.prepared.folder, is_shared=self.settings.storage is not None)
        retry_of = trial.user_attrs.get(RETRY_OF)
        finished = FinishedTrial(running.prepared, result, running.tables, running.started, retry_of)
        self._tell(trial, result)
        self._show(finished)
        return finished

    def _tell(self, trial: Trial, result: TrialResult) -> None:
        """Tell Optuna the result; queue a failed trial again while it has retries."""
        if result.state == "FAIL" and int(trial.user_attrs.get(ATTEMPT, 0)) < self.settings.retries:
            self.queue.requeue(trial.number, "retried")
            return
        values = self.objectives.get_values(result) if result.state == "COMPLETE" else None
        with suppress(UpdateFinishedTrialError):  # another host timed us out and re-queued this trial
            self.study.tell(trial, values, TrialState[result.state], skip_if_finished=True)
        self.stop_reason = self.stop_reason or self._find_stop_reason(result)

    def _find_stop_reason(self, result: TrialResult) -> str | None:
        invalid = self.study.user_attrs.get(INVALID_TRIALS, {})
        trials = [trial for trial in self.queue.trials if str(trial.number) not in invalid]
        return self.stopping_rule.find_stop_reason(result, trials)

    def _abandon(self) -> None:
        """Kill the running trials and queue them again, for a later session."""
        self.executor.kill()
        for number in self.running:
            self.queue.requeue(number, "interrupted")
