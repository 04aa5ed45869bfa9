"""Run the query of `dataset=sql` with SQLAlchemy."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pandas as pd

from mlrunner.core.errors import DataError, first_line
from mlrunner.groups.dataset.csv_layout import refuse_duplicates

# What separates no statements: comments and quoted texts.
IGNORED = re.compile(r"--[^\n]*|/\*(?:(?!/\*).)*?\*/|'(?:[^'\\]|'')*'|\"[^\"\\]*\"", re.DOTALL)
UNCLEAR = re.compile(r"/\*|\*/|['\"\\]")
READING = re.compile(r"[\s(]*(select|with|values|table|from|show|describe|explain)\b", re.IGNORECASE)
WRITING = re.compile(r"\binto\s+(outfile|dumpfile)\b", re.IGNORECASE)  # MySQL's files, also in a transaction that reads
READ_ONLY = dict.fromkeys(("mysql", "mariadb"), "SET SESSION TRANSACTION READ ONLY")
PARAMETER = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")  # what SQLAlchemy takes for a parameter: a query has none

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Connection, CursorResult


def fetch(url: str, query: str, rows: int | None) -> pd.DataFrame:
    """Run a query and fetch its rows, in a transaction that only reads.

    Args:
        url: SQLAlchemy URL; messages never show its password.
        query: Statement that returns rows.
        rows: Number of rows to fetch; None: all.

    Returns:
        The rows with the query's column names, as the objects that the driver returns.

    Raises:
        DataError: When the URL, the connection or the query is wrong.
    """
    with open_connection(url) as connection:
        result, names = run_query(connection, query)
        records = [tuple(row) for row in (result.fetchall() if rows is None else result.fetchmany(rows))]
        return pd.DataFrame(records, columns=names, dtype=object)


@contextlib.contextmanager
def open_connection(url: str) -> Iterator[Connection]:
    """Connect to a database, and turn SQLAlchemy's errors within the block into one sentence.

    Args:
        url: SQLAlchemy URL.

    Raises:
        DataError: When the URL, the connection or a query is wrong.
    """
    address = _parse_url(url)
    place = address.render_as_string(hide_password=True)
    with _sql_errors(f"dataset.url is '{place}', which cannot be opened"):
        connection = _connect(address)
    with connection, _sql_errors(f"dataset.query fails at '{place}'"):
        yield connection


def run_query(connection: Connection, query: str) -> tuple[CursorResult[Any], list[str]]:
    """Run a query.

    Returns:
        The result, and its column names.

    Raises:
        DataError: When it is no SELECT, returns no rows, or several columns of the same name.
    """
    from sqlalchemy import text

    plain = IGNORED.sub(" ", query)
    if not READING.match(plain):
        first = " ".join(plain.split()[:1])
        raise DataError(f"dataset.query begins with '{first}' and returns no table; write a SELECT.")
    if UNCLEAR.search(plain):  # a database may see the end of a text or comment elsewhere
        plain = query
    if ";" in plain.rstrip().rstrip(";") or WRITING.search(plain):
        raise DataError("dataset.query holds several statements or writes a file; write one SELECT.")
    result = connection.execute(text(PARAMETER.sub(r"\\:\1", query)))
    if not result.returns_rows:
        raise DataError("dataset.query returns no table; write a SELECT.")
    names = [str(name) for name in result.keys()]  # noqa: SIM118 (not a mapping: iterating gives rows)
    refuse_duplicates("dataset.query returns a table which", names, "give each its own name with AS")
    return result, names


def _connect(address: URL) -> Connection:
    """Connect so that a query cannot write, as far as the kind of database knows that: the query may be a store's."""
    from sqlalchemy import create_engine, event
    from sqlalchemy.pool import NullPool

    kind = address.get_backend_name()
    if kind == "sqlite" and (file := address.database) and file != ":memory:":
        uri = file if file.startswith("file:") else f"file:{quote(file)}"
        address = address.set(database=uri).update_query_dict({"mode": "ro", "uri": "true"})
    options = {"postgresql_readonly": True} if kind == "postgresql" else {}
    engine = create_engine(address, poolclass=NullPool, execution_options=options)
    if kind == "sqlite":
        event.listen(engine, "connect", lambda connection, _: _restrict_sqlite(connection))
    connection = engine.connect()
    if kind in READ_ONLY:
        connection.exec_driver_sql(READ_ONLY[kind])
        connection.rollback()
    return connection


def _restrict_sqlite(connection: sqlite3.Connection) -> None:
    """Refuse writes, and VACUUM INTO and ATTACH, which create files."""
    connection.execute("PRAGMA query_only = ON")
    refused = (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_PRAGMA)
    connection.set_authorizer(lambda action, *_: sqlite3.SQLITE_DENY if action in refused else sqlite3.SQLITE_OK)


def _parse_url(url: str) -> URL:
    """Parse a URL; refuse a SQLite file that does not exist, which SQLite would create."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        address = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise DataError(
            "dataset.url is not a SQLAlchemy URL; write dialect://user:password@host/database or sqlite:///file.db."
        ) from error
    file = address.database
    on_disk = address.get_backend_name() == "sqlite" and file and not file.startswith((":", "file:"))
    if on_disk and not Path(str(file)).exists():
        raise DataError(f"dataset.url names the SQLite file '{file}', which does not exist; name an existing file.")
    return address


@contextlib.contextmanager
def _sql_errors(subject: str) -> Iterator[None]:
    from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError

    try:
        yield
    except (NoSuchModuleError, ImportError) as error:
        raise DataError(
            f"{subject}: its driver is not installed ({first_line(error)}); install it or correct the URL."
        ) from error
    except SQLAlchemyError as error:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        raise DataError(f"{subject}: {first_line(cause)}; correct the URL or the query.") from error
