"""Shared bins leave an XGBoost model equal to the bit; the method of XGBoost is replaced within a fit only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from xgboost import XGBClassifier, XGBRegressor
from xgboost.core import XGBoostError
from xgboost.sklearn import XGBModel

from mlrunner.evaluation.predictions import unwrap_estimator
from mlrunner.groups.model.label_encoding import LabelEncodingClassifier
from mlrunner.search.trial.running import TrialRunner
from mlrunner.search.trial.xgboost_private import METHOD, BinCache
from tests.support.trials import Data, family_settings, run_complete

ORIGINAL = getattr(XGBModel, METHOD)
Arrays = dict[str, Any]


@pytest.fixture(autouse=True)
def original_method() -> Iterator[None]:
    yield
    assert getattr(XGBModel, METHOD) is ORIGINAL


@pytest.fixture
def cache() -> BinCache:
    return BinCache()


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    """Numbers with gaps, more than there are bins; targets of each task."""
    random = np.random.default_rng(0)
    x = random.normal(size=(600, 5))
    y = x[:, 0] * 2 + x[:, 1] + random.normal(size=600) / 3
    x[random.random(x.shape) < 0.1] = np.nan
    labels = np.array(["low", "middle", "high"])[np.digitize(y, [-1, 1])]
    return {"x": x, "regression": y, "binary": np.where(y > 0, "yes", "no"), "multiclass": labels}


def booster(task: str, **changes: Any) -> Any:
    arguments = {"n_estimators": 6, "max_depth": 3, "subsample": 0.7, "random_state": 3, "n_jobs": 1, **changes}
    return XGBRegressor(**arguments) if task == "regression" else LabelEncodingClassifier(XGBClassifier(**arguments))


def raw(fitted: Any) -> bytes:
    return bytes(unwrap_estimator(fitted).get_booster().save_raw("ubj"))


def fit_sharing(cache: BinCache, estimator: Any, x: Any, y: Any, **options: Any) -> bytes:
    with cache.sharing(x):
        return raw(estimator.fit(x, y, **options))


@pytest.mark.parametrize(
    ("task", "max_bin", "tree_method"),
    [
        ("regression", None, None),
        ("regression", 64, "exact"),
        ("binary", 4, "approx"),
        ("multiclass", 256, "hist"),
    ],
)
def test_a_model_with_shared_bins_is_equal_to_the_bit(
    task: str, max_bin: int | None, tree_method: str | None, arrays: Arrays, cache: BinCache
) -> None:
    settings = {"max_bin": max_bin, "tree_method": tree_method}
    alone = raw(booster(task, **settings).fit(arrays["x"], arrays[task]))
    for _ in range(2):
        assert fit_sharing(cache, booster(task, **settings), arrays["x"], arrays[task]) == alone
    assert len(cache.entries) == 1


def test_bins_of_different_settings_and_labels_are_kept_apart(arrays: Arrays, cache: BinCache) -> None:
    x, y = arrays["x"], arrays["regression"]
    fits: list[tuple[str, Any, dict[str, Any]]] = [
        *(("regression", y, {"max_bin": bins, "tree_method": way}) for bins in (8, None) for way in ("hist", "approx")),
        ("regression", y, {"missing": 0.0}),
        ("regression", y, {"learning_rate": 0.9}),
        ("regression", -y, {}),
        *((task, arrays[task], {}) for task in ("binary", "multiclass")),
        ("binary", arrays["binary"][::-1], {}),
    ]
    alone = [raw(booster(task, **settings).fit(x, target)) for task, target, settings in fits]
    for _ in range(2):
        models = [fit_sharing(cache, booster(task, **settings), x, target) for task, target, settings in fits]
        assert models == alone
    assert len(set(alone)) > 6


def test_the_second_fit_bins_nothing(arrays: Arrays, cache: BinCache) -> None:
    x, y = arrays["x"], arrays["regression"]
    fit_sharing(cache, booster("regression"), x, y)
    ((matrix, *_),) = cache.entries.values()
    fit_sharing(cache, booster("regression", max_depth=5, learning_rate=0.01), x, y)
    assert [entry[0] for entry in cache.entries.values()] == [matrix]


def test_scored_rows_share_their_bins_too(arrays: Arrays, cache: BinCache) -> None:
    x, y = arrays["x"], arrays["regression"]
    train, test = x[:400], x[400:]
    alone = booster("regression").fit(train, y[:400], eval_set=[(test, y[400:])], verbose=False)
    for _ in range(2):
        estimator = booster("regression")
        with cache.sharing(train, test):
            estimator.fit(train, y[:400], eval_set=[(test, y[400:])], verbose=False)
        assert raw(estimator) == raw(alone)
        assert estimator.evals_result() == alone.evals_result()
    assert len(cache.entries) == 2


def test_other_arrays_are_binned_anew(arrays: Arrays, cache: BinCache) -> None:
    x, y = arrays["x"], arrays["regression"]
    with cache.sharing(x):
        fitted = booster("regression").fit(x.copy(), y)
    assert len(cache.entries) == 0
    assert raw(fitted) == raw(booster("regression").fit(x, y))


@pytest.mark.parametrize("option", ["sample_weight", "base_margin"])
def test_a_matrix_with_weights_is_not_shared(option: str, arrays: Arrays, cache: BinCache) -> None:
    x, y = arrays["x"], arrays["regression"]
    weights = np.linspace(0, 2, len(y))
    alone = raw(booster("regression").fit(x, y, **{option: weights}))
    assert fit_sharing(cache, booster("regression"), x, y) != alone
    assert fit_sharing(cache, booster("regression"), x, y, **{option: weights}) == alone
    assert len(cache.entries) == 1


@pytest.mark.parametrize("order", [("gbtree", "gblinear"), ("gblinear", "gbtree")], ids=" then ".join)
@pytest.mark.filterwarnings("ignore:.*are not used")
def test_a_linear_booster_has_a_matrix_of_its_own(order: tuple[str, str], arrays: Arrays, cache: BinCache) -> None:
    x, y = np.nan_to_num(arrays["x"]), arrays["regression"]

    def build(kind: str) -> Any:
        return XGBRegressor(n_estimators=4, booster=kind, n_jobs=1, random_state=0)

    alone = [raw(build(kind).fit(x, y)) for kind in order]
    assert [fit_sharing(cache, build(kind), x, y) for kind in order] == alone


def test_category_columns_have_bins_of_their_own(arrays: Arrays, cache: BinCache) -> None:
    x, y = arrays["x"].copy(), arrays["regression"]
    x[:, 0] = np.random.default_rng(1).permutation(len(x)) % 12
    settings = {"feature_types": ["c", *["q"] * 4], "enable_categorical": True, "max_depth": 2}
    alone = raw(booster("regression", **settings).fit(x, y))
    fit_sharing(cache, booster("regression"), x, y)
    assert fit_sharing(cache, booster("regression", **settings), x, y) == alone


def test_the_matrix_used_longest_ago_is_dropped_first(arrays: Arrays) -> None:
    cache, y = BinCache(size=2), arrays["regression"]
    tables = [arrays["x"] + shift for shift in range(3)]
    for index in (0, 1, 0, 2):
        fit_sharing(cache, booster("regression", n_estimators=1), tables[index], y)
    assert {id(data) for _, data, _ in cache.entries.values()} == {id(tables[0]), id(tables[2])}


def test_an_exception_restores_the_method(arrays: Arrays, cache: BinCache) -> None:
    with pytest.raises(XGBoostError, match="Invalid size for `label`"), cache.sharing(arrays["x"]):
        booster("regression").fit(arrays["x"], arrays["regression"][:5])
    assert getattr(XGBModel, METHOD) is ORIGINAL


def test_without_xgboost_nothing_is_replaced(monkeypatch: pytest.MonkeyPatch, cache: BinCache) -> None:
    monkeypatch.delitem(sys.modules, "xgboost.sklearn")
    with cache.sharing(np.zeros((2, 2))):
        assert "xgboost.sklearn" not in sys.modules


def test_a_version_without_the_method_bins_each_fit(
    monkeypatch: pytest.MonkeyPatch, arrays: Arrays, cache: BinCache
) -> None:
    monkeypatch.setattr("mlrunner.search.trial.xgboost_private.METHOD", "_no_such_method")
    x, y = arrays["x"], arrays["regression"]
    assert fit_sharing(cache, booster("regression"), x, y) == raw(booster("regression").fit(x, y))
    assert len(cache.entries) == 0


@pytest.mark.parametrize(("folds", "entries"), [(False, 1), (True, 4)], ids=["held out", "folds"])
def test_the_trials_of_a_runner_share_bins(folds: bool, entries: int, tmp_path: Any) -> None:
    data, runner = Data(tmp_path / "files"), TrialRunner()
    for depth in (2, 3, 4):
        run_complete(data.task(family_settings("xgboost", max_depth=depth), folds=folds), runner=runner)
    assert len(runner.bins.entries) == entries
