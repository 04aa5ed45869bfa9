"""What reading needs, of each source, and how `predict` adds it to a file of its own."""

from __future__ import annotations

from typing import Any

import pytest

from mlrunner.groups.dataset import Dataset, SqlDataset, TableDataset
from mlrunner.groups.dataset.reading import TYPED, apply_reading, describe_reading


def csv(**settings: Any) -> TableDataset:
    return TableDataset(**{"name": "t", "path": "t.csv", **settings})


@pytest.mark.parametrize(
    ("dataset", "reading"),
    [
        pytest.param(csv(), {}, id="csv"),
        pytest.param(csv(options={"decimal": ",", "nrows": 5}), {"decimal": ","}, id="options of values"),
        pytest.param(csv(path="t.tsv"), {"sep": "\t"}, id="tabs"),
        pytest.param(csv(path="t.parquet"), TYPED, id="parquet"),
        pytest.param(SqlDataset(name="t"), TYPED, id="sql"),
    ],
)
def test_describe_reading(dataset: Dataset, reading: dict[str, Any]) -> None:
    assert describe_reading(dataset) == reading


def test_options_of_the_file_come_before_those_of_the_model() -> None:
    source = apply_reading(csv(options={"decimal": "."}), {"decimal": ",", "keep_default_na": False})
    assert isinstance(source, TableDataset)
    assert source.options == {"decimal": ".", "keep_default_na": False}


def test_a_file_with_types_needs_no_reading() -> None:
    source = csv(path="t.parquet")
    assert apply_reading(source, {"decimal": ","}) is source
