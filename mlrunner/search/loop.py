"""The loop of a search: ask Optuna, hand to a worker, wait, tell Optuna; several trials at a time, no barrier."""

from __future__ import annotations

import json
import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import Trial, TrialState

from mlrunner.core.errors import MlrunnerError
from mlrunner.search.stopping import Policy
from mlrunner.search.trial import FOUND, Found, TrialTask
from mlrunner.search.trial_queue import RETRY
from mlrunner.search.workers import Executor, Step

if TYPE_CHECKING:
    from optuna import Study

    from mlrunner.search.objective import Goal
    from mlrunner.search.settings import SweepSettings
    from mlrunner.search.space import Space
    from mlrunner.search.trial_preparation import Draft, Drafts
    from mlrunner.search.trial_queue import Claims

OVERRIDES, FOLDER = "overrides", "folder"  # of a trial, in its study
WAKE = 0.2  # seconds between looks at the clock and at Ctrl-C
TablesOf = Callable[["Draft"], Any]


@dataclass(frozen=True)
class Ended:
    """A trial and what became of it; `tables` are None when it never came to them."""

    draft: Draft
    found: Found
    tables: Any
    began: float
    attempt_of: int | None = None


def _unwatched(event: Any) -> None:
    """Show nothing."""
    del event


@dataclass
class Running:
    """A trial in a worker."""

    trial: Trial
    draft: Draft
    tables: Any
    began: float = field(default_factory=time.time)
    reported: float | None = None


class Search:
    """One session of a sweep."""

    def __init__(
        self,
        settings: SweepSettings,
        goal: Goal,
        space: Space,
        study: Study,
        claims: Claims,
        drafts: Drafts,
        executor: Executor,
        custom: Callable[[Trial], None] | None = None,
    ) -> None:
        self.settings, self.goal, self.space, self.study = settings, goal, space, study
        self.claims, self.drafts, self.executor, self.custom = claims, drafts, executor, custom
        self.policy = Policy(settings, goal, claims.limit)
        self.running: dict[int, Running] = {}
        self.interrupts = 0
        self.stopped: str | None = None  # why no more trials are begun
        self._began = time.monotonic()
        self.watch: Callable[[Any], None] = _unwatched

    def trials(self, tables_of: TablesOf) -> Iterator[Ended]:
        """Run trials until there are no more, and tell of each as it ends.

        Args:
            tables_of: Gives the files of the rows that a draft asks for.
        """
        with self._interruptible():
            while True:
                yield from self._fill(tables_of)
                if not self.running and not self._waits_for_others():
                    return
                for event in self.executor.wait(WAKE):
                    if isinstance(event, Step):
                        self._step(event)
                    elif event.number in self.running:
                        yield self._end(self.running.pop(event.number), event)

    def _fill(self, tables_of: TablesOf) -> Iterator[Ended]:
        """Begin as many trials as there is room for; one that cannot begin has ended."""
        while self.executor.room > 0 and self._goes_on():
            trial = self.claims.take(self._choose)
            if trial is None:
                return
            failed = self._begin(trial, tables_of)
            if failed is not None:
                yield failed

    def _goes_on(self) -> bool:
        timeout = self.settings.timeout
        if self.stopped is None and timeout is not None and time.monotonic() - self._began >= timeout:
            self.stopped = f"timeout of {timeout:g} s"
        return self.stopped is None and not self.interrupts

    def _waits_for_others(self) -> bool:
        """Ask once more for trials whose process on another terminal is gone, when nothing else is left to do."""
        return self._goes_on() and (self.claims.left or self.claims.mend() > 0)

    def _choose(self, trial: Trial) -> bool:
        overrides = self.space.suggest(trial)
        if self.custom is not None:
            self.custom(trial)
            overrides = self.space.overrides(trial.params)
        trial.set_user_attr(OVERRIDES, list(overrides))
        return not self.space.excludes(overrides)

    def _begin(self, trial: Trial, tables_of: TablesOf) -> Ended | None:
        overrides = tuple(trial.user_attrs[OVERRIDES])
        try:
            draft = self.drafts.draft(overrides, trial.number)
            tables = tables_of(draft)
        except (MlrunnerError, HydraException, OmegaConfBaseException, ValueError) as error:
            return self._refuse(trial, overrides, " ".join(str(error).split()))
        self.running[trial.number] = Running(trial, draft, tables)
        self.executor.submit(self._task(draft, tables))
        draft.write()
        self.watch(self.running[trial.number])
        return None

    def _refuse(self, trial: Trial, overrides: tuple[str, ...], error: str) -> Ended:
        draft = self.drafts.plain(overrides, trial.number)
        draft.write()
        return self._end(Running(trial, draft, None), Found(trial.number, "FAIL", error=error))

    def _task(self, draft: Draft, tables: Any) -> TrialTask:
        composition = draft.composition
        keep = composition.settings.tracking.keep_models == "all" and composition.settings.tracking.log_model
        return TrialTask(
            draft.number,
            tuple(tables.parts(draft)),
            draft.repeats[0].data.dataset.roles,
            composition["dataset"]["task"],
            self.goal.measured,
            self.settings.threads,
            self.settings.prunes,
            str(self.settings.pruner["_target_"]).endswith("WilcoxonPruner"),
            str(draft.folder / "model.joblib") if keep else None,
        )

    def _step(self, step: Step) -> None:
        """Tell the study how far a trial is, and the trial whether it is to go on."""
        under_way = self.running.get(step.number)
        if under_way is None:
            return
        under_way.reported = step.value
        under_way.trial.report(step.value, step.step)
        self.executor.answer(step.number, under_way.trial.should_prune())
        self.watch(step)

    def _end(self, under_way: Running, found: Found) -> Ended:
        """Write down what a trial found before anything else, then tell Optuna."""
        found = self._judged(found)
        if found.state == "PRUNED" and under_way.reported is not None:
            found = replace(found, metrics={**found.metrics, self.goal.measured: under_way.reported})
        folder = under_way.draft.folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FOUND).write_text(json.dumps(asdict(found)))
        trial = under_way.trial
        trial.set_user_attr(FOLDER, str(folder))
        ended = Ended(under_way.draft, found, under_way.tables, under_way.began, trial.user_attrs.get(RETRY))
        if found.state == "FAIL" and int(trial.user_attrs.get("attempt", 0)) < self.settings.retries:
            self.claims.again(trial.number, "retried")
        else:
            values = self.goal.values(found) if found.state == "COMPLETE" else None
            with suppress(UpdateFinishedTrialError):  # another machine took us for dead, and runs it again
                self.study.tell(trial, values, TrialState[found.state], skip_if_finished=True)
            self.stopped = self.stopped or self.policy.after(found, self.claims.trials)
        self.watch(ended)
        return ended

    def _judged(self, found: Found) -> Found:
        """Fail a trial that lacks one of several objectives."""
        values = self.goal.values(found)
        if found.state != "COMPLETE" or all(map(math.isfinite, values)):
            return found
        told = dict(zip(self.goal.metrics, values, strict=True))
        name = next(name for name, value in told.items() if not math.isfinite(value))
        return replace(found, state="FAIL", error=f"{name} is {told[name]}")

    @property
    def limit(self) -> int:
        """How many trials there shall be in all."""
        return self.claims.limit

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """The first Ctrl-C lets the running trials finish, the second stops them; both can be resumed."""

        def interrupted(number: int, frame: object) -> None:
            del number, frame
            self.interrupts += 1
            self.watch(self.interrupts)
            if self.interrupts > 1:
                raise KeyboardInterrupt

        before = signal.signal(signal.SIGINT, interrupted)
        try:
            yield
        except BaseException:
            self._abandon()
            raise
        finally:
            signal.signal(signal.SIGINT, before)

    def _abandon(self) -> None:
        """Leave the running trials to be run once more."""
        self.executor.kill()
        for number in self.running:
            self.claims.again(number, "interrupted")
