"""Send tables to the machines of a Dask cluster that do not share the driver's disk, once to each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlrunner.core.errors import ConfigError
from mlrunner.search.remote.dask_tasks import store
from mlrunner.search.remote.table_files import digest_file

MEGABYTE = 1024 * 1024


class TableSender:
    """Sends tables through the scheduler.

    Args:
        client: Client of the cluster.
        limit: Largest table in megabytes.
    """

    def __init__(self, client: Any, limit: float) -> None:
        self._client, self._limit = client, limit
        self.digests: dict[str, str] = {}  # by path, of the tables that were sent to any machine
        self._stored: dict[tuple[str, str], Any] = {}

    def send(self, paths: tuple[str, ...], address: str, machine: str) -> list[Any]:
        """Send tables to the machine of a worker, unless they are on their way to it.

        Args:
            paths: Paths of the tables.
            address: Address of the worker.
            machine: Identity of its machine.

        Returns:
            A future for each table, which ends when it is there.

        Raises:
            ConfigError: When a table is larger than the limit.
        """
        return [self._send(path, address, machine) for path in paths]

    def _send(self, path: str, address: str, machine: str) -> Any:
        self._refuse_large(path)
        digest = self.digests[path] = self.digests.get(path) or digest_file(path)
        future = self._stored.get((machine, digest))
        if future is None or future.status not in ("pending", "finished"):
            content = self._client.scatter(Path(path).read_bytes(), workers=[address], hash=False)
            future = self._client.submit(store, digest, content, workers=[address], pure=False)
            self._stored[machine, digest] = future
        return future

    def _refuse_large(self, path: str) -> None:
        size = Path(path).stat().st_size / MEGABYTE
        if size > self._limit:
            raise ConfigError(
                f"executor.table_limit is {self._limit:g} MB, but a table of {size:,.1f} MB must go to workers that do "
                "not share this disk; raise the limit, or put MLRUNNER_HOME on a disk that the workers mount."
            )
