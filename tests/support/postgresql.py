"""A PostgreSQL server of one's own, which may be restarted: that of the machine serves other tests too."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mlrunner.core.loopback import free_port


class PostgresqlServer:
    """A server in a folder of its own.

    Args:
        folder: Empty folder.
        programs: Folder of `initdb` and `pg_ctl`.
    """

    def __init__(self, folder: Path, programs: Path) -> None:
        self._folder, self._programs, self._port = folder, programs, free_port()
        self.address = f"postgresql+psycopg://postgres@127.0.0.1:{self._port}/postgres"
        self._owner: dict[str, Any] = {}
        if os.geteuid() == 0:  # which PostgreSQL refuses
            shutil.chown(folder, "postgres", "postgres")
            self._owner = {"user": "postgres", "group": "postgres", "extra_groups": []}
        self._run("initdb", "--no-sync", "--auth=trust", "--username=postgres")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), "-D", str(self._folder / "data"), *arguments]
        subprocess.run(command, check=True, cwd=self._folder, stdout=subprocess.DEVNULL, **self._owner)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = (
            f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder} -c fsync=off"
        )
        self._run("pg_ctl", "-w", "-s", "-l", str(self._folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        """Stop it at once, as a crash does."""
        self._run("pg_ctl", "-w", "-s", "-m", "immediate", "stop")


@contextmanager
def postgresql_server() -> Iterator[PostgresqlServer]:
    """Start a server; skip the test where PostgreSQL is not installed."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs:
        pytest.skip("PostgreSQL's initdb is not in /usr/lib/postgresql")
    with tempfile.TemporaryDirectory(prefix="postgresql-", ignore_cleanup_errors=True) as folder:
        server = PostgresqlServer(Path(folder), programs[-1].parent)
        server.start()
        try:
            yield server
        finally:
            server.stop()
