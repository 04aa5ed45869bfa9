"""Tables in chunks: equal to the whole table, for every source and size of chunk."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlrunner.core.errors import ConfigError, DataError
from mlrunner.groups.dataset import BundledDataset, Dataset, SqlDataset
from mlrunner.groups.dataset.streaming import read_chunks
from tests.support.datasets import file_dataset, to_parquet

ROWS = 7
WHOLE = pd.DataFrame({"a": range(ROWS), "b": [f"t{row}" for row in range(ROWS)], "y": np.arange(ROWS) / 4})


def csv_source(folder: Path, database: str) -> Dataset:
    del database
    (folder / "1.csv").write_text(WHOLE.head(3).to_csv(index=False))
    (folder / "2.csv").write_text(WHOLE.tail(4).to_csv(index=False))
    return file_dataset(folder / "*.csv")


def parquet_source(folder: Path, database: str) -> Dataset:
    del database
    (folder / "t.parquet").write_bytes(to_parquet(WHOLE))
    return file_dataset(folder / "t.parquet")


def sql_source(folder: Path, database: str) -> Dataset:
    del folder
    return SqlDataset(name="s", url=database, query="select id, price, paid from orders order by id")


def bundled_source(folder: Path, database: str) -> Dataset:
    del folder, database
    return BundledDataset(name="wine", target="target", loader="sklearn.datasets.load_wine", rows=10)


SOURCES = [csv_source, parquet_source, sql_source, bundled_source]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("rows", [1, 4])
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
    (chunk,) = read_chunks(file_dataset(tmp_path / "t.csv"), 4)
    assert (list(chunk), len(chunk)) == (["a", "y"], 0)


def test_text_columns_stay_text_in_every_chunk(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("k,y\n01,1\nx,2\n")
    assert [chunk["k"].tolist() for chunk in read_chunks(file_dataset(tmp_path / "t.csv"), 1, ["k"])] == [["01"], ["x"]]


def test_what_needs_the_whole_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,y\n1,2\n")
    with pytest.raises(ConfigError, match=r"^dataset\.options\.engine=pyarrow reads whole files only; "):
        list(read_chunks(file_dataset(tmp_path / "t.csv", options={"engine": "pyarrow"}), 4))
    (tmp_path / "t.parquet").write_bytes(b"a,y\n1,2\n")
    with pytest.raises(DataError, match="is not Parquet but text, perhaps CSV"):
        list(read_chunks(file_dataset(tmp_path / "t.parquet"), 4))


def test_rows_are_limited_over_chunks_and_files(tmp_path: Path, database: str) -> None:
    for source in SOURCES[:2]:
        dataset = source(tmp_path, database)
        limited = type(dataset)(**{**vars(dataset), "rows": 6})
        sizes = [len(chunk) for chunk in read_chunks(limited, 4)]
        assert (sum(sizes), max(sizes) <= 4) == (6, True)


def test_files_with_other_columns_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    (tmp_path / "b.csv").write_text("a,c\n1,2\n")
    with pytest.raises(DataError, match="lacks b and adds c"):
        list(read_chunks(file_dataset(tmp_path / "*.csv"), 2))


def test_memory_does_not_grow_with_the_table(tmp_path: Path) -> None:
    rows = pd.DataFrame({name: np.arange(20_000) * 1.5 for name in "abcdefgh"}).to_csv(index=False, header=False)
    with (tmp_path / "t.csv").open("w") as file:
        file.write("a,b,c,d,e,f,g,h\n")
        for _ in range(10):
            file.write(rows)
    tracemalloc.start()
    try:
        assert sum(len(chunk) for chunk in read_chunks(file_dataset(tmp_path / "t.csv"), 5_000)) == 200_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 200_000 * 8 * 8 / 2  # half of the whole table


def test_small_row_groups_of_parquet_are_merged(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pandas(WHOLE), tmp_path / "t.parquet", row_group_size=1)
    assert [len(chunk) for chunk in read_chunks(file_dataset(tmp_path / "t.parquet"), 4)] == [4, 3]


def test_whole_numbers_of_parquet_with_gaps_are_exact(tmp_path: Path) -> None:
    pq.write_table(pa.table({"n": pa.array([2**53 + 1, None], pa.int64())}), tmp_path / "t.parquet")
    (chunk,) = read_chunks(file_dataset(tmp_path / "t.parquet"), 4)
    assert chunk["n"].tolist()[0] == 2**53 + 1
