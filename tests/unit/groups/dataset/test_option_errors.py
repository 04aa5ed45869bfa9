"""Options that make a reader of pandas fail are named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlrunner.core.errors import ConfigError, DataError
from mlrunner.groups.dataset.files import Source, read_files

STARTS = {
    "engine": ({"x": 1}, 'dataset.options.engine={"x": 1} is not possible: unhashable type'),
    "skiprows": ("abc", "dataset.options.skiprows=abc is not possible: "),
    "usecols": (["a", "nope"], 'dataset.options.usecols=["a", "nope"] is not possible: '),
    "chunksize": (10, "dataset.options.chunksize reads a table in parts"),
}


@pytest.fixture
def csv(tmp_path: Path) -> str:
    pd.DataFrame({"a": [1, 2], "y": [3, 4]}).to_csv(tmp_path / "t.csv", index=False)
    return str(tmp_path / "t.csv")


@pytest.mark.parametrize("name", STARTS)
def test_the_option_that_fails_is_named_and_the_others_are_not(csv: str, name: str) -> None:
    value, start = STARTS[name]
    with pytest.raises(ConfigError) as caught:
        read_files(Source(csv, "csv", {"encoding": "utf-8", name: value}))
    assert str(caught.value).startswith(start)


def test_an_option_of_parquet_is_named(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1, 2]}).to_parquet(tmp_path / "t.parquet")
    options: dict[str, Any] = {"columns": ["a"], "engine": "nope"}
    with pytest.raises(ConfigError, match=r"^dataset.options.engine=nope is not possible: "):
        read_files(Source(str(tmp_path / "t.parquet"), "parquet", options))


def test_a_wrong_file_is_not_blamed_on_an_option(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"")
    with pytest.raises(DataError, match="is empty"):
        read_files(Source(str(tmp_path / "t.csv"), "csv", {"encoding": "utf-8"}))
