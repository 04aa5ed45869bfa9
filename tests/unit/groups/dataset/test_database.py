"""Queries, and the message for each bad URL or query."""

from __future__ import annotations

import pytest

from mlrunner.groups.dataset import SqlDataset
from tests.support.datasets import build_option, load_error


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
        None, "selct 1", "dataset.query fails at '{url}': near \"selct\": syntax error; correct the URL or the query.",
    ),
    "no rows returned": (None, "delete from orders", "dataset.query returns no table; write a SELECT."),
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


def test_a_query_commits_nothing(database: str) -> None:
    load_error(SqlDataset(name="s", target="price", url=database, query="delete from orders"))
    assert len(SqlDataset(name="s", target="price", url=database, query="select * from orders").load()) == 6
