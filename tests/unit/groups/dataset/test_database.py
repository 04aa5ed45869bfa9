"""Queries, and the message for each bad URL or query."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path

import pytest

from mlrunner.core.errors import DataError
from mlrunner.groups.dataset import SqlDataset
from mlrunner.groups.dataset.database import fetch, open_connection, run_query
from tests.support.datasets import build_option, load_error
from tests.support.sweeps import create_postgresql


def test_query_returns_floats_missing_values_and_colons_unchanged(database: str) -> None:
    query = "select id, price, null as gap, 'at 12:30' as noon from orders order by id"
    table = build_option("sql", url=database, query=query, target="price").load()
    assert table["price"].dtype == "float64"
    assert table["gap"].isna().all()
    assert set(table["noon"]) == {"at 12:30"}


SQL = {
    "no URL": (
        "shop.db", "select 1",
        "dataset.url is not a SQLAlchemy URL; write dialect://user:password@host/database or sqlite:///file.db.",
    ),
    "no dialect": (
        "nosuch://u:secret@h/d", "select 1",
        "dataset.url is 'nosuch://u:***@h/d', which cannot be opened: its driver is not installed (Can't load plugin: "
        "sqlalchemy.dialects:nosuch); install it or correct the URL.",
    ),
    "no file": (
        "sqlite:////nowhere/shop.db", "select 1",
        "dataset.url names the SQLite file '/nowhere/shop.db', which does not exist; name an existing file.",
    ),
    "no table": (
        None, "select * from order_",
        "dataset.query fails at '{url}': no such table: order_; correct the URL or the query.",
    ),
    "no SQL": (
        None, "select 1 fro x",
        "dataset.query fails at '{url}': near \"x\": syntax error; correct the URL or the query.",
    ),
    "no rows returned": (
        None, "delete from orders", "dataset.query begins with 'delete' and returns no table; write a SELECT.",
    ),
    "a file": (
        None, "/* ; */ vacuum into '/tmp/x'",
        "dataset.query begins with 'vacuum' and returns no table; write a SELECT.",
    ),
    "two statements": (
        None, "select 1; delete from orders",
        "dataset.query holds several statements or writes a file; write one SELECT.",
    ),
    "a statement in a comment that nests": (
        None, "select 1 /* /* */ '*/ ; copy x to program 'id' -- '",
        "dataset.query holds several statements or writes a file; write one SELECT.",
    ),
    "a text that ends with a backslash": (
        None, "select E'\\''; copy x to program 'id' --'",
        "dataset.query holds several statements or writes a file; write one SELECT.",
    ),
    "MySQL's file": (
        None, "select * from orders into outfile '/tmp/x'",
        "dataset.query holds several statements or writes a file; write one SELECT.",
    ),
    "same name twice": (
        None, "select id, price, id from orders",
        "dataset.query returns a table which has duplicate column names: id (2 times); give each its own name with AS.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SQL)
def test_bad_sql_is_explained(case: str, database: str) -> None:
    url, query, expected = SQL[case]
    built = SqlDataset(name="s", target="price", url=database if url is None else url, query=query)
    assert load_error(built) == expected.format(url=database)


WRITES = {
    "with doomed as (select 1) delete from orders returning *": "attempt to write a readonly database",
    "vacuum into '{file}'": "not authorized",
    "attach '{file}' as other": "not authorized",
    "pragma query_only = off": "not authorized",
    "create table other (a)": "attempt to write a readonly database",
}


@pytest.mark.parametrize("statement", WRITES)
def test_sqlite_itself_refuses_to_write(statement: str, database: str, tmp_path: Path) -> None:
    """M9 of the attack findings; the check of the text is not what holds this."""
    file = tmp_path / "dropped"
    refusal = f"{WRITES[statement]}|authorization denied"
    with pytest.raises(DataError, match=refusal), open_connection(database) as connection:
        connection.exec_driver_sql(statement.format(file=file))
    assert not file.exists()
    assert len(SqlDataset(name="s", target="price", url=database, query="select * from orders").load()) == 6


@pytest.mark.parametrize(
    "query",
    [
        "select ';' as a;",
        "-- all; of them\nselect id, price /* ; */ from orders",
        "WITH x AS (SELECT 1 AS a) SELECT * FROM x ;  ",
        "values (1, 2)",
        "select value from json_each('[1]')",
        'select id as "a;b" from orders',
    ],
)
def test_queries_that_read_are_run(query: str, database: str) -> None:
    with open_connection(database) as connection:
        assert run_query(connection, query)[0].fetchall()


def test_postgresql_refuses_to_write() -> None:
    with contextmanager(create_postgresql)(f"readonly{os.getpid()}") as url:
        import psycopg

        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("create sequence s")
        with pytest.raises(DataError, match="cannot execute nextval\\(\\) in a read-only transaction"):
            fetch(url, "select nextval('s') as n", None)
