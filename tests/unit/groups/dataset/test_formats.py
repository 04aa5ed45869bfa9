"""Formats and compressions of files."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.support.datasets import PLAIN, TABLE, file_dataset, to_parquet, to_zip, to_zst


@pytest.mark.parametrize(
    ("file", "pack"),
    [
        ("t.csv", lambda data, _: data),
        ("t.CSV", lambda data, _: data),
        ("t.txt", lambda data, _: data),
        ("t.csv.gz", lambda data, _: gzip.compress(data)),
        ("t.csv.bz2", lambda data, _: bz2.compress(data)),
        ("t.csv.xz", lambda data, _: lzma.compress(data)),
        ("t.csv.zip", to_zip),
        ("t.csv.zst", lambda data, _: to_zst(data)),
        ("t.tsv", lambda data, _: data.replace(b",", b"\t")),
        ("t.tsv.gz", lambda data, _: gzip.compress(data.replace(b",", b"\t"))),
        ("t.parquet", lambda _, __: to_parquet(TABLE)),
        ("t.pq", lambda _, __: to_parquet(TABLE)),
        ("t.parquet.zst", lambda _, __: to_zst(to_parquet(TABLE))),
        ("t [1].csv", lambda data, _: data),
    ],
)
def test_every_kind_of_file_gives_the_same_table(
    file: str, pack: Callable[[bytes, Path], bytes], tmp_path: Path
) -> None:
    (tmp_path / file).write_bytes(pack(PLAIN, tmp_path))
    pd.testing.assert_frame_equal(file_dataset(tmp_path / file).load(), TABLE)


def test_the_format_wins_over_the_suffix(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(to_parquet(TABLE))
    pd.testing.assert_frame_equal(file_dataset(tmp_path / "t.csv", format="parquet").load(), TABLE)
