"""Columns that are mostly numbers or truth values, and the texts among them."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlrunner.core.column_kinds import Kind, infer_kinds
from mlrunner.core.errors import ProblemsError
from mlrunner.core.warning_names import Notice
from mlrunner.groups.dataset import SqlDataset
from mlrunner.groups.dataset.text_values import NumberFormat, convert_texts
from tests.support.datasets import file_dataset, load_error, to_parquet

NUMBERS = [str(row % 37) for row in range(198)]
TRUTHS = [("true", "FALSE")[row % 2] for row in range(198)]


def read(path: Path, values: list[str], **settings: Any) -> tuple[pd.DataFrame, tuple[Notice, ...]]:
    lines = [f'"{value}",{row % 9}' for row, value in enumerate(values)]
    (path / "t.csv").write_text("\n".join(["a,y", *lines]) + "\n")
    return file_dataset(path / "t.csv", **settings).load_with_notices()


def test_a_column_of_numbers_with_a_few_texts_is_one_of_numbers_that_counts_them(tmp_path: Path) -> None:
    table, notices = read(tmp_path, [*NUMBERS, "12,5 kg", "n/a?"])
    assert str(table["a"].dtype) == "Int64"
    assert table["a"].isna().sum() == 2
    assert table["a"].sum() == 5 * (36 * 37 // 2) + 12 * 13 // 2  # 198 = 5 * 37 + 13 rows: 3330 + 78
    assert notices == (
        (
            "unreadable_values",
            "a holds numbers, but 2 of 200 values (1 %) do not fit and become missing, first '12,5 kg'; '12,5 kg' "
            "has a sign or unit, write the number alone, or keep the texts: 'dataset.dtypes={a: str}'.",
        ),
    )


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            [*NUMBERS, "?", "?", "?"],
            "dataset: a holds numbers, but 3 of 201 values (1.49 %) do not fit, first '?'; "
            "\"dataset.options.na_values=['?']\", or keep the texts: 'dataset.dtypes={a: str}'.",
        ),
        (
            [*TRUTHS, "maybe", "perhaps", "no"],
            "dataset: a holds true or false, but 3 of 201 values (1.49 %) do not fit, first 'maybe'; correct them at "
            "their source, or keep the texts: 'dataset.dtypes={a: str}'.",
        ),
    ],
    ids=["numbers", "truth values"],
)
def test_more_than_one_in_a_hundred_is_refused(tmp_path: Path, values: list[str], sentence: str) -> None:
    with pytest.raises(ProblemsError) as caught:
        read(tmp_path, values)
    assert caught.value.problems == [sentence]
    table, notices = read(tmp_path, values, dtypes={"a": "str"})
    assert table["a"].tolist() == values
    assert notices == ()


def test_truth_values_with_a_few_texts(tmp_path: Path) -> None:
    table, notices = read(tmp_path, [*TRUTHS, "maybe"])
    assert str(table["a"].dtype) == "boolean"
    assert (table["a"].sum(), table["a"].isna().sum()) == (99, 1)
    assert [notice.name for notice in notices] == ["unreadable_values"]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2", "A", "B", "3"] * 40, Kind.TEXT),
        (["1", "2", "3", "other"] * 50, Kind.TEXT),
        ([*NUMBERS, "007", "x"], Kind.TEXT),
        (["6", "7", "?", "8"] * 50, None),
    ],
    ids=["categories", "quarter of a word", "codes", "quarter of a sign"],
)
def test_a_sign_for_a_gap_is_found_among_half_numbers_and_a_word_among_nine_in_ten(
    tmp_path: Path, values: list[str], kind: Kind | None
) -> None:
    if kind is None:
        with pytest.raises(ProblemsError, match=r"50 of 200 values \(25 %\)"):
            read(tmp_path, values)
    else:
        table, notices = read(tmp_path, values)
        assert (infer_kinds(table)["a"], notices) == (kind, ())


def test_big_numbers_stay_exact(tmp_path: Path) -> None:
    table, _ = read(tmp_path, [*(str(2**53 + row) for row in range(199)), "soon"])
    assert table["a"].tolist()[:2] == [9007199254740992, 9007199254740993]


def test_numbers_are_read_in_the_format_of_the_file(tmp_path: Path) -> None:
    options = {"decimal": ",", "thousands": "."}
    table, _ = read(tmp_path, ["1.234,5"] * 199 + ["soon"], options=options)
    assert table["a"].dropna().unique().tolist() == [1234.5]
    table, notices = read(tmp_path, ["06.01.2020"] * 199 + ["soon"], options=options)
    assert (infer_kinds(table)["a"], notices) == (Kind.TEXT, ())


def test_ids_ignored_columns_and_classes_stay_text(tmp_path: Path) -> None:
    for settings in ({"group": "a"}, {"ignore": ["a"]}, {"target": "a", "task": "classification"}):
        table, notices = read(tmp_path, [*NUMBERS, "x"], **settings)
        assert (infer_kinds(table)["a"], notices) == (Kind.TEXT, ())
    assert read(tmp_path, [*NUMBERS, "x"], target="a")[1][0].name == "unreadable_values"
    assert read(tmp_path, [*NUMBERS, "x"], time="a")[1][0].name == "unreadable_values"


def test_values_of_several_types_in_a_database(tmp_path: Path) -> None:
    def load(values: list[Any]) -> tuple[pd.DataFrame, tuple[Notice, ...]]:
        file = tmp_path / f"{len(values)}.sqlite"
        with sqlite3.connect(file) as connection:
            connection.execute("create table t (a, y real)")
            connection.executemany("insert into t values (?, ?)", [(value, row) for row, value in enumerate(values)])
        connection.close()
        query = "select * from t order by rowid"
        return SqlDataset(name="s", target="y", url=f"sqlite:///{file}", query=query).load_with_notices()

    table, notices = load([*range(199), "n/a?"])
    assert (str(table["a"].dtype), table["a"].sum()) == ("Int64", 19701)
    assert notices[0].text == (
        "a holds numbers, but 1 of 200 values (0.5 %) do not fit and become missing, first 'n/a?'; correct them at "
        "their source, or keep the texts: 'dataset.dtypes={a: str}'."
    )
    assert load(["1", "2"] * 99 + ["x"])[1] == ()  # texts alone are text
    with pytest.raises(ProblemsError, match=r"3 of 201 values \(1.49 %\)"):
        load([*range(198), "a", "b", "c"])


def test_texts_of_parquet_are_text(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(to_parquet(pd.DataFrame({"a": [*NUMBERS, "x"], "y": range(199)})))
    table, notices = file_dataset(tmp_path / "t.parquet").load_with_notices()
    assert (infer_kinds(table)["a"], notices) == (Kind.TEXT, ())


def test_columns_without_texts_are_left_alone() -> None:
    table = pd.DataFrame({"a": [1, 2], "b": [None, None], "c": [[1], [2]], "d": ["x", "y"]})
    assert convert_texts(table, set(), NumberFormat())[0] is table
    assert convert_texts(table, set(), None)[0] is table


def test_all_columns_are_refused_at_once(tmp_path: Path) -> None:
    rows = [f"{row},{row}" for row in range(90)] + ["x,y"] * 2
    (tmp_path / "t.csv").write_text("\n".join(["a,b", *rows]) + "\n")
    assert len(load_error(file_dataset(tmp_path / "t.csv", target="b")).splitlines()) == 2
