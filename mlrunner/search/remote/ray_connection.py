"""The connection to the head of a Ray cluster, which is made again when the head was away."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from threading import Event, Thread

import ray

from mlrunner.core.errors import ConfigError
from mlrunner.groups.executor.ray_engine import RayEngine
from mlrunner.search.remote.admission import EngineError

PATIENCE = 60.0  # seconds to try again
CHECK_SECONDS = 0.5  # between two checks, so that no other head starts unseen
ACCEPT_SECONDS = 10.0  # until they must have accepted a connection
RETRY_SECONDS = 1.0


class ClusterWatch:
    """Watches in a thread what must be there: this process may compose for longer than a new head takes to start.

    Args:
        places: Addresses, host and port, by what the user calls it.

    Attributes:
        gone: What was away; it stays so, since another one at this address does not know this process.
    """

    def __init__(self, places: dict[str, str]) -> None:
        self._places, self._end, self.gone = places, Event(), ""
        Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while not self.gone and not self._end.wait(CHECK_SECONDS):
            self.gone = next((name for name, address in self._places.items() if not _accepts(address)), "")

    def close(self) -> None:
        """End the thread."""
        self._end.set()


def _accepts(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with suppress(OSError):
        socket.create_connection((host, int(port)), ACCEPT_SECONDS).close()
        return True
    return False


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
        self._watch = ClusterWatch(self._list_places())

    def _list_places(self) -> dict[str, str]:
        """List the head, and the node that this process works by: without it, Ray waits for ever."""
        ours = ray.get_runtime_context().get_node_id()
        node = next(node for node in ray.nodes() if node["NodeID"] == ours)
        address = f"{node['NodeManagerAddress']}:{node['NodeManagerPort']}"
        return {f"the Ray head at {self._address}": self._address, "the Ray node of this machine": address}

    @property
    def is_lost(self) -> bool:
        """Whether the head, or the node of this machine, is gone or was away."""
        return bool(self._watch.gone)

    def renew(self) -> None:
        """Leave the cluster, whose actors have ended with its head, and connect to the next one at this address.

        Raises:
            EngineError: When there is none in time, or the head was the search's own.
        """
        self.close()
        if self._engine.address is None:
            raise EngineError("executor: the search's own Ray head has ended; resume the sweep.")
        place = self._watch.gone
        self._notify(f"{place} is gone; connecting again for {self._patience:g} s")
        engine, deadline = replace(self._engine, address=self._address), time.monotonic() + self._patience
        while (error := self._try(engine)) is not None:
            if time.monotonic() >= deadline:
                raise EngineError(f"executor: {place} is gone; start it again, and resume the sweep.") from error
            time.sleep(RETRY_SECONDS)
        self._watch = ClusterWatch(self._list_places())
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
