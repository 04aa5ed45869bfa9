"""Run the query of `dataset=sql` with SQLAlchemy."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mlrunner.core.errors import DataError, first_line
from mlrunner.groups.dataset.csv_layout import refuse_duplicates

PARAMETER = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")  # what SQLAlchemy takes for a parameter: a query has none

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Connection, CursorResult


def fetch(url: str, query: str, rows: int | None) -> pd.DataFrame:
    """Run a query and fetch its rows; nothing that it writes is committed.

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
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    address = _parse_url(url)
    place = address.render_as_string(hide_password=True)
    with _sql_errors(f"dataset.url is '{place}', which cannot be opened"):
        connection = create_engine(address, poolclass=NullPool).connect()
    with connection, _sql_errors(f"dataset.query fails at '{place}'"):
        yield connection


def run_query(connection: Connection, query: str) -> tuple[CursorResult[Any], list[str]]:
    """Run a query.

    Args:
        connection: Open connection.
        query: Statement that returns rows.

    Returns:
        The result, and its column names.

    Raises:
        DataError: When the statement returns no rows, or several columns of the same name.
    """
    from sqlalchemy import text

    result = connection.execute(text(PARAMETER.sub(r"\\:\1", query)))
    if not result.returns_rows:
        raise DataError("dataset.query returns no table; write a SELECT.")
    names = [str(name) for name in result.keys()]  # noqa: SIM118 (not a mapping: iterating gives rows)
    refuse_duplicates("dataset.query returns a table which", names, "give each its own name with AS")
    return result, names


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
