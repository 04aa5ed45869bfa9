"""Which trial comes next: exactly so many, whoever else works at the study, and what was interrupted once more.

A trial is void when it does not count: interrupted and asked for again, retried, excluded, or one too many. It is a
failed trial for Optuna, which keeps its number; so no folder is ever used twice.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from mlrunner.core.errors import ConfigError
from mlrunner.tracking.studies import BEAT, KEY, SESSION, alive, guard, owner

VOID = "void"
RETRY = "retry_of"
CANDIDATE = "candidate:"
ORPHANED = 5.0  # seconds after which nobody is about to queue a trial again any more
EXCLUDED_IN_A_ROW = 200


class Claims:
    """Takes trials of a study for this process."""

    def __init__(self, study: optuna.Study, limit: int, sampler: Callable[[int], Any]) -> None:
        """Begin a session.

        Args:
            study: That other processes may work at too.
            limit: How many trials there shall be in all.
            sampler: Makes the sampler of a trial from its number.
        """
        self._study, self.limit, self._sampler = study, limit, sampler
        self.session = uuid4().hex[:12]
        self._guard = guard(study._storage)
        self._stopped = Event()
        self._sign()
        Thread(target=self._live, daemon=True).start()

    def _sign(self) -> None:
        self._study.set_user_attr(f"{SESSION}:{self.session}", owner())

    def _live(self) -> None:
        while not self._stopped.wait(BEAT):
            with suppress(Exception):  # a storage that is away for a moment; the next beat tells
                self._sign()

    def close(self) -> None:
        """End the session."""
        self._stopped.set()

    @property
    def trials(self) -> list[FrozenTrial]:
        """The study's trials as they are now."""
        return self._study.get_trials(deepcopy=False)

    @property
    def left(self) -> bool:
        """Whether there is a trial to take."""
        trials = self.trials
        waiting = any(one.state == TrialState.WAITING for one in trials)
        return waiting or counted(trials) < self.limit

    def take(self, accept: Callable[[Trial], bool]) -> Trial | None:
        """Take the next trial.

        Args:
            accept: Chooses the trial's parameters; False when the combination is excluded.

        Returns:
            None when there is none left.

        Raises:
            ConfigError: When nothing but excluded combinations comes.
        """
        for _ in range(EXCLUDED_IN_A_ROW):
            if not self.left:
                return None
            trial = self._ask()
            if counted(self.trials[: trial.number]) >= self.limit:
                self.void(trial.number, "surplus")
            elif accept(trial):
                return trial
            else:
                self.void(trial.number, "excluded")
        raise ConfigError(
            f"{KEY}.exclude: {EXCLUDED_IN_A_ROW} combinations in a row were excluded; exclude less, or name only what "
            "is left."
        )

    def _ask(self) -> Trial:
        """Do what `Study.ask` does, but leave no moment in which a trial runs that is nobody's."""
        self._study._thread_local.cached_all_trials = None
        number = self._pop()
        if number is None:
            template = create_trial(state=TrialState.RUNNING, user_attrs={SESSION: self.session})
            number = self._study._storage.create_new_trial(self._study._study_id, template)
        self._study.sampler = self._sampler(self._study._storage.get_trial_number_from_id(number))
        return Trial(self._study, number)

    def _pop(self) -> int | None:
        """Take a trial that waits, unless another process is faster; until it says whose it is, we are a candidate."""
        storage = self._study._storage
        for waiting in storage.get_all_trials(self._study._study_id, deepcopy=False, states=(TrialState.WAITING,)):
            with suppress(UpdateFinishedTrialError), self._guard:
                if storage.get_trial(waiting._trial_id).state != TrialState.WAITING:
                    continue
                storage.set_trial_user_attr(waiting._trial_id, f"{CANDIDATE}{self.session}", True)
                if storage.set_trial_state_values(waiting._trial_id, TrialState.RUNNING):
                    storage.set_trial_user_attr(waiting._trial_id, SESSION, self.session)
                    return waiting._trial_id
        return None

    def void(self, number: int, why: str) -> bool:
        """Take a trial out of the count.

        Returns:
            Whether it was this process that did so, and not another one before.
        """
        trial, storage = self.trials[number], self._study._storage
        with suppress(UpdateFinishedTrialError), self._guard:
            if storage.get_trial(trial._trial_id).state.is_finished():
                return False
            self._study._storage.set_trial_user_attr(trial._trial_id, VOID, why)
            return bool(self._study._storage.set_trial_state_values(trial._trial_id, TrialState.FAIL))
        return False

    def again(self, number: int, why: str) -> None:
        """Ask for a trial once more, with the same parameters."""
        trial = self.trials[number]
        if self.void(number, why):
            self._enqueue(trial, why)

    def _enqueue(self, trial: FrozenTrial, why: str) -> None:
        told = {RETRY: trial.number, "attempt": int(trial.user_attrs.get("attempt", 0)) + (why == "retried")}
        self._study.enqueue_trial(trial.params, user_attrs=told)

    def mend(self) -> int:
        """Ask once more for the trials whose process is gone.

        Returns:
            How many there were.
        """
        sessions = {name.partition(":")[2]: told for name, told in self._study.user_attrs.items() if ":" in name}
        trials = self.trials
        lost = [
            one.number
            for one in trials
            if one.state == TrialState.RUNNING
            and self.session not in owners(one)
            and not any(alive(sessions.get(session)) for session in owners(one))
        ]
        for number in lost:
            self.again(number, "interrupted")
        orphans = [one for one in trials if _is_orphan(one, trials)]
        for one in orphans:
            self._enqueue(one, str(one.user_attrs[VOID]))
        return len(lost) + len(orphans)


def counted(trials: list[FrozenTrial]) -> int:
    """Count the trials that are not void."""
    return sum(VOID not in one.user_attrs for one in trials)


def owners(trial: FrozenTrial) -> list[str]:
    """Name the session that has a trial; those that may have it, where its owner died before it could say so."""
    if SESSION in trial.user_attrs:
        return [str(trial.user_attrs[SESSION])]
    return [name.removeprefix(CANDIDATE) for name in trial.user_attrs if name.startswith(CANDIDATE)]


def _is_orphan(trial: FrozenTrial, trials: list[FrozenTrial]) -> bool:
    """Tell whether a trial was to run again, but whoever said so died before it was queued."""
    if trial.user_attrs.get(VOID) not in ("interrupted", "retried") or trial.datetime_complete is None:
        return False
    age = (datetime.now() - trial.datetime_complete).total_seconds()
    return age > ORPHANED and not any(one.user_attrs.get(RETRY) == trial.number for one in trials)


def grid_place(trials: list[FrozenTrial], number: int) -> int:
    """Tell which combination of a grid a trial is: as many were begun before it, or before the one that it repeats."""
    while number < len(trials) and RETRY in trials[number].user_attrs:
        number = int(trials[number].user_attrs[RETRY])
    return sum(one.user_attrs.get(VOID) != "surplus" and RETRY not in one.user_attrs for one in trials[:number])
