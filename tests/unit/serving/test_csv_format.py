"""CSV of requests, read by the options of the training table; pandas reads the same lines beside it."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd
import pytest

from mlrunner.serving.columns import Kind, RawColumn
from mlrunner.serving.csv_format import MISSING_WORDS, CsvFormat, parse_options
from mlrunner.serving.requests import CSV_TYPES, read_columns
from mlrunner.serving.schema import Schema

KINDS: dict[str, Kind] = {"code": "text", "count": "number", "flag": "boolean"}
SCHEMA = Schema(tuple(RawColumn(name, kind, True) for name, kind in KINDS.items()))


@pytest.mark.parametrize("word", [*sorted(MISSING_WORDS), "na", "-", "missing", "NONE", " NA", "0"])
def test_a_word_is_missing_exactly_where_pandas_reads_it_so(word: str) -> None:
    pandas_reads = pd.read_csv(io.StringIO(f'a,b\n"{word}",1\n'), dtype=str)["a"].isna()[0]
    assert (word in parse_options({}).missing) == pandas_reads


ROWS: dict[str, tuple[dict[str, Any], str]] = {
    "default": ({}, "code,count,flag\n001,1.5,True\nNA,,\n"),
    "words": ({"na_values": ["?", -1]}, "code,count,flag\n?,-1,?\nNA,2,TRUE\n"),
    "words of a column": ({"na_values": {"count": ["-"]}}, "code,count,flag\n-,-,True\nb,1,False\n"),
    "no default words": ({"keep_default_na": False, "na_values": [""]}, "code,count,flag\nNA,1,True\n,,False\n"),
    "european": ({"sep": ";", "decimal": ",", "thousands": "."}, "code;count;flag\n1,5;1.234,5;True\na;2;False\n"),
    "blanks": ({"skipinitialspace": True}, "code, count, flag\na, 1, True\nb, 2, False\n"),
    "own truth": ({"true_values": ["yes"], "false_values": ["no"]}, "code,count,flag\na,1,yes\nb,2,no\n"),
}


@pytest.mark.parametrize(("options", "text"), ROWS.values(), ids=ROWS)
def test_a_request_is_read_as_pandas_reads_the_file(options: dict[str, Any], text: str) -> None:
    csv_format = parse_options(options)
    columns = read_columns(text.encode(), CSV_TYPES[0], SCHEMA.names, csv_format)
    arrays = SCHEMA.validate(columns, csv_format)
    table = pd.read_csv(io.StringIO(text), dtype={"code": "str"}, **options)
    for name in SCHEMA.names:
        assert plain(pd.Series(arrays[name])) == plain(table[name])


def plain(column: pd.Series) -> list[Any]:
    return [None if pd.isna(value) else value for value in column]


@pytest.mark.parametrize(
    ("text", "options"),
    [
        pytest.param("a,b\n1,2\n", {"sep": ";"}, id="commas for a model of semicolons"),
        pytest.param("a;b\n1;2\n", {"sep": ";"}, id="as trained"),
        pytest.param("sep=|\r\na|b\r\n1|2\r\n", {}, id="separator line"),
        pytest.param("a, b\n1, 2\n", {}, id="blanks after commas"),
    ],
)
def test_the_separator_is_that_of_the_header(text: str, options: dict[str, Any]) -> None:
    assert parse_options(options).read_rows(text, ["a", "b"]) == [["a", "b"], ["1", "2"]]


def test_without_options_only_an_empty_text_is_missing() -> None:
    assert CsvFormat().blank_missing("a", ["", "NA"]) == [None, "NA"]
