"""One reading a process, and the few rows of a blueprint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlrunner.groups.dataset import loading
from mlrunner.groups.dataset.loading import BLUEPRINT_ROWS, sample_rows

REGRESSION = {"task": "regression", "target": "y"}
CLASSES = {"task": "classification", "target": "y"}


def numbered(rows: int) -> pd.DataFrame:
    return pd.DataFrame({"row": np.arange(rows), "y": np.arange(rows) / 2})


def classes(**counts: int) -> pd.DataFrame:
    """Build rows of each class, class by class."""
    labels = [label for label, count in counts.items() for _ in range(count)]
    return pd.DataFrame({"row": np.arange(len(labels)), "y": labels})


@pytest.mark.parametrize(
    ("rows", "count", "step"),
    [(5, 5, 1), (96, 96, 1), (97, 96, 1), (191, 96, 1), (192, 96, 2), (960, 96, 10), (1000, 96, 10)],
)
def test_a_regression_keeps_rows_from_the_whole_table(rows: int, count: int, step: int) -> None:
    result = sample_rows(numbered(rows), REGRESSION)
    assert result["row"].tolist() == [place * step for place in range(count)]
    assert result.index.equals(pd.RangeIndex(count))


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"a": 500, "b": 500}, {"a": 48, "b": 48}),
        ({"a": 990, "b": 10}, {"a": 48, "b": 10}),
        ({"a": 500, "b": 500, "c": 500, "d": 500, "e": 500}, {"a": 20, "b": 20, "c": 20, "d": 20, "e": 20}),
        ({"a": 3, "b": 2}, {"a": 3, "b": 2}),
        ({"a": 500}, {"a": 96}),
    ],
    ids=["two", "rare", "five", "small", "one"],
)
def test_a_classification_keeps_as_many_of_each_class(counts: dict[str, int], expected: dict[str, int]) -> None:
    assert sample_rows(classes(**counts), CLASSES)["y"].value_counts(sort=False).to_dict() == expected


def test_a_class_for_each_row_keeps_one_of_each() -> None:
    table = pd.DataFrame({"y": [f"c{number}" for number in range(200)]})
    assert sample_rows(table, CLASSES)["y"].tolist() == table["y"].tolist()


def test_the_rows_of_a_classification_keep_their_order() -> None:
    table = pd.DataFrame({"y": ["a", "b"] * 100, "row": range(200)})
    assert sample_rows(table, CLASSES)["row"].tolist() == list(range(96))


@pytest.mark.parametrize("gap", [None, np.nan], ids=["none", "nan"])
def test_rows_without_a_class_are_no_class(gap: Any) -> None:
    table = pd.DataFrame({"y": pd.Series([gap, "a", "b"] * 100, dtype=object), "row": range(300)})
    result = sample_rows(table, CLASSES)
    assert result["y"].value_counts().to_dict() == {"a": 48, "b": 48}
    assert result["row"].tolist()[:4] == [1, 2, 4, 5]


def test_categories_without_rows_take_no_share() -> None:
    labels = pd.Categorical(["a", "b"] * 100, categories=["a", "b", "never", "nowhere"])
    assert len(sample_rows(pd.DataFrame({"y": labels}), CLASSES)) == BLUEPRINT_ROWS


def test_the_table_itself_stays_whole() -> None:
    table = numbered(500)
    sample_rows(table, REGRESSION)
    sample_rows(table, CLASSES)
    pd.testing.assert_frame_equal(table, numbered(500))


def group(path: Path, **more: Any) -> dict[str, Any]:
    return {"_target_": "mlrunner.groups.dataset.TableDataset", "name": "t", "path": str(path), "target": "y", **more}


def test_the_same_content_is_read_once(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("a,y\n1,2\n")
    first = loading.read(group(file), "digest-1")
    file.write_text("a,y\n3,4\n")
    assert loading.read(group(file), "digest-1") is first
    assert loading.read(group(file), "digest-2")["a"].tolist() == [3]
    assert first["a"].tolist() == [1]


def test_other_settings_read_again(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("a,y\n1,2\n3,4\n")
    assert len(loading.read(group(file), "same")) == 2
    assert len(loading.read(group(file, rows=1), "same")) == 1
