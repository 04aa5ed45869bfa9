"""Run trials on the workers of a Dask cluster, one at a time in each; a trial is lost with its worker."""

from __future__ import annotations

import queue
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from distributed import KilledWorker, Queue
from distributed.client import ClosedClientError

from mlrunner.core.terminal import relative_path
from mlrunner.core.user_code import ModulePacker
from mlrunner.groups.executor.dask_engine import DaskEngine
from mlrunner.search.executor import Event, Step
from mlrunner.search.remote.dask_connection import DaskConnection
from mlrunner.search.remote.dask_tasks import run_trial, store
from mlrunner.search.remote.dask_workers import DaskWorkers, Slot
from mlrunner.search.remote.remote_trial import RemoteResult, describe_loss, describe_refusal, read_result
from mlrunner.search.remote.table_sender import TableSender
from mlrunner.search.trial import TrialTask

UNREACHABLE = (OSError, ClosedClientError)  # of a call to a scheduler or a worker that has just gone


class DaskExecutor:
    """Runs trials on the workers of a Dask cluster.

    Args:
        engine: Settings of the cluster.
        size: Largest number of trials at the same time, unless the settings have one.
        notify: Function of a sentence for the user.
        logs: Folder for the logs of the jobs that the search starts, unless the settings have one.
    """

    def __init__(self, engine: DaskEngine, size: int, notify: Callable[[str], None], logs: Path = Path("logs")) -> None:
        self._engine, self._size, self._notify = engine, engine.workers or size, notify
        self._connection = DaskConnection(engine, self._size, notify, logs)
        self._logs = engine.find_log_folder(logs)
        if self._logs is not None:
            notify(f"the jobs write their logs to {relative_path(self._logs)}")
        self._calls: queue.SimpleQueue[tuple[Callable[..., None], tuple[Any, ...]]] = queue.SimpleQueue()
        self._events: list[Event] = []
        self._running: dict[int, tuple[str, Any]] = {}  # address and future by number of the trial
        self._modules = ModulePacker()
        self._follow_workers()

    def _follow_workers(self) -> None:
        self._client = self._connection.client
        self._tables = TableSender(self._engine.table_limit)
        self._workers = DaskWorkers(self._client, self._put, self._lose, self._notify)
        self._topic = f"mlrunner-{uuid.uuid4().hex[:12]}"
        self._client.subscribe_topic(self._topic, lambda event: self._put(self._on_step, event[1]))

    def _put(self, call: Callable[..., None], *arguments: Any) -> None:
        """Let `wait` make a call: the client's callbacks come in threads of their own."""
        self._calls.put((call, arguments))

    @property
    def room(self) -> int:
        """Number of trials that can be submitted now."""
        if self._connection.is_lost:
            return 0
        free = sum(slot.task is None for slot in self._workers.slots.values())
        return max(0, min(free, self._size - len(self._running)))

    def submit(self, task: TrialTask) -> None:
        """Start a trial in a free worker."""
        self._send(next(name for name, slot in self._workers.slots.items() if slot.task is None), task)

    def _send(self, address: str, task: TrialTask, missing: tuple[str, ...] = ()) -> None:
        slot = self._workers.slots[address]
        slot.task = task
        local = replace(task, threads=self._engine.threads or slot.threads)
        try:
            stored = self._tables.send(missing, slot.machine, partial(self._upload, address))
            arguments = (local, self._topic, self._modules.pack(), dict(self._tables.digests), *stored)
            future = self._client.submit(run_trial, *arguments, pure=False, retries=0, workers=[address])
        except UNREACHABLE:
            self._workers.remove(address)
            return
        self._running[task.number] = (address, future)
        future.add_done_callback(lambda done: self._put(self._on_done, task.number, done, _fetch(done)))

    def _upload(self, address: str, digest: str, content: bytes) -> Any:
        data = self._client.scatter(content, workers=[address], hash=False)
        return self._client.submit(store, digest, data, workers=[address], pure=False)

    def wait(self, seconds: float) -> list[Event]:
        """Wait at most `seconds` for events, and return them.

        Raises:
            MlrunnerError: When the scheduler is gone, no worker fits, or a table is too large to be sent.
        """
        if self._connection.is_lost:
            self._reconnect()
        self._workers.look()
        with suppress(queue.Empty):
            call, arguments = self._calls.get(timeout=seconds)
            while True:
                call(*arguments)
                call, arguments = self._calls.get_nowait()
        events, self._events = self._events, []
        return events

    def _reconnect(self) -> None:
        """Connect again; the scheduler has ended all trials, and knows no worker until it comes again."""
        lost, self._running = self._running, {}
        self._workers.slots.clear()  # events of theirs may still come
        self._connection.renew()
        self._events += [describe_loss(number, address) for number, (address, _) in lost.items()]
        self._follow_workers()

    def answer(self, number: int, prune: bool) -> None:
        """Answer the step of a trial: continue, or prune."""
        if number in self._running and not self._connection.is_lost:
            try:
                Queue(f"{self._topic}-{number}", client=self._client).put(prune)
            except UNREACHABLE:  # the trial would wait for ever
                self._workers.remove(self._running[number][0])

    def kill(self) -> None:
        """Cancel all trials; their workers end them within a second."""
        futures, self._running = [future for _, future in self._running.values()], {}
        with suppress(Exception):  # a scheduler that is gone has ended them
            self._client.cancel(futures, force=True)

    def release(self) -> None:
        """Leave the cluster, whose workers are for others while the winner is refitted."""
        self.close()

    def close(self) -> None:
        """Leave the cluster, and end it when the search has started it."""
        self.kill()
        with suppress(Exception):  # the scheduler may be gone
            self._client.unsubscribe_topic("all")
        self._connection.close()

    def _on_step(self, message: dict[str, Any]) -> None:
        self._events.append(Step(message["number"], message["step"], message["value"]))

    def _on_done(self, number: int, future: Any, returned: Any) -> None:
        address, current = self._running.get(number, ("", None))
        slot = self._workers.slots.get(address)
        if current is not future or slot is None or slot.task is None:
            return  # the trial was lost or cancelled
        task = slot.task
        if isinstance(returned, RemoteResult) and returned.missing:
            self._send(address, task, returned.missing)
            return
        if returned is None:
            self._workers.remove(address)  # its next trial would be lost too
            return
        del self._running[number]
        slot.task = None
        if isinstance(returned, BaseException):
            self._events.append(describe_refusal(number, address, returned))
        else:
            self._events.append(read_result(task, address, returned))

    def _lose(self, address: str, slot: Slot) -> None:
        self._tables.forget(slot.machine)
        if slot.task is None:
            return
        _, future = self._running.pop(slot.task.number, (address, None))
        if future is not None:
            with suppress(*UNREACHABLE):
                future.cancel()  # or the worker that comes next at this address would run it
        self._events.append(describe_loss(slot.task.number, address, self._logs))


def _fetch(future: Any) -> Any:
    """Return what a task has returned or raised; None when its worker is gone. Runs in a thread of the client."""
    with suppress(Exception):  # the worker is gone, and the result with it
        answer = future.result() if future.status == "finished" else None
        error = future.exception() if future.status == "error" else None
        return answer if error is None or isinstance(error, KilledWorker) else error
    return None
