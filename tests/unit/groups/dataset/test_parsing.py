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


FILES = {
    "empty": ("t.csv", b"", {}, "is empty (0 bytes); name a file that has a header and rows."),
    "empty gz": ("t.csv.gz", b"", {}, "is empty (0 bytes); name a file that has a header and rows."),
    "empty Parquet": ("t.parquet", b"", {}, "is empty (0 bytes); name a file that has a header and rows."),
    "blank": ("t.csv", b"\n\n\n", {}, "is empty (blank lines only); name a file that has a header and rows."),
    "binary": (
        "t.csv", b"a,b\x00\x01\x02", {}, "is not CSV but binary data; name another file or set dataset.format.",
    ),
    "Parquet as CSV": (
        "t.csv", to_parquet(TABLE), {}, "is not CSV but Parquet; name another file or set dataset.format.",
    ),
    "web page": (
        "t.csv", b"\n<!DOCTYPE html><p>no", {}, "is not CSV but a web page; name another file or set dataset.format.",
    ),
    "gzip without its suffix": (
        "t.csv", gzip.compress(PLAIN), {}, "is not CSV but gzip; name another file or set dataset.format.",
    ),
    "workbook": (
        "t.csv", b"PK\x03\x04rest", {},
        "is not CSV but a zip archive or a workbook; name another file or set dataset.format.",
    ),
    "open quote further down": (
        "t.csv", b'a,y\n1,2\n"1,2\n', {},
        "is not CSV: a quotation mark is never closed; correct it or set ++dataset.options.sep.",
    ),
    "ragged": (
        "t.csv", b"a,b,y\n1,2,3\n1,2,3,4\n", {},
        "is not CSV: line 3 has 4 fields where 3 are expected; correct it or set ++dataset.options.sep.",
    ),
    "every row too long": (
        "t.csv", b"a,y\n1,2,3\n4,5,6\n", {},
        "is not CSV: its rows have more fields than its header; correct it or set ++dataset.options.sep.",
    ),
    "open quote": (
        "t.csv", b'a,y\n"1,2\n', {},
        "is not CSV: a quotation mark is never closed; correct it or set ++dataset.options.sep.",
    ),
    "semicolons": (
        "t.csv", PLAIN.replace(b",", b";"), {},
        "has one column only, but 3 when split at ';'; set \"++dataset.options.sep=';'\".",
    ),
    "semicolons and decimal commas": (
        "t.csv", b"a;y\n1,5;2,5\n", {},
        "has one column only, but 2 when split at ';'; set \"++dataset.options.sep=';'\".",
    ),
    "tabs": (
        "t.csv", PLAIN.replace(b",", b"\t"), {},
        "has one column only, but 3 when split at '\\t'; set \"++dataset.options.sep='\\t'\".",
    ),
    "bars": (
        "t.csv", PLAIN.replace(b",", b"|"), {},
        "has one column only, but 3 when split at '|'; set \"++dataset.options.sep='|'\".",
    ),
    "latin-1": (
        "t.csv", "a,y\ncafé,1\n".encode("latin-1"), {},
        "is not utf-8 text (byte 0xe9); set the right encoding, for example ++dataset.options.encoding=latin-1.",
    ),
    "utf-16": (
        "t.csv", "a,y\n1,2\n".encode("utf-16"), {},
        "is not utf-8 text but UTF-16; set ++dataset.options.encoding=utf-16.",
    ),
    "duplicate names": (
        "t.csv", b"a,b,a,y,y,y\n1,2,3,4,5,6\n", {},
        "has duplicate column names: a (2 times), y (3 times); rename them in the file.",
    ),
    "CSV as Parquet": (
        "t.parquet", PLAIN, {}, "is not Parquet but text, perhaps CSV; name another file or set dataset.format.",
    ),
    "torn gz": (
        "t.csv.gz", gzip.compress(PLAIN * 99)[:40], {},
        "cannot be read (Compressed file ended before the end-of-stream marker was reached); correct the file.",
    ),
    "not gz": ("t.csv.gz", PLAIN, {}, "cannot be read (Not a gzipped file (b'a,')); correct the file."),
}  # fmt: skip


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


@pytest.mark.parametrize("case", FILES)
def test_a_bad_file_is_explained(case: str, tmp_path: Path) -> None:
    file, data, settings, expected = FILES[case]
    (tmp_path / file).write_bytes(data)
    assert (
        load_error(file_dataset(tmp_path / file, **settings))
        == f"dataset.path names '{tmp_path / file}', which {expected}"
    )


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
