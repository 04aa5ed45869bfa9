"""Follow a moved project: its stores and records name files by absolute paths, since MLflow and ZenML do.

Each path below the old folder becomes the same path below the new one, in texts and in SQLite databases alike. What a
killed command leaves, the next one completes: what was rewritten does not match again, and the mark comes last.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from mlrunner.core.errors import StoreError, first_line

if TYPE_CHECKING:
    import sqlite3

MARK = "home"  # file in `.mlrunner/` with the folder that the stores name
SUFFIXES = {".json", ".jsonl", ".yaml", ".journal"}
OUTPUT, RUNS, DATABASES = ".mlrunner", "multirun", "*.db"
END = r"(?![\w.-])"  # /a/project is no part of /a/project2


def follow_move(home: Path) -> None:
    """Rewrite the paths of a project that was moved, renamed or copied, and say so.

    Raises:
        StoreError: When a file cannot be written.
    """
    before = read_mark(home)
    if before in ("", str(home)) or not os.access(home / OUTPUT, os.W_OK):  # a mounted backup can still be read
        return
    import sqlite3

    from filelock import FileLock

    from mlrunner.core.terminal import console

    try:
        with FileLock(home / OUTPUT / "stores.lock"):
            if (before := read_mark(home)) != str(home):
                _rewrite(home, before)
                console(stderr=True).print(
                    f"mlrunner: {home} was at {before} before; its stores now name the new place."
                )
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            f"{home} was moved from {before}, and its stores cannot be changed to say so ({first_line(error)}); make "
            f"{home / OUTPUT} writable, or move the project back."
        ) from error


def read_mark(home: Path) -> str:
    """Return the folder that the stores name; empty before the first run."""
    try:
        return (home / OUTPUT / MARK).read_text()
    except (OSError, ValueError):
        return ""


def _rewrite(home: Path, before: str) -> None:
    import sqlite3

    if read_mark(Path(before)) == before:  # this is a copy, and the servers are those of the original
        for state in (home / OUTPUT / "deployments").glob("*/state.json"):
            state.unlink()
    else:
        _stop_servers(before)
    paths = PathRewriter(before, str(home))
    for file in _list_texts(home):
        text = file.read_text(encoding="utf-8", errors="surrogateescape")
        if (after := paths.rewrite(text)) != text:
            _replace(file, after)
    for file in (home / OUTPUT).rglob(DATABASES):
        with closing(sqlite3.connect(file, timeout=60)) as database, database:
            paths.rewrite_database(database)
    (home / OUTPUT / MARK).write_text(str(home))


def _stop_servers(before: str) -> None:
    """End the servers of the folder, which know their files by paths that are no more."""
    from mlrunner.core.process_control import find_processes, terminate

    folder = f" {before}/{OUTPUT}/deployments/"  # an argument that begins so
    for mark in (f"gateway_supervisor{folder}", folder):  # first the gateways, which would start their servers again
        for pid in find_processes(mark):
            terminate(pid, mark)


def _replace(file: Path, text: str) -> None:
    """Replace a file by another text; a killed command leaves one or the other."""
    new = file.with_name(f"{file.name}.moved")
    new.write_text(text, encoding="utf-8", errors="surrogateescape")
    shutil.copymode(file, new)
    new.replace(file)


def _list_texts(home: Path) -> Iterator[Path]:
    """List the records that may name paths, without the files of models."""
    for folder in (home / OUTPUT, home / RUNS):
        for file in folder.rglob("*"):
            if file.suffix in SUFFIXES and not _is_of_model(file.relative_to(folder).parts) and not file.is_symlink():
                yield file


def _is_of_model(parts: tuple[str, ...]) -> bool:
    """Check whether a file belongs to a saved model, or to the model of a release."""
    return parts[:2] == ("artifacts", "models") or (parts[:1] == ("deployments",) and parts[4:5] == ("model",))


class PathRewriter:
    """Replaces a folder in texts, as a path and as a `file://` URI.

    Args:
        before: Absolute path of the folder.
        after: Absolute path that replaces it.
    """

    def __init__(self, before: str, after: str) -> None:
        from urllib.parse import quote

        self._after, self._uri = after, quote(after)
        self._parts = (before, quote(before))
        rest = after.removeprefix(before) if after.startswith(f"{before}/") else ""
        kept = rf"(?!{re.escape(rest)}{END})" if rest else ""  # it names the new folder already
        kept_uri = rf"(?!{re.escape(quote(rest))}{END})" if rest else ""
        plain = re.escape(before).replace(r"\ ", r"\s+")  # YAML breaks lines at blanks
        escaped = re.escape(before.encode("unicode_escape").decode().replace(r"\x", r"\u00"))  # as JSON writes it
        self._pattern = re.compile(
            rf"(?P<uri>(?<=file://){re.escape(quote(before))}{kept_uri}{END})"
            rf"|(?<![\w.-])(?:{plain}|{escaped}){kept}{END}"
        )

    def rewrite(self, text: str) -> str:
        """Replace the folder wherever it stands as a whole."""
        return self._pattern.sub(lambda match: self._after if match["uri"] is None else self._uri, text)

    def rewrite_database(self, database: sqlite3.Connection) -> None:
        """Replace the folder in every text of every table, and in JSON that is written as base64.

        ZenML writes the settings of a model server so.
        """
        database.create_function("rewrite", 1, self.rewrite, deterministic=True)
        database.create_function("rewrite_base64", 1, self._rewrite_base64, deterministic=True)
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for _, column, *_ in database.execute(f'PRAGMA table_info("{table}")').fetchall():
                found = f'typeof("{column}") = \'text\' AND (instr("{column}", ?) OR instr("{column}", ?))'
                database.execute(f'UPDATE "{table}" SET "{column}" = rewrite("{column}") WHERE {found}', self._parts)
                found = f"typeof(\"{column}\") = 'blob' AND CAST(substr(\"{column}\", 1, 2) AS TEXT) = 'ey'"  # `{"`
                database.execute(f'UPDATE "{table}" SET "{column}" = rewrite_base64("{column}") WHERE {found}')

    def _rewrite_base64(self, value: bytes) -> bytes:
        from base64 import b64decode, b64encode

        try:
            text = b64decode(value, validate=True).decode()
        except ValueError:  # other bytes that begin alike
            return value
        return b64encode(self.rewrite(text).encode())
