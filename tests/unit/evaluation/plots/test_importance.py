"""Permutation importance and its plot."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.inspection import permutation_importance as reference
from sklearn.linear_model import LinearRegression, LogisticRegression

from mlrunner.evaluation import plots
from mlrunner.evaluation.plots import Importance, importance
from tests.support.plots import make_importance, read_texts
from tests.support.samples import pipeline, table


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_permutation_importance_agrees_with_sklearn(task: Any) -> None:
    features, target = table()
    y_true = target if task == "regression" else (target > 0).map({True: "yes", False: "no"})
    fitted = pipeline(LinearRegression() if task == "regression" else LogisticRegression()).fit(features, y_true)
    result = plots.compute_permutation_importance(fitted, features, y_true, task, seed=0, rows=300, repeats=30)
    expected = reference(fitted, features, y_true, n_repeats=30, random_state=0)
    assert result.columns == ["strong", "town", "none"]
    assert result.mean == pytest.approx(expected.importances_mean, abs=0.02, rel=0.05)
    assert result.std == pytest.approx(expected.importances_std, abs=0.03)


def test_the_seed_decides_the_importance() -> None:
    features, target = table()
    before, fitted = features.copy(), pipeline(LinearRegression()).fit(features, target)
    first, again, other = (
        plots.compute_permutation_importance(fitted, features, target, "regression", seed, rows=100)
        for seed in (0, 0, 1)
    )
    assert first.mean.tolist() == again.mean.tolist()
    assert first.mean.tolist() != other.mean.tolist()
    pd.testing.assert_frame_equal(features, before)


def test_one_column_of_each_copy_is_permuted() -> None:
    sample = table(20)[0].assign(town=lambda t: t["town"].astype("category"))
    (stacked,) = importance._permute_columns(sample, 2, 3, np.random.default_rng(0))
    assert stacked.dtypes.tolist() == sample.dtypes.tolist()
    for k, name in enumerate(sample.columns):
        for part in np.split(np.arange(len(stacked)), 6)[2 * k : 2 * k + 2]:
            block = stacked.iloc[part].reset_index(drop=True)
            assert sorted(block[name]) == sorted(sample[name])
            assert block[name].tolist() != sample[name].tolist()
            pd.testing.assert_frame_equal(block.drop(columns=name), sample.drop(columns=name))


def test_a_wide_table_is_predicted_in_several_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    features, target = table(60)
    fitted = pipeline(LinearRegression()).fit(features, target)
    whole = plots.compute_permutation_importance(fitted, features, target, "regression", 0)
    monkeypatch.setattr(importance, "MAX_CELLS", 3 * 3 * 60)
    pieces = plots.compute_permutation_importance(fitted, features, target, "regression", 0)
    assert pieces.mean == pytest.approx(whole.mean)


def test_the_importance_of_a_constant_target_is_nan() -> None:
    features, target = table(30)
    fitted = pipeline(LinearRegression()).fit(features, target)
    result = plots.compute_permutation_importance(fitted, features, target * 0, "regression", 0)
    assert np.isnan(result.mean).all()


def test_the_plot_shows_the_most_important_columns_first() -> None:
    figure = plots.plot_feature_importance(make_importance(30))
    assert figure is not None
    labels = [text.get_text() for text in figure.axes[0].texts]
    assert labels[:2] == ["column 29", "column 28"]
    assert len(labels) == len(figure.axes[0].patches) == importance.MAX_BARS
    assert "Feature importance: top 20 of 30" in read_texts(figure)
    assert figure.axes[0].get_xlabel() == "drop in r2 when shuffled (mean ± std of 3)"
    lower, upper = figure.axes[0].get_ylim()
    assert lower > upper


def test_long_column_names_stay_distinct() -> None:
    names = [
        "price",
        *(f"days_from_order_{what}_to_customer_date" for what in ("delivered_carrier", "delivered_limit")),
    ]
    figure = plots.plot_feature_importance(Importance(names, np.ones(3), np.zeros(3), "r2", 3))
    assert figure is not None
    assert [text.get_text() for text in figure.axes[0].texts] == names
