"""Kill or interrupt a command at each of its writes in turn: files, renames, removals and SQL statements.

An audit hook counts what the process is about to write below the folders it is given, and sends a signal to the process
itself before write number `at`. What was written before is on disk, as after a kill from outside.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

PROGRAM = """
import sys
from tests.support.kill_points import WriteCounter
from mlrunner.__main__ import main
if __name__ == "__main__":  # workers import this file
    counter = WriteCounter({folders!r}, {at!r}, {report!r}, {number})
    code = main()
    counter.save()
    sys.exit(code)
"""
CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate"}
WRITING = os.O_WRONLY | os.O_RDWR
STATEMENTS = ("INSERT", "UPDATE", "DELETE", "CREATE")


class WriteCounter:
    """Count the writes of this process, and send it a signal at one of them.

    Args:
        folders: Folders whose files count; SQL statements count anyway.
        at: Number of the write, from 1; None for none.
        report: File that gets the writes, one a line.
        number: Number of the signal.
    """

    def __init__(self, folders: list[str], at: int | None, report: str, number: int) -> None:
        self._number = number
        self._folders, self._at, self._report = tuple(folders), at, report
        self._pid = os.getpid()
        self._writes: list[str] = []
        sys.addaudithook(self._hear)
        event.listen(Engine, "before_cursor_execute", self._hear_statement)
        event.listen(Engine, "commit", self._hear_commit)

    def save(self) -> None:
        """Write the list of writes."""
        self._pid = 0  # this write is not the command's
        Path(self._report).write_text("\n".join(self._writes))

    def _hear(self, name: str, arguments: tuple[Any, ...]) -> None:
        if name == "open":
            path, _, flags = arguments
            if isinstance(path, (str, os.PathLike)) and flags & WRITING:
                self._count("open", os.fspath(path))
        elif name in CHANGES:
            self._count(name, os.fspath(arguments[0]))

    def _hear_statement(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip()[:6].upper() in STATEMENTS:
            self._add(" ".join(statement.split()[:3]))

    def _hear_commit(self, _connection: Any) -> None:
        self._add("COMMIT")

    def _count(self, name: str, path: str | bytes) -> None:
        text = str(Path.cwd() / os.fsdecode(path))
        if text.startswith(self._folders):
            self._add(f"{name} {text}")

    def _add(self, write: str) -> None:
        if os.getpid() != self._pid:  # a worker or a server
            return
        self._writes.append(write)
        if len(self._writes) == self._at:
            os.kill(self._pid, self._number)
