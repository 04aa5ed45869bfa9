"""Options of CSV and Parquet, and the message for each bad file."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import fsspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlrunner.groups.dataset import parsing
from tests.support.datasets import PLAIN, TABLE, file_dataset, load_error, to_parquet


@pytest.mark.parametrize(
    ("data", "options"),
    [
        pytest.param(PLAIN.replace(b",", b";"), {"sep": ";"}, id="separator"),
        pytest.param(PLAIN.replace(b",", b"\t"), {"sep": "\\t"}, id="tab as typed in a shell"),
        pytest.param(PLAIN.replace(b",", b"::"), {"sep": "::"}, id="long separator"),
        pytest.param(PLAIN.decode().encode("utf-16"), {"encoding": "utf-16"}, id="utf-16"),
        pytest.param(b"\xef\xbb\xbf" + PLAIN, {}, id="byte order mark"),
        pytest.param(b"made by hand\n" + PLAIN, {"skiprows": 1}, id="skipped rows"),
        pytest.param(PLAIN.partition(b"\n")[2], {"names": ["a", "b", "y"]}, id="names given"),
        pytest.param(PLAIN.replace(b"\n", b"\r\n"), {}, id="line ends of Windows"),
        pytest.param(b",a,b,y\n0,1,x,0.5\n1,2,z,1.5\n", {"index_col": 0}, id="stored index"),
        pytest.param(PLAIN.replace(b"\n1,x,0.5\n2,z,1.5\n", b"\n1,x,0.5,\n2,z,1.5,\n"), {}, id="comma at the end"),
        pytest.param(PLAIN, {"engine": "pyarrow"}, id="engine of Arrow"),
        pytest.param(PLAIN, {"engine": "python"}, id="engine of Python"),
        pytest.param(PLAIN.replace(b".", b"!").replace(b",", b";"), {"sep": ";", "decimal": "!"}, id="decimal mark"),
    ],
)
def test_options_reach_pandas(data: bytes, options: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(data)
    pd.testing.assert_frame_equal(file_dataset(tmp_path / "t.csv", options=options).load(), TABLE)


def test_an_index_that_parquet_kept_becomes_a_column_when_it_has_a_name() -> None:
    with fsspec.open("memory://index/named.parquet", "wb") as file:
        file.write(to_parquet(TABLE.set_index("a")))
    with fsspec.open("memory://index/bare.parquet", "wb") as file:
        file.write(to_parquet(TABLE.set_axis([7, 9])))
    pd.testing.assert_frame_equal(file_dataset("memory://index/named.parquet").load(), TABLE)
    pd.testing.assert_frame_equal(file_dataset("memory://index/bare.parquet").load(), TABLE)


EMPTY, TYPE = "name a file that has a header and rows.", "name another file or set dataset.format."
SEPARATOR = "correct it or set dataset.options.sep."
LATIN = "set the right encoding, for example dataset.options.encoding=latin-1."
CUT = "cannot be read (Compressed file ended before the end-of-stream marker was reached); correct the file."
ROW_NAMES = "or set dataset.options.index_col=0 if each begins with the row's name, as R writes them."
ROWS_TOO_LONG = f"is not CSV: its rows have more fields than its header; {SEPARATOR.rstrip('.')}, {ROW_NAMES}"
OPEN_QUOTE = f"is not CSV: a quotation mark is never closed; {SEPARATOR}"
AT_BLANKS = "set \"dataset.options.sep='\\s\\s+'\""
ONE_COLUMN, DUPLICATES = "has one column only, but", "has duplicate column names:"
FILES: list[tuple[str, bytes, str]] = [
    ("t.csv", b"", f"is empty (0 bytes); {EMPTY}"),
    ("t.csv.gz", b"", f"is empty (0 bytes); {EMPTY}"),
    ("t.parquet", b"", f"is empty (0 bytes); {EMPTY}"),
    ("t.csv", b"\n\n\n", f"is empty (blank lines only); {EMPTY}"),
    ("t.csv", b"a,b\x00\x01\x02", f"is not CSV but binary data; {TYPE}"),
    ("t.csv", to_parquet(TABLE), f"is not CSV but Parquet; {TYPE}"),
    ("t.csv", b"\n<!DOCTYPE html><p>no", f"is not CSV but a web page; {TYPE}"),
    ("t.csv", gzip.compress(PLAIN, mtime=0), f"is not CSV but gzip; {TYPE}"),
    ("t.csv", b"PK\x03\x04rest", f"is not CSV but a zip archive or a workbook; {TYPE}"),
    ("t.csv", b'a,y\n1,2\n"1,2\n', OPEN_QUOTE),
    ("t.csv", b'a,y\n"1,2\n', OPEN_QUOTE),
    ("t.csv", b"a,b,y\n1,2,3\n1,2,3,4\n", f"is not CSV: line 3 has 4 fields where 3 are expected; {SEPARATOR}"),
    ("t.csv", b"a,y\n1,2,3\n4,5,6\n", ROWS_TOO_LONG),
    ("t.csv", PLAIN.replace(b",", b";"), f"{ONE_COLUMN} 3 when split at ';'; set \"dataset.options.sep=';'\"."),
    ("t.csv", b"a;y\n1,5;2,5\n", f"{ONE_COLUMN} 2 when split at ';'; set \"dataset.options.sep=';'\"."),
    ("t.csv", PLAIN.replace(b",", b"\t"), f"{ONE_COLUMN} 3 when split at '\\t'; set \"dataset.options.sep='\\t'\"."),
    ("t.csv", b"   a    kind  y\n  1.0  no pay  2\n", f"{ONE_COLUMN} 3 when split at blanks; {AT_BLANKS}."),
    ("t.csv", PLAIN.replace(b",", b"|"), f"{ONE_COLUMN} 3 when split at '|'; set \"dataset.options.sep='|'\"."),
    ("t.csv", "a,y\ncafé,1\n".encode("latin-1"), f"is not utf-8 text (byte 0xe9); {LATIN}"),
    ("t.csv", "a,y\n1,2\n".encode("utf-16"), "is not utf-8 text but UTF-16; set dataset.options.encoding=utf-16."),
    ("t.csv", b"a,b,a,y,y,y\n1,2,3,4,5,6\n", f"{DUPLICATES} a (2 times), y (3 times); rename them in the file."),
    ("t.parquet", PLAIN, f"is not Parquet but text, perhaps CSV; {TYPE}"),
    ("t.csv.gz", gzip.compress(PLAIN * 99, mtime=0)[:40], CUT),
    ("t.csv.gz", PLAIN, "cannot be read (Not a gzipped file (b'a,')); correct the file."),
]


OTHER = {
    "no format": (
        "t.xlsx", b"PK", {}, "dataset.path names '{path}', whose suffix is not that of a known format; set "
        "dataset.format to csv or parquet.",
    ),
    "unknown option": (
        "t.csv", PLAIN, {"options": {"encodin": "utf-8"}},
        "dataset.options.encodin is not an option of pandas.read_csv. Did you mean 'encoding'?",
    ),
    "unknown encoding": (
        "t.csv", PLAIN, {"options": {"encoding": "utf9"}},
        "dataset.options.encoding is not an encoding of Python (unknown encoding: utf9); try utf-8, latin-1 or utf-16.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("file", "data", "expected"), FILES)
def test_a_bad_file_is_explained(file: str, data: bytes, expected: str, tmp_path: Path) -> None:
    (tmp_path / file).write_bytes(data)
    assert load_error(file_dataset(tmp_path / file)) == f"dataset.path names '{tmp_path / file}', which {expected}"


@pytest.mark.parametrize("case", OTHER)
def test_a_bad_setting_is_explained(case: str, tmp_path: Path) -> None:
    file, data, settings, expected = OTHER[case]
    (tmp_path / file).write_bytes(data)
    assert load_error(file_dataset(tmp_path / file, **settings)) == expected.format(path=tmp_path / file)


def test_duplicate_names_in_parquet_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), tmp_path / "t.parquet")
    assert load_error(file_dataset(tmp_path / "t.parquet")) == (
        f"dataset.path names '{tmp_path / 't.parquet'}', which has duplicate column names: a (2 times); "
        "rename them in the file."
    )


def test_a_thousand_duplicates_make_a_short_message(tmp_path: Path) -> None:
    names = [f"column_{n}" for n in range(1000)]
    (tmp_path / "t.csv").write_text(",".join(names * 2) + "\n" + ",".join(["1"] * 2000))
    assert "column_7 (2 times) and 992 more; " in load_error(file_dataset(tmp_path / "t.csv"))


def test_dates_with_the_sign_between_thousands_stay_text() -> None:
    data = b"lot;sold;paid;due\n1.182,90;06.01.2020;1.00.000;2020.1.6 10:00\n1.771,68;11.01.2020;10.00.000;\n"
    options = {"sep": ";", "decimal": ",", "thousands": "."}
    table = parsing.read_csv("x", data, parsing.CsvReading(options))
    assert table["lot"].tolist() == [1182.9, 1771.68]
    assert table["sold"].tolist() == ["06.01.2020", "11.01.2020"]
    assert table["paid"].tolist() == [100000, 1000000]  # groups of two, as in India
    assert table["due"].iloc[0] == "2020.1.6 10:00"
