"""Data frames as files that are named after their content."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from mlrunner.api.frames import store_frame, write_overrides
from mlrunner.core.errors import ConfigError

FRAME = pd.DataFrame(
    {
        "n": [1, 2, 3],
        "text": ["a", None, "c"],
        "day": pd.to_datetime(["2020-01-01", "2020-01-02", None]),
        "kind": pd.Categorical(["x", "y", "x"]),
        7: [True, False, True],
    },
    index=[5, 6, 7],
)


class Stream:
    """A data frame of another library, which has Arrow's protocol alone."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Export the table."""
        return self._table.__arrow_c_stream__(requested_schema)


class Interchange:
    """A data frame of another library, which has the interchange protocol alone."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __dataframe__(self, **settings: Any) -> Any:
        """Export the table."""
        return self._table.__dataframe__(**settings)


def test_a_frame_comes_back_without_its_index(tmp_path: Path) -> None:
    read = pd.read_parquet(store_frame(FRAME, tmp_path))
    pd.testing.assert_frame_equal(read, FRAME.rename(columns=str).reset_index(drop=True))


def test_equal_frames_are_one_file(tmp_path: Path) -> None:
    first = store_frame(FRAME, tmp_path)
    assert store_frame(FRAME.copy().reset_index(drop=True), tmp_path) == first
    assert store_frame(FRAME.assign(n=[1, 2, 4]), tmp_path) != first
    assert sorted(file.suffix for file in first.parent.iterdir()) == [".parquet", ".parquet"]


@pytest.mark.parametrize("wrap", [Stream, Interchange])
def test_frames_of_other_libraries_are_stored(wrap: Any, tmp_path: Path) -> None:
    table = pa.table({"a": [1, 2], "b": ["x", "y"]})
    assert pd.read_parquet(store_frame(wrap(table), tmp_path)).to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}


@pytest.mark.parametrize(
    ("data", "start"),
    [
        ([1, 2], "data is a list, which is no data frame"),
        (pd.DataFrame({"a": [1, "x", {}]}), "data cannot be stored as Parquet"),
    ],
)
def test_what_cannot_be_stored_is_refused(data: Any, start: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        store_frame(data, tmp_path)
    assert str(raised.value).startswith(start)


def test_other_data_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^data is a dict, which is no data frame; give one of pandas or polars, "):
        store_frame({"n": [1]}, tmp_path)


def test_overrides_name_the_file_and_the_target(tmp_path: Path) -> None:
    assert write_overrides(None, None, tmp_path) == []
    assert write_overrides(None, "price ($)", tmp_path) == ["dataset.target='price ($)'"]
    overrides = write_overrides(FRAME, "n", tmp_path)
    assert overrides[0] == "dataset=parquet"
    assert overrides[1].startswith(f"dataset.path={tmp_path}/.mlrunner/frames/")
    assert overrides[2:] == ["dataset.name=frame", "dataset.target=n"]
