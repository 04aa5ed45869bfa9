"""The record of this session in its study, by which other processes know whether it is alive."""

from __future__ import annotations

from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING
from uuid import uuid4

from mlrunner.search.session_watch import SessionWatch
from mlrunner.search.trial_attributes import list_owners
from mlrunner.tracking.studies import SESSION, describe_process

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial


class SessionRecord:
    """Records heartbeats of this session until it is closed.

    Args:
        study: Study that other processes may work on too.
        interval: Seconds between two heartbeats.
    """

    def __init__(self, study: Study, interval: float) -> None:
        self._study, self._interval, self.name = study, interval, uuid4().hex[:12]
        self._is_closed = Event()
        self.watch = SessionWatch(study, interval)
        self._write(is_closed=False)
        self._thread = Thread(target=self._keep_alive, daemon=True)
        self._thread.start()

    def _write(self, is_closed: bool) -> None:
        self._study.set_user_attr(f"{SESSION}:{self.name}", {**describe_process(), "closed": is_closed})

    def _keep_alive(self) -> None:
        while not self._is_closed.wait(self._interval):
            with suppress(Exception):  # a storage that is away for a moment gets the next heartbeat
                self._write(is_closed=False)
                self.watch.list_live()

    def close(self) -> None:
        """End the session, also for a process that lives on."""
        self._is_closed.set()
        self._thread.join(self._interval)  # or its last heartbeat would come after this
        with suppress(Exception):  # without a storage, the session ends with its process
            self._write(is_closed=True)

    def is_left(self, trial: FrozenTrial) -> bool:
        """Check whether a trial is neither of this session nor of another one that is alive."""
        owners = list_owners(trial)
        return self.name not in owners and self.watch.list_live().isdisjoint(owners)

    def is_unsure(self, trial: FrozenTrial) -> bool:
        """Check whether the session of a trial is on another machine, and has not been watched for long enough."""
        return not self.watch.list_unsure().isdisjoint(list_owners(trial))
