"""One table, four sources: CSV, Parquet and SQL give each column the same kind and the same values."""

from __future__ import annotations

import datetime
import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from mlrunner.core.column_dtypes import normalize
from mlrunner.core.column_kinds import Kind, infer_kinds
from mlrunner.core.column_roles import Roles
from mlrunner.groups.cleaning import KeepAll
from mlrunner.groups.cleaning.controller import DataCleaning
from mlrunner.groups.dataset import Dataset, SqlDataset, TableDataset
from mlrunner.groups.dataset.profile import profile
from mlrunner.groups.dataset.streaming import read_chunks
from mlrunner.serving.columns import RawColumn
from mlrunner.serving.csv_format import CsvFormat
from mlrunner.serving.errors import RequestError
from mlrunner.serving.schema import Schema
from mlrunner.steps.prediction.column_values import extract_values

BIG = 2**53 + 1  # the first whole number that a float does not hold
COLUMNS: dict[str, tuple[pa.DataType, list[Any], Kind]] = {
    "whole": (pa.int64(), [1, 2, 3], Kind.NUMBER),
    "big_with_gap": (pa.int64(), [BIG, None, BIG - 1], Kind.NUMBER),
    "real": (pa.float64(), [0.5, None, 1.5], Kind.NUMBER),
    "cost": (pa.decimal128(9, 2), [Decimal("1.25"), None, Decimal("3.50")], Kind.NUMBER),
    "flag": (pa.bool_(), [True, False, True], Kind.BOOLEAN),
    "flag_with_gap": (pa.bool_(), [True, None, False], Kind.BOOLEAN),
    "word": (pa.string(), ["a", None, "b"], Kind.TEXT),
}
TYPED: dict[str, tuple[pa.DataType, list[Any], Kind]] = {  # CSV and SQLite have no such types
    "day": (pa.date32(), [datetime.date(2020, 3, 1), None, datetime.date(2020, 3, 2)], Kind.MOMENT),
    "waited": (pa.duration("s"), [datetime.timedelta(minutes=2), None, datetime.timedelta(0)], Kind.NUMBER),
    "tags": (pa.list_(pa.string()), [["new"], None, []], Kind.UNSUPPORTED),
    "raw": (pa.binary(), [b"a", None, b"b"], Kind.UNSUPPORTED),
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Dataset]:
    folder = tmp_path_factory.mktemp("kinds")
    rows = list(zip(*(values for _, values, _ in COLUMNS.values()), strict=True))
    texts = [["" if value is None else str(value) for value in row] for row in rows]
    (folder / "t.csv").write_text("\n".join(",".join(line) for line in [list(COLUMNS), *texts]) + "\n")
    every = COLUMNS | TYPED
    schema = pa.schema([(name, arrow_type) for name, (arrow_type, _, _) in every.items()])
    parquet.write_table(pa.table({name: every[name][1] for name in every}, schema=schema), folder / "t.parquet")
    return {
        "csv": TableDataset(name="t", path=str(folder / "t.csv"), target="whole"),
        "parquet": TableDataset(name="t", path=str(folder / "t.parquet"), target="whole"),
        "sql": _database(folder / "t.sqlite", rows),
    }


def _database(file: Path, rows: list[tuple[Any, ...]]) -> SqlDataset:
    """SQLite has no truth values or decimals; it returns what was stored, so they are cast in the query."""
    with sqlite3.connect(file) as connection:
        connection.execute(f"create table t ({', '.join(COLUMNS)})")
        plain = [[float(value) if isinstance(value, Decimal) else value for value in row] for row in rows]
        connection.executemany(f"insert into t values ({', '.join('?' * len(COLUMNS))})", plain)
    connection.close()
    return SqlDataset(name="t", url=f"sqlite:///{file}", query="select * from t", target="whole")


def plain(column: pd.Series) -> list[Any]:
    return [None if missing else value for value, missing in zip(column.tolist(), column.isna(), strict=True)]


def cases() -> Iterator[Any]:
    for source in ("csv", "parquet", "sql"):
        for name in COLUMNS:
            if not (source == "sql" and name.startswith("flag")):
                yield pytest.param(source, name, id=f"{source}-{name}")


@pytest.mark.parametrize(("source", "name"), list(cases()))
def test_a_column_has_one_kind_and_exact_values_whatever_the_source(
    sources: dict[str, Dataset], source: str, name: str
) -> None:
    table = sources[source].load()
    _, values, kind = COLUMNS[name]
    expected = [float(value) if isinstance(value, Decimal) else value for value in values]
    assert infer_kinds(table)[name] == kind
    assert plain(table[name]) == expected
    assert [type(value) for value in plain(table[name])] == [type(value) for value in expected]


@pytest.mark.parametrize("name", TYPED)
def test_types_that_only_parquet_has(sources: dict[str, Dataset], name: str) -> None:
    assert infer_kinds(sources["parquet"].load())[name] == TYPED[name][2]


def test_durations_are_seconds(sources: dict[str, Dataset]) -> None:
    assert plain(sources["parquet"].load()["waited"]) == [120.0, None, 0.0]


@pytest.mark.parametrize("source", ["parquet", "sql"])
def test_batch_predictions_read_the_same(sources: dict[str, Dataset], source: str) -> None:
    table, chunk = sources[source].load(), next(read_chunks(sources[source], 10))
    assert infer_kinds(chunk) == infer_kinds(table)
    pd.testing.assert_frame_equal(normalize(chunk[list(COLUMNS)]), table[list(COLUMNS)])


@pytest.mark.parametrize("name", ["big_with_gap", "flag_with_gap"])
def test_a_target_with_gaps_keeps_its_values(sources: dict[str, Dataset], name: str) -> None:
    table = sources["parquet"].load()[["real", name]]
    cleaned = DataCleaning(table, KeepAll(), Roles(name)).handle_data()
    assert str(cleaned[name].dtype) == {"big_with_gap": "int64", "flag_with_gap": "bool"}[name]
    assert cleaned[name].tolist() == [COLUMNS[name][1][0], COLUMNS[name][1][2]]


def test_a_code_stays_text_in_each_source(sources: dict[str, Dataset]) -> None:
    for source in sources.values():
        table = type(source)(**{**vars(source), "dtypes": {"big_with_gap": "str"}}).load()
        assert plain(table["big_with_gap"]) == [str(BIG), None, str(BIG - 1)]


def test_numbers_and_texts_in_one_column_are_text_in_training_predict_requests_and_diff(tmp_path: Path) -> None:
    codes, texts = [1, "A", None, 2, "B"], ["1", "A", None, "2", "B"]
    with sqlite3.connect(tmp_path / "codes.sqlite") as connection:
        connection.execute("create table t (code, y real)")
        connection.executemany("insert into t values (?, ?)", [(code, row) for row, code in enumerate(codes)])
    connection.close()
    place = {"url": f"sqlite:///{tmp_path / 'codes.sqlite'}", "target": "y"}
    mixed = SqlDataset(name="t", query="select * from t order by rowid", **place)
    cast = SqlDataset(name="t", query="select cast(code as text) as code, y from t order by rowid", **place)
    assert plain(mixed.load()["code"]) == texts
    assert profile(mixed.load()) == profile(cast.load())  # what `diff` compares
    assert mixed.fingerprint() == cast.fingerprint()
    for rows in (1, 5):  # of whole numbers alone, or of both
        chunks = [extract_values(chunk["code"], "text", None) for chunk in read_chunks(mixed, rows)]
        assert [value for chunk in chunks for value in chunk] == texts
    schema = Schema((RawColumn("code", "text", required=True),))
    assert schema.validate({"code": texts})["code"].tolist() == texts
    assert schema.validate({"code": texts}, CsvFormat())["code"].tolist() == texts
    with pytest.raises(RequestError, match=r"^Column 'code' holds texts, but row 0 has 1\.$"):
        schema.validate({"code": [1]})  # a number has no one text: a code 01 would be another
