"""Send tables to the machines of a cluster that do not share the driver's disk, once to each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlrunner.core.errors import ConfigError
from mlrunner.search.remote.table_files import digest_file

MEGABYTE = 1024 * 1024
Upload = Callable[[str, bytes], Any]  # from digest and content of a table to a future, which ends when it is there


class TableSender:
    """Sends tables by an engine, unless they are on their way.

    Args:
        limit: Largest table in megabytes.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self.digests: dict[str, str] = {}  # by path, of the tables that were sent to any machine
        self._stored: dict[tuple[str, str], Any] = {}

    def send(self, paths: tuple[str, ...], machine: str, upload: Upload) -> list[Any]:
        """Send tables to a machine.

        Args:
            paths: Paths of the tables.
            machine: Identity of the machine.
            upload: Function that sends a table to a worker of this machine.

        Returns:
            A future for each table, which ends when it is there.

        Raises:
            ConfigError: When a table is larger than the limit.
        """
        return [self._send(path, machine, upload) for path in paths]

    def _send(self, path: str, machine: str, upload: Upload) -> Any:
        self._refuse_large(path)
        digest = self.digests[path] = self.digests.get(path) or digest_file(path)
        if (machine, digest) not in self._stored:
            self._stored[machine, digest] = upload(digest, Path(path).read_bytes())
        return self._stored[machine, digest]

    def forget(self, machine: str) -> None:
        """Forget what was sent to a machine, since the worker that received it is gone."""
        self._stored = {key: future for key, future in self._stored.items() if key[0] != machine}

    def _refuse_large(self, path: str) -> None:
        size = Path(path).stat().st_size / MEGABYTE
        if size > self._limit:
            raise ConfigError(
                f"executor.table_limit is {self._limit:g} MB, but a table of {size:,.1f} MB must go to workers that do "
                "not share this disk; raise the limit, or put MLRUNNER_HOME on a disk that the workers mount."
            )
