"""Fixtures of the data set tests."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def database(tmp_path: Path) -> str:
    file = tmp_path / "shop.db"
    with sqlite3.connect(file) as connection:
        connection.execute("create table orders (id integer, price real, paid text)")
        connection.executemany("insert into orders values (?, ?, ?)", [(n, n / 4, "12:30") for n in range(1, 7)])
    connection.close()
    return f"sqlite:///{file}"


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Drop the rights of root, who may read every file."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)
