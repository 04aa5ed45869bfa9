"""Predictions of forests, to the last digit."""

from __future__ import annotations

import multiprocessing
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlrunner.core.forests import predict_pipeline, predict_reproducibly
from mlrunner.groups.model.label_encoding import LabelEncodingClassifier
from mlrunner.groups.model.threshold import ThresholdClassifier


def table(rows: int) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(0)
    features = pd.DataFrame(rng.normal(size=(rows, 4)), columns=list("abcd"))
    return features, features["a"] * 2 + rng.normal(size=rows)


def test_a_forest_with_threads_predicts_the_same_digits_as_without() -> None:
    features, target = table(300)
    fitted = RandomForestRegressor(30, random_state=0, n_jobs=2).fit(features, target)
    threaded = predict_reproducibly(fitted, "predict", features)
    assert fitted.n_jobs == 2
    fitted.n_jobs = 1  # one thread adds up the trees in their order
    assert threaded.tolist() == fitted.predict(features).tolist()


def test_a_forest_in_the_worker_of_a_search_predicts_without_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker is a daemon, in which joblib warns about processes of its own; warnings are errors in tests."""
    features, target = table(50)
    fitted = RandomForestRegressor(3, random_state=0, n_jobs=2).fit(features, target)
    monkeypatch.setitem(vars(multiprocessing.current_process())["_config"], "daemon", True)
    assert len(predict_reproducibly(fitted, "predict", features)) == 50


@pytest.mark.parametrize("wrap", [ThresholdClassifier, LabelEncodingClassifier, TransformedTargetRegressor])
def test_a_wrapped_forest_predicts_the_same_digits_in_pieces(wrap: Any) -> None:
    features, target = table(200)
    is_class = wrap is not TransformedTargetRegressor
    forest = (RandomForestClassifier if is_class else RandomForestRegressor)(30, random_state=0, n_jobs=2)
    wrapped = wrap(forest, 0.4) if wrap is ThresholdClassifier else wrap(forest)
    fitted = wrapped.fit(features, target > 0 if is_class else target)
    method = "predict_proba" if is_class else "predict"
    threaded = predict_reproducibly(fitted, method, features)
    pieces = [predict_reproducibly(fitted, method, features.iloc[at : at + 40]) for at in range(0, 200, 40)]
    assert np.concatenate(pieces).tolist() == threaded.tolist()
    inner = fitted.estimator_ if is_class else fitted.regressor_
    assert inner.n_jobs == 2
    inner.n_jobs = 1  # one thread adds up the trees in their order
    assert getattr(fitted, method)(features).tolist() == threaded.tolist()


def test_a_pipeline_predicts_the_same_digits_in_pieces_of_any_size() -> None:
    features, target = table(300)
    forest = RandomForestRegressor(30, random_state=0, n_jobs=2)
    pipeline = make_pipeline(StandardScaler(), forest).fit(features, target)
    whole = predict_pipeline(pipeline, features)
    for size in (25, 150):
        pieces = [predict_pipeline(pipeline, features.iloc[at : at + size]) for at in range(0, 300, size)]
        assert np.concatenate(pieces).tolist() == whole.tolist()
    assert predict_pipeline(pipeline, features.head(1)).tolist() == whole[:1].tolist()
