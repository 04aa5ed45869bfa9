"""Follow the workers of a Dask cluster: which are there, which fit, and which are gone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mlrunner.search.remote.admission import Admission
from mlrunner.search.remote.dask_tasks import describe_worker
from mlrunner.search.trial import TrialTask

LOOK_SECONDS = 5.0  # between two looks at the list of workers, beside the scheduler's own events
Put = Callable[..., None]  # lets the driver's thread call a function with these arguments


@dataclass
class Slot:
    """A worker that fits.

    Args:
        threads: Its CPU threads.
        machine: Identity of its machine.
        task: Trial that it runs; None when it is free.
    """

    threads: int
    machine: str
    task: TrialTask | None = None


class DaskWorkers:
    """The workers of a Dask cluster.

    Args:
        client: Client of the cluster.
        put: Function that queues a call for the driver's thread.
        lose: Function of the address and the slot of a worker that is gone.
        notify: Function of a sentence for the user.
        look_seconds: Seconds between two looks at the list of workers.
    """

    def __init__(
        self,
        client: Any,
        put: Put,
        lose: Callable[[str, Slot], None],
        notify: Callable[[str], None],
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._client, self._put, self._lose, self.admission = client, put, lose, Admission(notify)
        self._look_seconds = look_seconds
        self.slots: dict[str, Slot] = {}
        self._asked: dict[str, Any] = {}  # futures of the descriptions
        self._looked = 0.0
        client.subscribe_topic("all", lambda event: put(self._on_event, event[1]))

    def look(self) -> None:
        """Read the list of workers, at most every few seconds.

        It is asked for by `nthreads`, which returns the scheduler's answer. `scheduler_info` returns what the client
        holds, which its own timer replaces every two seconds by an answer without workers.

        Raises:
            EngineError: When no worker fits.
        """
        now = time.monotonic()
        if now - self._looked < self._look_seconds:
            return
        self._looked = now
        try:
            present = set(self._client.nthreads())
        except OSError:  # no answer says nothing about the workers
            return
        for address in {*self.slots, *self._asked, *self.admission.refused} - present:
            self.remove(address)
        for address in present:
            self._ask(address)
        self.admission.check_any(len(self.slots), len(self._asked))

    def _on_event(self, message: Any) -> None:
        action = message.get("action") if isinstance(message, dict) else None
        if action == "add-worker":
            self._ask(str(message["worker"]))
        elif action == "remove-worker":
            self.remove(str(message["worker"]))

    def _ask(self, address: str) -> None:
        """Ask a new worker for its description."""
        if address in self.slots or address in self._asked or address in self.admission.refused:
            return
        future = self._client.submit(describe_worker, workers=[address], pure=False)
        self._asked[address] = future
        future.add_done_callback(lambda done: self._put(self._on_description, address, done))

    def _on_description(self, address: str, future: Any) -> None:
        if address not in self._asked or self._asked[address] is not future:
            return
        del self._asked[address]
        if future.status == "error":
            self.admission.refuse_broken(address, future.exception())
        elif future.status == "finished":
            theirs = future.result()
            if self.admission.admit(address, theirs):
                self.slots[address] = Slot(theirs["threads"], theirs["machine"])

    def remove(self, address: str) -> None:
        """Forget a worker that is gone; one that is not is asked again at the next look."""
        self._asked.pop(address, None)
        self.admission.refused.pop(address, None)
        slot = self.slots.pop(address, None)
        if slot is not None:
            self._lose(address, slot)
