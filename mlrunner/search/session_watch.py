"""Watch the sessions of a study: those of other machines by the heartbeats seen from here, not by two clocks."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from mlrunner.search.trial_progress import AWAITING
from mlrunner.tracking.studies import LOST_AFTER, is_alive, read_sessions

if TYPE_CHECKING:
    from optuna import Study


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


class SessionWatch:
    """Knows which sessions of a study are alive.

    Args:
        study: Study that other processes may work on.
        interval: Seconds between two heartbeats.
    """

    def __init__(self, study: Study, interval: float) -> None:
        self._study, self._interval = study, interval
        self._pulses: dict[str, Pulse] = {}

    def list_live(self) -> set[str]:
        """List the sessions that are alive; one of another machine until it has missed its heartbeats."""
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

    def list_unsure(self) -> set[str]:
        """List the sessions of other machines that may be alive, and have not been watched for long enough."""
        sessions, live = read_sessions(self._study.user_attrs), self.list_live()
        elsewhere = {name for name in live if not is_alive(sessions[name], LOST_AFTER)}
        return {name for name in elsewhere if not self._pulses[name].has_beaten}

    def has_live(self) -> bool:
        """Check whether a session is alive; wait for heartbeats where only they can show it."""
        if self._is_in_doubt():
            print(f"mlrunner: {AWAITING}.", file=sys.stderr, flush=True)
        while self._is_in_doubt():
            time.sleep(self._interval / 20)
        return bool(self.list_live())

    def _is_in_doubt(self) -> bool:
        live = self.list_live()
        return bool(live) and live == self.list_unsure()
