"""The steps from a raw table to the parts of the split, called without a pipeline."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from mlrunner.core.column_roles import Roles
from mlrunner.steps import rows
from mlrunner.steps.problem import Problem

TABLE = pd.DataFrame(
    {"id": range(50), "a": [value / 2 for value in range(50)], "y": [value % 7 for value in range(50)]}
)
PROBLEM = Problem(roles=Roles("y", ignore=("id",)), task="regression", label="data")
KEEP_ALL = {"_target_": "mlrunner.groups.cleaning.KeepAll"}
FOLDS = {"test": 0.2, "group": None, "seed": 0}
SHARES = {"train": None, "validation": 0.2, "test": 0.2, "group": None, "seed": 0}


def test_ingest_reads_the_table_and_a_blueprint_only_some_rows(tmp_path: Path) -> None:
    pd.concat([TABLE] * 60).to_csv(tmp_path / "t.csv", index=False)
    target = "mlrunner.groups.dataset.TableDataset"
    dataset = {"_target_": target, "name": "t", "path": str(tmp_path / "t.csv"), "target": "y", "task": "regression"}
    assert len(rows.ingest.entrypoint(dataset, "whole", "code", False)) == 3000
    assert 0 < len(rows.ingest.entrypoint(dataset, "few", "code", True)) < 3000


def test_clean_keeps_the_target_and_drops_ignored_columns() -> None:
    cleaned = rows.clean.entrypoint(TABLE, PROBLEM, KEEP_ALL, "code")
    pd.testing.assert_frame_equal(cleaned, TABLE[["a", "y"]], check_like=True)


@pytest.mark.parametrize(
    ("split", "sizes"),
    [
        ({"_target_": "mlrunner.groups.split.RandomDivide", **SHARES}, (30, 10, 10, 0)),
        ({"_target_": "mlrunner.groups.split.KFoldDivide", "folds": 4, **FOLDS}, (40, 0, 10, 40)),
    ],
    ids=["holdout", "folds"],
)
def test_divide_gives_each_row_to_one_part(split: dict[str, object], sizes: tuple[int, ...]) -> None:
    train, validation, test, folds = rows.divide.entrypoint(TABLE, split, "code")
    assert (len(train), len(validation), len(test), len(folds)) == sizes
    assert sorted(pd.concat([train, validation, test])["id"]) == list(range(50))
