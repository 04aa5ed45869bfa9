"""Builders of data sets, of the files that they read, and of tables."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from omegaconf import OmegaConf

from mlrunner.core.errors import MlrunnerError
from mlrunner.groups import dataset as datasets
from mlrunner.groups.dataset import Dataset, TableDataset
from tests.support.front_door import PROJECT

PLAIN = b"a,b,y\n1,x,0.5\n2,z,1.5\n"
TABLE = pd.DataFrame({"a": [1, 2], "b": ["x", "z"], "y": [0.5, 1.5]})


def build_option(name: str, **changes: Any) -> Dataset:
    """Build an option as the runner does, without Hydra."""
    raw = OmegaConf.load(PROJECT / "conf" / "dataset" / f"{name}.yaml")
    root = OmegaConf.create({"resources": str(PROJECT), "seed": 0, "dataset": raw})
    group: Any = OmegaConf.to_container(root.dataset, resolve=True)
    cls = getattr(datasets, group.pop("_target_").rpartition(".")[2])
    built: Dataset = cls(**{**group, **changes})
    return built


def file_dataset(path: Path | str, **settings: Any) -> TableDataset:
    return TableDataset(name="t", **{"target": "y", "path": str(path), **settings})


def to_parquet(table: pd.DataFrame, **settings: Any) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pandas(table, **settings), sink)
    return bytes(sink.getvalue())


def to_zst(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


def to_zip(data: bytes, tmp_path: Path) -> bytes:
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr("t.csv", data)
    return (tmp_path / "packed.zip").read_bytes()


def load_error(built: Dataset) -> str:
    with pytest.raises(MlrunnerError) as caught:
        built.load()
    return str(caught.value)
