"""Run trials in the actors of a Ray cluster, one at a time in each; a trial is lost with its actor."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from mlrunner.core.user_code import ModulePacker
from mlrunner.groups.executor.ray_engine import RayEngine
from mlrunner.search.executor import Event, Step
from mlrunner.search.remote.ray_connection import RayConnection
from mlrunner.search.remote.ray_workers import RaySlot, RayWorkers
from mlrunner.search.remote.remote_trial import describe_loss, describe_refusal, read_result
from mlrunner.search.remote.table_sender import TableSender
from mlrunner.search.trial import TrialTask


class RayExecutor:
    """Runs trials in the actors of a Ray cluster.

    Args:
        engine: Settings of the cluster.
        size: Largest number of trials at the same time, unless the settings have one.
        notify: Function of a sentence for the user.
    """

    def __init__(self, engine: RayEngine, size: int, notify: Callable[[str], None]) -> None:
        self._engine, self._size, self._notify = engine, engine.workers or size, notify
        self._connection = RayConnection(engine, self._size, notify)
        self._threads = engine.count_threads(self._size)
        self._modules = ModulePacker()
        self._follow_workers()

    def _follow_workers(self) -> None:
        self._tables = TableSender(self._engine.table_limit)
        self._workers = RayWorkers(self._size, self._threads, self._notify)

    @property
    def room(self) -> int:
        """Number of trials that can be submitted now."""
        return len(self._workers.free)

    def submit(self, task: TrialTask) -> None:
        """Start a trial in a free actor."""
        self._send(self._workers.free[0], replace(task, threads=self._threads))

    def _send(self, slot: RaySlot, task: TrialTask, missing: tuple[str, ...] = ()) -> None:
        slot.task = task
        stored = self._tables.send(missing, slot.machine, partial(_upload, slot))
        arguments = (task, self._modules.pack(), dict(self._tables.digests), *stored)
        slot.pending = slot.actor.run.options(num_returns="streaming").remote(*arguments)

    def wait(self, seconds: float) -> list[Event]:
        """Wait at most `seconds` for events, and return them.

        Raises:
            MlrunnerError: When the head is gone, no worker fits, or a table is too large to be sent.
        """
        if self._connection.is_lost:
            return self._reconnect()
        self._workers.fill()
        pending = {slot.pending: slot for slot in self._workers.slots if slot.pending is not None}
        if not pending:
            time.sleep(seconds)
            return []
        ready, _ = ray.wait(list(pending), timeout=seconds, fetch_local=True)
        return [event for each in ready for event in self._read(pending[each])]

    def _reconnect(self) -> list[Event]:
        """Connect again, and return the trials that were lost; the actors have ended with the head."""
        lost = [(slot.task.number, slot.name) for slot in self._workers.slots if slot.task is not None]
        self._workers.slots.clear()  # a call to one of them would connect by itself, and wait for ever
        self._connection.renew()
        self._follow_workers()
        return [describe_loss(number, name) for number, name in lost]

    def _read(self, slot: RaySlot) -> list[Event]:
        """Read what has come from an actor."""
        if slot.task is None:
            self._workers.admit(slot)
            return []
        task = slot.task
        try:
            event = ray.get(next(slot.pending))
        except RayTaskError as error:
            slot.task = slot.pending = None
            return [describe_refusal(task.number, slot.name, error.cause)]
        except (RayError, StopIteration):
            self._tables.forget(slot.machine)
            self._workers.remove(slot)
            return [describe_loss(task.number, slot.name)]
        if isinstance(event, Step):
            return [event]
        if event.missing:
            self._send(slot, task, event.missing)
            return []
        slot.task = slot.pending = None
        return [read_result(task, slot.name, event)]

    def answer(self, number: int, prune: bool) -> None:
        """Answer the step of a trial: continue, or prune."""
        for slot in self._workers.slots:
            if slot.task is not None and slot.task.number == number:
                slot.actor.answer.remote(prune)

    def kill(self) -> None:
        """End the actors that run trials; the processes of the trials end with them."""
        for slot in [slot for slot in self._workers.slots if slot.task is not None]:
            self._workers.remove(slot)

    def release(self) -> None:
        """Leave the cluster, whose workers are for others while the winner is refitted."""
        self.close()

    def close(self) -> None:
        """Leave the cluster, which ends all actors, and end it when the search has started it."""
        self._connection.close()


def _upload(slot: RaySlot, digest: str, content: bytes) -> Any:
    return slot.actor.store.remote(digest, content)
