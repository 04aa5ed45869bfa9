"""Tables in chunks: equal to the whole table, for every source and size of chunk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlrunner.core.errors import ConfigError, DataError
from mlrunner.groups.dataset import BundledDataset, Dataset, SqlDataset
from mlrunner.groups.dataset.streaming import read_chunks
from tests.support.datasets import parquet, table_at

ROWS = 7
WHOLE = pd.DataFrame({"a": range(ROWS), "b": [f"t{row}" for row in range(ROWS)], "y": np.arange(ROWS) / 4})


def csv_source(folder: Path, database: str) -> Dataset:
    del database
    (folder / "1.csv").write_text(WHOLE.head(3).to_csv(index=False))
    (folder / "2.csv").write_text(WHOLE.tail(4).to_csv(index=False))
    return table_at(folder / "*.csv")


def parquet_source(folder: Path, database: str) -> Dataset:
    del database
    (folder / "t.parquet").write_bytes(parquet(WHOLE))
    return table_at(folder / "t.parquet")


def sql_source(folder: Path, database: str) -> Dataset:
    del folder
    return SqlDataset(name="s", url=database, query="select id, price, paid from orders order by id")


def bundled_source(folder: Path, database: str) -> Dataset:
    del folder, database
    return BundledDataset(name="wine", target="target", loader="sklearn.datasets.load_wine", rows=10)


SOURCES = [csv_source, parquet_source, sql_source, bundled_source]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("rows", [1, 4, 1000])
def test_chunks_make_up_the_table(
    source: Callable[[Path, str], Dataset], rows: int, tmp_path: Path, database: str
) -> None:
    dataset = source(tmp_path, database)
    chunks = list(read_chunks(dataset, rows))
    assert all(len(chunk) <= rows for chunk in chunks)
    whole = dataset.load() if dataset.target else type(dataset)(**{**vars(dataset), "target": "id"}).load()
    joined = pd.concat([chunk.astype(object) for chunk in chunks], ignore_index=True)
    pd.testing.assert_frame_equal(joined, whole.astype(object))


def test_empty_table_is_one_chunk_with_columns(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,y\n")
    (chunk,) = read_chunks(table_at(tmp_path / "t.csv"), 4)
    assert (list(chunk), len(chunk)) == (["a", "y"], 0)


def test_text_columns_stay_text_in_every_chunk(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("k,y\n01,1\nx,2\n")
    assert [chunk["k"].tolist() for chunk in read_chunks(table_at(tmp_path / "t.csv"), 1, ["k"])] == [["01"], ["x"]]


def test_what_needs_the_whole_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,y\n1,2\n")
    with pytest.raises(ConfigError, match=r"^dataset\.options\.engine=pyarrow reads whole files only; "):
        list(read_chunks(table_at(tmp_path / "t.csv", options={"engine": "pyarrow"}), 4))
    (tmp_path / "t.parquet").write_bytes(b"a,y\n1,2\n")
    with pytest.raises(DataError, match="is not Parquet but text, perhaps CSV"):
        list(read_chunks(table_at(tmp_path / "t.parquet"), 4))
