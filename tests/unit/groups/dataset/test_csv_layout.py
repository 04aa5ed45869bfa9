"""What spreadsheets, pandas and R add to a CSV file; values of every other option are in test_parsing.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlrunner.core.errors import DataError
from mlrunner.groups.dataset import TableDataset
from mlrunner.groups.dataset.csv_layout import apply_separator_line, has_blanks
from mlrunner.groups.dataset.streaming import read_chunks

TABLE = pd.DataFrame({"a": [1, 2], "b": ["x", "z"], "y": [0.5, 1.5]})


@pytest.mark.parametrize(
    ("text", "options"),
    [
        pytest.param("a,b,y\n1,x,0.5,\n2,z,1.5,\n", {}, id="separator at the end of rows"),
        pytest.param("a,b,y\n1,x,0.5,\n2,z,1.5,\n", {"index_col": False}, id="separator at the end, option typed"),
        pytest.param("a,b,y,\n1,x,0.5,\n2,z,1.5,\n", {}, id="separator at the end of every line"),
        pytest.param(",a,b,y\n0,1,x,0.5\n1,2,z,1.5\n", {}, id="row numbers of pandas"),
        pytest.param('"",a,b,y\n1,1,x,0.5\n2,2,z,1.5\n', {}, id="row numbers of R"),
        pytest.param("a, b, y\n1, x, 0.5\n2, z, 1.5\n", {}, id="blanks after commas"),
        pytest.param("sep=;\na;b;y\n1;x;0.5\n2;z;1.5\n", {}, id="separator line"),
        pytest.param('"sep=;"\r\na;b;y\r\n1;x;0.5\r\n2;z;1.5\r\n', {"sep": ";"}, id="separator line, option typed"),
        pytest.param("sep=;\na;b;y\n1;x;0.5\n2;z;1.5\n", {"sep": ";", "skiprows": 1}, id="separator line skipped"),
    ],
)
def test_what_holds_no_data_is_left_out(text: str, options: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(text)
    source = TableDataset(name="t", path=str(tmp_path / "t.csv"), target="y", options=options)
    pd.testing.assert_frame_equal(source.load(), TABLE)
    chunk = next(read_chunks(source, 10))
    pd.testing.assert_frame_equal(chunk[list(TABLE)], TABLE)


@pytest.mark.parametrize("text", ["a,y\n1,2,3\n2,3,\n", "a,y\n1,2,\n2,3,4\n"], ids=["first row", "second row"])
def test_a_value_after_the_last_separator_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(text)
    source = TableDataset(name="t", path=str(tmp_path / "t.csv"), target="y")
    for read in (source.load, lambda: list(read_chunks(source, 10))):
        with pytest.raises(DataError, match="its rows have more fields than its header"):
            read()


def test_an_unnamed_column_of_data_is_kept(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(",y\n7,1\n3,2\n")
    table = TableDataset(name="t", path=str(tmp_path / "t.csv"), target="y").load()
    assert table["Unnamed: 0"].tolist() == [7, 3]


def test_options_of_the_user_come_before_the_separator_line() -> None:
    assert apply_separator_line(b"sep=;\na;b\n", {"skiprows": 2}) == {"skiprows": 2}
    assert apply_separator_line(b"sep,b\n1,2\n", {}) == {}


def test_blanks_must_follow_each_separator() -> None:
    assert has_blanks(["a", " b", " c"])
    assert not has_blanks(["a", " b", "c"])
    assert not has_blanks([" a"])
