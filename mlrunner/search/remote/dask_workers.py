"""Follow the workers of a Dask cluster: which are there, which fit, and which are gone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mlrunner.core.errors import MlrunnerError
from mlrunner.search.remote.dask_tasks import describe_worker
from mlrunner.search.remote.fitness import describe_installation, describe_others, list_conflicts
from mlrunner.search.trial import TrialTask

LOOK_SECONDS = 5.0  # between two looks at the list of workers, beside the scheduler's own events
PATIENCE = 60.0  # seconds that a scheduler may be away
Put = Callable[..., None]  # lets the driver's thread call a function with these arguments


class EngineError(MlrunnerError):
    """The scheduler is gone, or no worker fits."""

    exit_code = 1


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
        patience: Seconds that the scheduler may be away.
    """

    def __init__(
        self,
        client: Any,
        put: Put,
        lose: Callable[[str, Slot], None],
        notify: Callable[[str], None],
        patience: float = PATIENCE,
    ) -> None:
        self._client, self._put, self._lose, self._notify = client, put, lose, notify
        self._patience, self._ours = patience, describe_installation()
        self.slots: dict[str, Slot] = {}
        self._asked: dict[str, Any] = {}  # futures of the descriptions
        self._refused: dict[str, str] = {}
        self._noted: set[str] = set()
        self._looked, self._connected = 0.0, time.monotonic()
        client.subscribe_topic("all", lambda event: put(self._on_event, event[1]))

    def look(self) -> None:
        """Read the list of workers, at most every few seconds.

        Raises:
            EngineError: When the scheduler is gone, or no worker fits.
        """
        now = time.monotonic()
        if self._client.status == "running":
            self._connected = now
        elif self._client.status == "closed" or now - self._connected > self._patience:
            raise EngineError("executor: the Dask scheduler is gone; start it again, and resume the sweep.")
        if self._client.status != "running" or now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        present = set(self._client.scheduler_info(n_workers=-1)["workers"])
        for address in {*self.slots, *self._asked, *self._refused} - present:
            self._remove(address)
        for address in present:
            self._ask(address)
        self._check_any()

    def _check_any(self) -> None:
        if self._refused and not self.slots and not self._asked:
            raise EngineError(f"executor: no worker fits. {next(iter(self._refused.values()))}")
        if not self.slots:
            self._note("waiting for the workers of the cluster")

    def _note(self, sentence: str) -> None:
        if sentence not in self._noted:
            self._noted.add(sentence)
            self._notify(sentence)

    def _on_event(self, message: Any) -> None:
        action = message.get("action") if isinstance(message, dict) else None
        if action == "add-worker":
            self._ask(str(message["worker"]))
        elif action == "remove-worker":
            self._remove(str(message["worker"]))

    def _ask(self, address: str) -> None:
        """Ask a new worker for its description."""
        if address in self.slots or address in self._asked or address in self._refused:
            return
        future = self._client.submit(describe_worker, workers=[address], pure=False)
        self._asked[address] = future
        future.add_done_callback(lambda done: self._put(self._on_description, address, done))

    def _on_description(self, address: str, future: Any) -> None:
        if address not in self._asked or self._asked[address] is not future:
            return
        del self._asked[address]
        if future.status == "error":
            self._refuse(address, f"it cannot run mlrunner ({future.exception()!r}); install the same version there")
        elif future.status == "finished":
            self._judge(address, future.result())

    def _judge(self, address: str, theirs: dict[str, Any]) -> None:
        conflicts = list_conflicts(self._ours, theirs)
        if conflicts:
            self._refuse(address, f"it has {', '.join(conflicts)}; install the same there")
            return
        others = describe_others(self._ours, theirs)
        if others is not None:
            self._note(f"worker {address} has {others}")
        self.slots[address] = Slot(theirs["threads"], theirs["machine"])

    def _refuse(self, address: str, reason: str) -> None:
        self._refused[address] = sentence = f"Worker {address} is refused: {reason}."
        self._note(sentence)

    def _remove(self, address: str) -> None:
        self._asked.pop(address, None)
        self._refused.pop(address, None)
        slot = self.slots.pop(address, None)
        if slot is not None:
            self._lose(address, slot)
