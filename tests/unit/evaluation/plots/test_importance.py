"""Permutation importance against scikit-learn's, and the tables that it predicts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.inspection import permutation_importance as reference
from sklearn.linear_model import LinearRegression, LogisticRegression

from mlrunner.evaluation import plots
from mlrunner.evaluation.plots import importance
from tests.support.samples import pipeline, table


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_permutation_importance_falls_in_line_with_sklearns(task: Any) -> None:
    features, target = table()
    known = target if task == "regression" else (target > 0).map({True: "yes", False: "no"})
    fitted = pipeline(LinearRegression() if task == "regression" else LogisticRegression()).fit(features, known)
    found = plots.compute_permutation_importance(fitted, features, known, task, seed=0, rows=300, repeats=30)
    expected = reference(fitted, features, known, n_repeats=30, random_state=0)
    assert found.columns == ["strong", "town", "none"]
    assert found.mean == pytest.approx(expected.importances_mean, abs=0.02, rel=0.05)
    assert found.std == pytest.approx(expected.importances_std, abs=0.03)


def test_importance_follows_the_seed() -> None:
    features, target = table()
    fitted = pipeline(LinearRegression()).fit(features, target)
    first, again, other = (
        plots.compute_permutation_importance(fitted, features, target, "regression", seed, rows=100)
        for seed in (0, 0, 1)
    )
    assert first.mean.tolist() == again.mean.tolist()
    assert first.mean.tolist() != other.mean.tolist()


def test_importance_leaves_the_table_as_it_was() -> None:
    features, target = table(40)
    before = features.copy()
    plots.compute_permutation_importance(
        pipeline(LinearRegression()).fit(features, target), features, target, "regression", 0
    )
    pd.testing.assert_frame_equal(features, before)


def test_shuffled_tables_differ_from_the_sample_in_one_column_and_keep_its_values_and_types() -> None:
    sample = table(20)[0].assign(town=lambda t: t["town"].astype("category"))
    (stacked,) = importance._shuffled(sample, 2, 3, np.random.default_rng(0))
    assert stacked.dtypes.tolist() == sample.dtypes.tolist()
    for k, name in enumerate(sample.columns):
        for part in np.split(np.arange(len(stacked)), 6)[2 * k : 2 * k + 2]:
            block = stacked.iloc[part].reset_index(drop=True)
            assert sorted(block[name]) == sorted(sample[name])
            assert block[name].tolist() != sample[name].tolist()
            pd.testing.assert_frame_equal(block.drop(columns=name), sample.drop(columns=name))


def test_a_wide_table_is_predicted_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    features, target = table(60)
    fitted = pipeline(LinearRegression()).fit(features, target)
    whole = plots.compute_permutation_importance(fitted, features, target, "regression", 0)
    monkeypatch.setattr(importance, "STACKED", 3 * 3 * 60)
    pieces = plots.compute_permutation_importance(fitted, features, target, "regression", 0)
    assert pieces.mean == pytest.approx(whole.mean)


def test_importance_of_a_constant_target_is_nan_and_nothing_warns() -> None:
    features, target = table(30)
    fitted = pipeline(LinearRegression()).fit(features, target)
    found = plots.compute_permutation_importance(fitted, features, target * 0, "regression", 0)
    assert np.isnan(found.mean).all()
