"""The connection to the scheduler of a Dask cluster, which is made again when the scheduler was away."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mlrunner.core.errors import ConfigError
from mlrunner.groups.executor.dask_engine import DaskEngine
from mlrunner.search.remote.admission import EngineError

PATIENCE = 60.0  # seconds to try again
CLOSE_SECONDS = 5.0


class DaskConnection:
    """A client of a cluster, and the cluster when the search has started it.

    Args:
        engine: Settings of the cluster.
        size: Number of workers to start.
        notify: Function of a sentence for the user.
        logs: Folder for the logs of the jobs that are started.
        patience: Seconds that a scheduler may be away.

    Attributes:
        client: Client of the cluster; another one after each `renew`.
    """

    def __init__(
        self,
        engine: DaskEngine,
        size: int,
        notify: Callable[[str], None],
        logs: Path = Path("logs"),
        patience: float = PATIENCE,
    ) -> None:
        self._engine, self._size, self._notify, self._patience = engine, size, notify, patience
        self.client, self._cluster = engine.connect(size, logs=logs)
        self._stream = self.client.scheduler_comm

    @property
    def is_lost(self) -> bool:
        """Whether the scheduler is gone or was away: it has forgotten all tasks then, and a client its topics."""
        stream = self.client.scheduler_comm  # another object when the client itself has connected again
        return self.client.status != "running" or stream is not self._stream or stream is None or stream.closed()

    def renew(self) -> None:
        """Connect to the scheduler again; Dask waits longer between two attempts the more have failed.

        Raises:
            EngineError: When it does not answer in time, or has ended with the search's own cluster.
        """
        self._close_client()
        if self._cluster is not None:
            raise EngineError("executor: the search's own Dask scheduler has ended; resume the sweep.")
        place = f"the Dask scheduler at {self._engine.address}"
        self._notify(f"{place} is gone; connecting again for {self._patience:g} s")
        try:
            self.client, _ = self._engine.connect(self._size, self._patience)
        except ConfigError as error:
            raise EngineError(f"executor: {place} is gone; start it again, and resume the sweep.") from error
        self._stream = self.client.scheduler_comm
        self._notify(f"{place} is back")

    def close(self) -> None:
        """Leave the cluster, and end it when the search has started it."""
        self._close_client()
        with suppress(Exception):
            if self._cluster is not None:
                self._cluster.close(timeout=2 * CLOSE_SECONDS)

    def _close_client(self) -> None:
        with suppress(Exception):  # the scheduler may be gone; the results are here
            self.client.close(timeout=CLOSE_SECONDS)
