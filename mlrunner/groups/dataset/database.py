"""Run the query of `dataset=sql` through SQLAlchemy; serves the config group `dataset`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from mlrunner.core.errors import DataError
from mlrunner.groups.dataset.parsing import first_line, refuse_duplicates

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Connection


def fetch(url: str, query: str, rows: int | None) -> pd.DataFrame:
    """Run a query and take its rows; nothing that it writes is committed.

    Args:
        url: A SQLAlchemy address; its password never shows in a message.
        query: One statement that returns rows.
        rows: How many to take; None: all.

    Returns:
        The rows under the query's column names; decimals become floats.

    Raises:
        DataError: The address, the connection or the query is wrong.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    address = _address(url)
    place = address.render_as_string(hide_password=True)
    with _explained(f"dataset.url is '{place}', which cannot be opened"):
        connection = create_engine(address, poolclass=NullPool).connect()
    with connection, _explained(f"dataset.query fails at '{place}'"):
        return _run(connection, query, rows)


def _address(url: str) -> URL:
    """Parse an address; SQLite would create a missing file, so that one is refused."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        address = make_url(url)
    except (ArgumentError, ValueError) as error:
        told = "dataset.url is not a SQLAlchemy URL"
        raise DataError(f"{told}; write dialect://user:password@host/database or sqlite:///file.db.") from error
    file = address.database
    on_disk = address.get_backend_name() == "sqlite" and file and not file.startswith((":", "file:"))
    if on_disk and not Path(str(file)).exists():
        raise DataError(f"dataset.url names the SQLite file '{file}', which does not exist; name an existing file.")
    return address


def _run(connection: Connection, query: str, rows: int | None) -> pd.DataFrame:
    from sqlalchemy import text

    result = connection.execute(text(query))
    if not result.returns_rows:
        raise DataError("dataset.query returns no table; write a SELECT.")
    names = [str(name) for name in result.keys()]  # noqa: SIM118 (not a mapping: iterating gives rows)
    refuse_duplicates("dataset.query returns a table which", names, "give each its own name with AS")
    records = [tuple(row) for row in (result.fetchall() if rows is None else result.fetchmany(rows))]
    return pd.DataFrame.from_records(records, columns=names, coerce_float=True)


@contextlib.contextmanager
def _explained(subject: str) -> Iterator[None]:
    from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError

    try:
        yield
    except (NoSuchModuleError, ImportError) as error:
        told = first_line(str(error))
        raise DataError(f"{subject}: its driver is not installed ({told}); install it or mend the URL.") from error
    except SQLAlchemyError as error:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        raise DataError(f"{subject}: {first_line(str(cause))}; mend the URL or the query.") from error
