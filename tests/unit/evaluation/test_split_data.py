"""Rows of each part of the split."""

from __future__ import annotations

import pandas as pd
import pytest

from mlrunner.core.column_roles import Roles
from mlrunner.evaluation.split_data import concatenate_training_rows, select_features
from tests.support.split_rows import ROLES, make_cleaned, split_rows


@pytest.mark.parametrize(
    ("roles", "columns"),
    [
        (ROLES, ["strong", "town", "none"]),
        (Roles("score"), ["strong", "town", "none", "group", "time"]),
        (Roles("score", group="group", time="absent"), ["strong", "town", "none", "time"]),
        (Roles("absent"), ["strong", "town", "none", "score", "group", "time"]),
    ],
    ids=["all roles", "target only", "time absent", "no target"],
)
def test_features_are_the_columns_without_a_role(roles: Roles, columns: list[str]) -> None:
    assert list(select_features(make_cleaned("regression"), roles).columns) == columns


@pytest.mark.parametrize(("part", "rows"), [("train", 60), ("validation", 30), ("test", 30)])
def test_a_part_has_features_and_target_with_the_same_index(part: str, rows: int) -> None:
    features, target = split_rows("regression").of(part)
    assert (len(features), target.name) == (rows, "score")
    assert features.index.equals(target.index)


@pytest.mark.parametrize(("folds", "part"), [(0, "validation"), (3, "cv")])
def test_the_objective_is_computed_on_validation_or_the_folds(folds: int, part: str) -> None:
    assert split_rows("regression", folds).objective_part == part


def test_a_sample_has_evenly_spaced_rows_and_no_test_rows() -> None:
    sample = split_rows("regression").sample(20)
    assert (len(sample.train), len(sample.validation), len(sample.test)) == (20, 20, 0)
    assert sample.train.index[:3].tolist() == [1_000, 1_003, 1_006]
    assert split_rows("regression", 3).sample(20).objective_part == "cv"


def test_validation_rows_follow_the_training_rows() -> None:
    data = split_rows("regression")
    rows = concatenate_training_rows(data.train, data.validation)
    pd.testing.assert_frame_equal(rows, pd.concat([data.train, data.validation]))
    assert concatenate_training_rows(data.train, data.validation[:0]) is data.train
