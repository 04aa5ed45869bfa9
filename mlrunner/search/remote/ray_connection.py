"""The connection to the head of a Ray cluster, which is made again when the head was away."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import replace
from threading import Event, Thread

import ray

from mlrunner.core.errors import ConfigError
from mlrunner.groups.executor.ray_engine import RayEngine
from mlrunner.search.remote.admission import EngineError

PATIENCE = 60.0  # seconds to try again
CHECK_SECONDS = 0.5  # between two checks that the head is there, so that none starts in its place unseen
HEAD_SECONDS = 10.0  # until it must have accepted a connection
RETRY_SECONDS = 1.0


class HeadWatch:
    """Watches in a thread whether a head is there: this process may compose for longer than a new head takes to start.

    Args:
        address: Host and port of the head.

    Attributes:
        is_gone: Whether it was away; it stays so, since another head at this address does not know this process.
    """

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._place, self._end, self.is_gone = (host, int(port)), Event(), False
        Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while not self.is_gone and not self._end.wait(CHECK_SECONDS):
            try:
                socket.create_connection(self._place, HEAD_SECONDS).close()
            except OSError:
                self.is_gone = True

    def close(self) -> None:
        """End the thread."""
        self._end.set()


class RayConnection:
    """The connection of this process to a cluster.

    Ray ends a process whose head has been away for a minute, or that calls another head in its place.

    Args:
        engine: Settings of the cluster.
        size: Number of workers.
        notify: Function of a sentence for the user.
        patience: Seconds that a head may be away.
    """

    def __init__(self, engine: RayEngine, size: int, notify: Callable[[str], None], patience: float = PATIENCE) -> None:
        self._engine, self._size, self._notify, self._patience = engine, size, notify, patience
        engine.connect(size)
        self._address = str(ray.get_runtime_context().gcs_address)
        self._watch = HeadWatch(self._address)

    @property
    def is_lost(self) -> bool:
        """Whether the head is gone or was away."""
        return self._watch.is_gone

    def renew(self) -> None:
        """Leave the cluster, whose actors have ended with its head, and connect to the next one at this address.

        Raises:
            EngineError: When there is none in time, or the head was the search's own.
        """
        self.close()
        if self._engine.address is None:
            raise EngineError("executor: the search's own Ray head has ended; resume the sweep.")
        place = f"the Ray head at {self._address}"
        self._notify(f"{place} is gone; connecting again for {self._patience:g} s")
        engine, deadline = replace(self._engine, address=self._address), time.monotonic() + self._patience
        while (error := self._try(engine)) is not None:
            if time.monotonic() >= deadline:
                raise EngineError(f"executor: {place} is gone; start it again, and resume the sweep.") from error
            time.sleep(RETRY_SECONDS)
        self._watch = HeadWatch(self._address)
        self._notify(f"{place} is back")

    def _try(self, engine: RayEngine) -> ConfigError | None:
        try:
            engine.connect(self._size)
        except ConfigError as error:
            ray.shutdown()  # of what was connected so far
            return error
        return None

    def close(self) -> None:
        """Leave the cluster, which ends all actors, and end it when the search has started it."""
        self._watch.close()
        ray.shutdown()
