"""Hand out trials: exactly `n_trials` across all processes; re-queue interrupted ones.

A discarded trial does not count: it was interrupted and queued again, retried, excluded, or one too many. For Optuna
it is a failed trial, which keeps its number; so no folder is used twice.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from mlrunner.core.errors import ConfigError
from mlrunner.search.sequence import SequenceSampler, SequenceView
from mlrunner.search.session_record import SessionRecord
from mlrunner.search.trial_attributes import (
    CANDIDATE,
    DISCARDED_BY,
    OVERRIDES,
    VOID,
    TrialCounter,
    inherit_attributes,
    lacks_retry,
    list_owners,
)
from mlrunner.tracking.studies import HEARTBEAT_SECONDS, SESSION, SWEEPER_KEY, lock_storage


class TrialQueue:
    """Hands out the trials of a study to this process.

    Args:
        study: Study that other processes may work on too.
        storage: Storage that the study was opened with.
        limit: Number of trials in all.
        build_sampler: Function of a trial's place in the sequence of draws that returns its sampler.
        max_excluded: Number of excluded combinations in a row that end the search.
        heartbeat: Seconds between two heartbeats.
    """

    def __init__(
        self,
        study: optuna.Study,
        storage: BaseStorage,
        limit: int,
        build_sampler: Callable[[int], Any],
        max_excluded: int = 200,
        heartbeat: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._study, self._storage, self.limit, self._build_sampler = study, storage, limit, build_sampler
        self._max_excluded = max_excluded
        self._study_id = storage.get_study_id_from_name(study.study_name)
        self._lock = lock_storage(storage)
        self._counter = TrialCounter()
        self._view = SequenceView(study, storage, self._counter)
        self._record = SessionRecord(study, heartbeat)
        self.session, self.watch = self._record.name, self._record.watch
        self.is_left, self.is_unsure = self._record.is_left, self._record.is_unsure

    def close(self) -> None:
        """End the session."""
        self._record.close()

    @property
    def trials(self) -> list[FrozenTrial]:
        """Current trials of the study."""
        return self._study.get_trials(deepcopy=False)

    @property
    def others_run(self) -> bool:
        """Whether another session that is alive runs a trial."""
        running = [trial for trial in self.trials if trial.state == TrialState.RUNNING]
        return any(self.session not in list_owners(trial) and not self.is_left(trial) for trial in running)

    @property
    def awaits_heartbeat(self) -> bool:
        """Whether only the next heartbeats of another machine's session show if it still runs a trial."""
        return any(self.is_unsure(trial) for trial in self.trials if trial.state == TrialState.RUNNING)

    @property
    def has_next(self) -> bool:
        """Whether there is a trial to take."""
        trials = self.trials
        is_waiting = any(trial.state == TrialState.WAITING for trial in trials)
        return is_waiting or self._counter.count_valid(trials) < self.limit

    def take(self, accept: Callable[[Trial], bool]) -> Trial | None:
        """Take the next trial.

        Args:
            accept: Function that suggests the trial's parameters; returns False when the combination is excluded.

        Returns:
            None when no trial is left.

        Raises:
            ConfigError: When `max_excluded` combinations in a row are excluded.
        """
        for _ in range(self._max_excluded):
            if not self.has_next:
                return None
            trial = self._ask()
            if self._counter.count_valid(self.trials[: trial.number]) >= self.limit:
                self.discard(trial.number, "surplus")
            elif accept(trial):
                return trial
            else:
                self.discard(trial.number, "excluded")
        raise ConfigError(
            f"{SWEEPER_KEY}.exclude: {self._max_excluded} combinations in a row were excluded; exclude less, or name "
            "only what is left."
        )

    def _ask(self) -> Trial:
        """Do what `Study.ask` does, but record the session in the same step as the state."""
        number = self._take_waiting()
        if number is None:
            number = self._create()
        place = self._counter.number_places(self.trials).get(number, number)
        self._study.sampler = SequenceSampler(self._build_sampler(place), self._view, place)
        return Trial(self._study, self._find_id(number))

    def _create(self) -> int:
        """Create a running trial, and return its number: the last one of this session."""
        self._study.add_trial(create_trial(state=TrialState.RUNNING, user_attrs={SESSION: self.session}))
        return next(trial.number for trial in reversed(self.trials) if trial.user_attrs.get(SESSION) == self.session)

    def _find_id(self, number: int) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self._study_id, number)

    def _take_waiting(self) -> int | None:
        """Take the waiting trial with the first place in the sequence unless another process is faster.

        A process that dies between the change of the state and the record of its session leaves a candidate.
        """
        waiting = self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        places = self._counter.number_places(self.trials)
        for trial in sorted(waiting, key=lambda trial: places.get(trial.number, trial.number)):
            trial_id = self._find_id(trial.number)
            with suppress(UpdateFinishedTrialError), self._lock:
                if self._storage.get_trial(trial_id).state != TrialState.WAITING:
                    continue
                self._storage.set_trial_user_attr(trial_id, f"{CANDIDATE}{self.session}", True)
                if self._storage.set_trial_state_values(trial_id, TrialState.RUNNING):
                    self._storage.set_trial_user_attr(trial_id, SESSION, self.session)
                    return trial.number
        return None

    def discard(self, number: int, reason: str) -> bool:
        """Exclude a trial from the count.

        Returns:
            True when this process has discarded the trial; False when the trial had ended before.
        """
        trial_id = self._find_id(number)
        with suppress(UpdateFinishedTrialError), self._lock:
            if self._storage.get_trial(trial_id).state.is_finished():
                return False
            self._storage.set_trial_user_attr(trial_id, DISCARDED_BY, self.session)
            self._storage.set_trial_user_attr(trial_id, VOID, reason)
            return bool(self._storage.set_trial_state_values(trial_id, TrialState.FAIL))
        return False

    def requeue(self, number: int, reason: str) -> None:
        """Discard a trial and queue another one with the same parameters."""
        trial = self.trials[number]
        if self.discard(number, reason):
            self._enqueue(trial, reason)

    def _enqueue(self, trial: FrozenTrial, reason: str) -> None:
        params = dict(trial.system_attrs.get("fixed_params", {}))  # its process may die before it asks
        if OVERRIDES in trial.user_attrs or not list_owners(trial):  # or it died while it drew: all is drawn again
            params |= trial.params
        self._study.enqueue_trial(params, user_attrs=inherit_attributes(trial, reason))

    def recover(self) -> int:
        """Queue the trials of dead processes again.

        Returns:
            Number of these trials.
        """
        # Before the trials: a session that ends in between re-queues its own.
        live = self.watch.list_live() - {self.session}
        trials = self.trials
        lost = [trial.number for trial in trials if trial.state == TrialState.RUNNING and self.is_left(trial)]
        for number in lost:
            self.requeue(number, "interrupted")
        missing = [trial for trial in trials if lacks_retry(trial, trials, live)]
        for trial in missing:
            self._enqueue(trial, str(trial.user_attrs[VOID]))
        return len(lost) + len(missing)
