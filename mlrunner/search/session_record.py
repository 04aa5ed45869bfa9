"""The record of this session in its study, by which other processes know whether it is alive."""

from __future__ import annotations

import time
from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from mlrunner.search.trial_attributes import list_owners
from mlrunner.tracking.studies import LOST_AFTER, SESSION, describe_process, is_alive, read_sessions

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial


class Pulse(NamedTuple):
    """The heartbeat of another session.

    Args:
        seen: Time of the last heartbeat by the clock of that session's machine.
        since: Time when it was read first, by the clock of this process.
        read: Time when it was read last.
        has_beaten: Whether it came after the first one that was read.
    """

    seen: float
    since: float
    read: float
    has_beaten: bool


class SessionRecord:
    """Records heartbeats of this session until it is closed.

    Args:
        study: Study that other processes may work on too.
        interval: Seconds between two heartbeats.
    """

    def __init__(self, study: Study, interval: float) -> None:
        self._study, self._interval, self.name = study, interval, uuid4().hex[:12]
        self._is_closed = Event()
        self._pulses: dict[str, Pulse] = {}
        self._write(is_closed=False)
        self._thread = Thread(target=self._keep_alive, daemon=True)
        self._thread.start()

    def _write(self, is_closed: bool) -> None:
        self._study.set_user_attr(f"{SESSION}:{self.name}", {**describe_process(), "closed": is_closed})

    def _keep_alive(self) -> None:
        while not self._is_closed.wait(self._interval):
            with suppress(Exception):  # a storage that is away for a moment gets the next heartbeat
                self._write(is_closed=False)
                self.list_live()

    def close(self) -> None:
        """End the session, also for a process that lives on."""
        self._is_closed.set()
        self._thread.join(self._interval)  # or its last heartbeat would come after this
        with suppress(Exception):  # without a storage, the session ends with its process
            self._write(is_closed=True)

    def list_live(self) -> set[str]:
        """List the sessions of the study that are alive; those of other machines by the heartbeats seen from here."""
        sessions = read_sessions(self._study.user_attrs)
        return {name for name, process in sessions.items() if is_alive(process, self._count_missed(name, process))}

    def _count_missed(self, session: str, process: dict[str, Any]) -> float:
        """Count the heartbeats that a session has missed by the clock of this machine: others may go wrong."""
        now, seen = time.monotonic(), process["seen"]
        pulse = self._pulses.get(session, Pulse(seen, now, now, has_beaten=False))
        if pulse.seen != seen:
            pulse = Pulse(seen, now, now, has_beaten=True)
        elif now - pulse.read > 2 * self._interval:  # this process stood still, or the storage was away for both
            pulse = pulse._replace(since=now)
        self._pulses[session] = pulse._replace(read=now)
        return (now - pulse.since) / self._interval

    def is_unsure(self, trial: FrozenTrial) -> bool:
        """Check whether the session of a trial is on another machine, and has not been watched for long enough."""
        sessions, live = read_sessions(self._study.user_attrs), self.list_live()
        elsewhere = [name for name in list_owners(trial) if name in live and not is_alive(sessions[name], LOST_AFTER)]
        return any(not self._pulses[name].has_beaten for name in elsewhere)

    def is_left(self, trial: FrozenTrial) -> bool:
        """Check whether a trial is neither of this session nor of another one that is alive."""
        owners = list_owners(trial)
        return self.name not in owners and self.list_live().isdisjoint(owners)
