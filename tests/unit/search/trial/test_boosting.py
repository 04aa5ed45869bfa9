"""Boosters in trials: bins that are shared leave a model as it was to the bit; reports between the rounds are true."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from xgboost import XGBClassifier, XGBRegressor
from xgboost.core import XGBoostError
from xgboost.sklearn import XGBModel

from mlrunner.core.column_roles import Roles
from mlrunner.evaluation.metrics import unwrap
from mlrunner.groups.model.label_encoding import LabelCodes
from mlrunner.search.trial import TrialTask, boosting, running
from mlrunner.search.trial.boosting import KEPT, MATRICES, REPORTS, Rounds, release, sharing_bins
from tests.unit.search.trial.test_trial import Data, Listener, done, model, named, rows, run

NAN = float("nan")
HOOK = XGBModel._create_dmatrix
CLASSES = {"binary": 2, "multiclass": 3}
Arrays = dict[str, Any]


@pytest.fixture(autouse=True)
def cold() -> Iterator[None]:
    """A process that has fitted nothing, before and after."""
    for memory in (running.PREPARED, MATRICES):
        memory.clear()
    yield
    assert XGBModel._create_dmatrix is HOOK
    for memory in (running.PREPARED, MATRICES):
        memory.clear()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return Data(tmp_path_factory.mktemp("boosted") / "files")


@pytest.fixture(scope="module")
def two_classes(tmp_path_factory: pytest.TempPathFactory) -> Data:
    tables = [table.assign(label=np.where(table["y"] > 0, "yes", "no")) for table in (rows(240, 1), rows(90, 2))]
    return Data(tmp_path_factory.mktemp("classes") / "files", *tables)


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    """Numbers with gaps, more than there are bins of; targets for each task."""
    random = np.random.default_rng(0)
    x = random.normal(size=(600, 5))
    y = x[:, 0] * 2 + x[:, 1] + random.normal(size=600) / 3
    x[random.random(x.shape) < 0.1] = NAN
    cuts = np.digitize(y, [-1, 1])
    labels = np.array(["low", "middle", "high"])[cuts]
    return {"x": x, "regression": y, "binary": np.where(y > 0, "yes", "no"), "multiclass": labels, "whole": cuts}


def booster(task: str, **changed: Any) -> Any:
    arguments = {"n_estimators": 6, "max_depth": 3, "subsample": 0.7, "random_state": 3, "n_jobs": 1, **changed}
    return XGBRegressor(**arguments) if task == "regression" else LabelCodes(XGBClassifier(**arguments))


def raw(fitted: Any) -> bytes:
    return bytes(unwrap(fitted).get_booster().save_raw("ubj"))


def shared(estimator: Any, x: Any, y: Any, **options: Any) -> bytes:
    with sharing_bins(x):
        return raw(estimator.fit(x, y, **options))


# Bins


@pytest.mark.parametrize("tree_method", [None, "hist", "approx", "exact"])
@pytest.mark.parametrize("max_bin", [None, 4, 64, 256])
@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
def test_a_model_with_shared_bins_is_the_same_to_the_bit(
    task: str, max_bin: int | None, tree_method: str | None, arrays: Arrays
) -> None:
    told = {"max_bin": max_bin, "tree_method": tree_method}
    x, y = arrays["x"], arrays[task]
    alone = raw(booster(task, **told).fit(x, y))
    assert shared(booster(task, **told), x, y) == alone
    assert shared(booster(task, **told), x, y) == alone
    assert len(MATRICES) == 1


def test_bins_of_many_settings_do_not_mix(arrays: Arrays) -> None:
    x, y = arrays["x"], arrays["regression"]
    settings: list[dict[str, Any]] = [
        *({"max_bin": bins, "tree_method": way} for bins in (8, 64, None) for way in ("hist", "approx")),
        {"missing": 0.0},
        {"learning_rate": 0.9},
    ]
    alone = [raw(booster("regression", **one).fit(x, y)) for one in settings]
    for _ in range(2):
        assert [shared(booster("regression", **one), x, y) for one in settings] == alone
    assert len(set(alone)) > 4


def test_labels_that_differ_on_the_same_rows_are_not_mixed_up(arrays: Arrays) -> None:
    x = arrays["x"]
    targets = [("regression", arrays["regression"]), ("binary", arrays["binary"]), ("multiclass", arrays["multiclass"])]
    targets += [("regression", -arrays["regression"]), ("binary", arrays["binary"][::-1])]
    alone = [raw(booster(task).fit(x, y)) for task, y in targets]
    for _ in range(2):
        assert [shared(booster(task), x, y) for task, y in targets] == alone


def test_the_second_fit_bins_nothing(arrays: Arrays) -> None:
    x, y = arrays["x"], arrays["regression"]
    shared(booster("regression"), x, y)
    ((matrix, *_),) = MATRICES.values()
    shared(booster("regression", max_depth=5, learning_rate=0.01), x, y)
    assert [found for found, *_ in MATRICES.values()] == [matrix]


def test_rows_that_are_scored_share_the_bins_too(arrays: Arrays) -> None:
    x, y = arrays["x"], arrays["regression"]
    train, test = x[:400], x[400:]
    alone = booster("regression").fit(train, y[:400], eval_set=[(test, y[400:])], verbose=False)
    for _ in range(2):
        estimator = booster("regression")
        with sharing_bins(train, test):
            estimator.fit(train, y[:400], eval_set=[(test, y[400:])], verbose=False)
        assert raw(estimator) == raw(alone)
        assert estimator.evals_result() == alone.evals_result()
    assert len(MATRICES) == 2


def test_arrays_that_do_not_last_are_binned_anew(arrays: Arrays) -> None:
    x, y = arrays["x"], arrays["regression"]
    with sharing_bins(x):
        fitted = booster("regression").fit(x.copy(), y)
    assert len(MATRICES) == 0
    assert raw(fitted) == raw(booster("regression").fit(x, y))


@pytest.mark.parametrize("option", ["sample_weight", "base_margin"])
def test_what_a_matrix_also_holds_is_not_shared(option: str, arrays: Arrays) -> None:
    x, y = arrays["x"], arrays["regression"]
    weights = np.linspace(0, 2, len(y))
    alone = raw(booster("regression").fit(x, y, **{option: weights}))
    assert shared(booster("regression"), x, y) != alone
    assert shared(booster("regression"), x, y, **{option: weights}) == alone
    assert len(MATRICES) == 1


@pytest.mark.parametrize("order", [("gbtree", "gblinear"), ("gblinear", "gbtree")], ids=" then ".join)
@pytest.mark.filterwarnings("ignore:.*are not used")
def test_a_linear_booster_wants_a_matrix_of_its_own(order: tuple[str, str], arrays: Arrays) -> None:
    x, y = np.nan_to_num(arrays["x"]), arrays["regression"]

    def made(kind: str) -> Any:
        return XGBRegressor(n_estimators=4, booster=kind, n_jobs=1, random_state=0)

    alone = [raw(made(kind).fit(x, y)) for kind in order]
    assert [shared(made(kind), x, y) for kind in order] == alone


def test_columns_that_are_categories_are_binned_as_such(arrays: Arrays) -> None:
    x, y = arrays["x"].copy(), arrays["regression"]
    x[:, 0] = np.random.default_rng(1).permutation(len(x)) % 12
    told = {"feature_types": ["c", *["q"] * 4], "enable_categorical": True, "max_depth": 2}
    alone = raw(booster("regression", **told).fit(x, y))
    shared(booster("regression"), x, y)
    assert shared(booster("regression", **told), x, y) == alone


def test_the_memory_has_an_end(arrays: Arrays) -> None:
    y = arrays["regression"]
    tables = [arrays["x"] + shift for shift in range(KEPT + 3)]
    for table in tables:
        shared(booster("regression", n_estimators=1), table, y)
    assert [id(kept) for _, kept, _ in MATRICES.values()] == [id(table) for table in tables[3:]]
    shared(booster("regression", n_estimators=1), tables[3], y)
    assert next(reversed(MATRICES.values()))[1] is tables[3]


def test_the_hook_is_put_back_after_an_exception(arrays: Arrays) -> None:
    with pytest.raises(XGBoostError, match="Invalid size for `label`"), sharing_bins(arrays["x"]):
        booster("regression").fit(arrays["x"], arrays["regression"][:5])
    assert XGBModel._create_dmatrix is HOOK


def test_without_xgboost_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(boosting.sys.modules, "xgboost.sklearn")
    with sharing_bins(np.zeros((2, 2))):
        pass
    assert "xgboost.sklearn" not in boosting.sys.modules


@pytest.mark.parametrize("folds", [False, True], ids=["held out", "folds"])
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_trials_of_a_process_share_bins(task: str, folds: bool, data: Data) -> None:
    for depth in (2, 3, 4):
        done(data.task(named("xgboost", task, max_depth=depth), task=task, folds=folds))
    assert len(MATRICES) == (4 if folds else 1)


# Reports


def listened(made: Data, settings: dict[str, Any], task: str, **more: Any) -> tuple[dict[int, float], dict[str, float]]:
    """The reports of a trial by round, and its metrics."""
    heard = Listener()
    found = done(made.task(settings, task=task, prunes=True, **more), heard)
    assert len(dict(heard.heard)) == len(heard.heard)
    return dict(heard.heard), found


LIBRARIES = ["xgboost", "lightgbm"]
libraries = pytest.mark.parametrize("name", LIBRARIES)
REGRESSION = ["r2", "rmse", "median_absolute_error"]
CLASSIFICATION = ["accuracy", "f1", "precision", "roc_auc", "log_loss"]
MEASURED = [
    *(pytest.param("regression", "numbers", metric, id=f"regression-{metric}") for metric in REGRESSION),
    *(pytest.param("classification", "two", metric, id=f"binary-{metric}") for metric in CLASSIFICATION),
    *(pytest.param("classification", "three", metric, id=f"multiclass-{metric}") for metric in CLASSIFICATION),
]


@libraries
@pytest.mark.parametrize(("task", "classes", "metric"), MEASURED)
def test_a_report_is_the_metric_of_a_model_with_so_many_rounds(
    name: str, task: str, classes: str, metric: str, data: Data, two_classes: Data
) -> None:
    made = two_classes if classes == "two" else data
    reports, found = listened(made, named(name, task), task, metric=metric)
    assert list(reports) == list(range(1, 13))
    assert reports[12] == pytest.approx(found[metric], rel=1e-5)
    for rounds in (1, 5):
        fewer = done(made.task(named(name, task, n_estimators=rounds), task=task, metric=metric))
        assert reports[rounds] == pytest.approx(fewer[metric], rel=1e-5)


@libraries
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_a_trial_that_reports_is_scored_as_one_that_does_not(name: str, task: str, data: Data) -> None:
    assert listened(data, named(name, task), task)[1] == done(data.task(named(name, task), task=task))


@libraries
@pytest.mark.parametrize(
    ("rounds", "steps"),
    [
        (1, [1]),
        (25, list(range(1, 26))),
        (100, list(range(4, 101, 4))),
        (250, list(range(10, 251, 10))),
    ],
)
def test_long_fits_are_reported_now_and_then(name: str, rounds: int, steps: list[int], data: Data) -> None:
    settings = named(name, n_estimators=rounds, max_depth=1)
    assert list(listened(data, settings, "regression")[0]) == steps


@libraries
@pytest.mark.parametrize("rounds", [30, 49])
def test_there_are_never_more_reports_than_that(name: str, rounds: int, data: Data) -> None:
    reports, _ = listened(data, named(name, n_estimators=rounds, max_depth=1), "regression")
    assert len(reports) <= REPORTS


@libraries
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_who_listens_can_end_the_trial(name: str, task: str, data: Data) -> None:
    heard = Listener(until=3)
    found = run(data.task(named(name, task), task=task, prunes=True), heard)
    assert (found.state, found.error, found.scores, found.metrics) == ("PRUNED", None, [], {})
    assert [step for step, _ in heard.heard] == [1, 2, 3]
    again = data.task(named(name, task), task=task)
    assert done(again) == done(replace(again, prunes=True))


@libraries
def test_with_folds_it_is_the_folds_that_are_reported(name: str, data: Data) -> None:
    reports, _ = listened(data, named(name), "regression", folds=True)
    assert list(reports) == [0, 1, 2]


@pytest.mark.parametrize("name", ["ridge", "rf"])
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_other_estimators_are_fitted_whole(name: str, task: str, data: Data) -> None:
    assert listened(data, named(name, task), task)[0] == {}


@libraries
def test_a_class_that_training_never_saw_is_left_out_of_the_reports(name: str, tmp_path: Path) -> None:
    known, others = rows(240, 1), rows(90, 2)
    odd = others.assign(label=others["label"].where(np.arange(90) > 4, "unheard of"))
    reports, found = listened(
        Data(tmp_path / "odd", known, odd), named(name, "classification"), "classification", metric="log_loss"
    )
    clean, told = listened(
        Data(tmp_path / "clean", known, others[5:]), named(name, "classification"), "classification", metric="log_loss"
    )
    assert reports == pytest.approx(clean)
    assert found["log_loss"] > told["log_loss"]  # the trial's own score holds it against the model


def test_a_value_that_is_none_is_not_reported(tmp_path: Path) -> None:
    """One class alone has no area under its curve."""
    known, others = rows(240, 1), rows(90, 2).assign(label="low")
    tables = [table.assign(label=np.where(table["label"] == "low", "low", "other")) for table in (known, others)]
    heard = Listener()
    task = Data(tmp_path / "one", *tables).task(
        named("xgboost", "classification"), task="classification", metric="roc_auc", prunes=True
    )
    found = run(task, heard)
    assert (heard.heard, found.state, found.error) == ([], "FAIL", "roc_auc is nan")


@pytest.mark.parametrize("labels", ["text", "whole"])
def test_lightgbm_numbers_its_classes_itself_where_nobody_does(labels: str, tmp_path: Path) -> None:
    tables = [rows(240, 1), rows(90, 2)]
    if labels == "whole":
        tables = [table.assign(label=pd.Categorical(table["label"]).codes + 4) for table in tables]
    settings = {**named("lightgbm", "classification"), "encode_labels": False}
    made = Data(tmp_path / "files", *tables)
    reports, found = listened(made, settings, "classification", metric="log_loss")
    assert reports[12] == pytest.approx(found["log_loss"], rel=1e-5)


@libraries
def test_a_metric_that_there_is_not_is_told_as_ever(name: str, data: Data) -> None:
    task = data.task(named(name), metric="accuracy")
    assert run(replace(task, prunes=True)).error == run(task).error


def rounds_of(task: str = "regression") -> Rounds:
    kind: Any = task
    return Rounds(Listener(), TrialTask(0, (), Roles("y"), kind, "r2"), object())  # type: ignore[arg-type]


def test_reports_are_never_copied_with_an_estimator() -> None:
    watching = rounds_of()
    assert copy.deepcopy(watching) is watching
    assert copy.deepcopy({"eval_metric": [watching]})["eval_metric"][0] is watching


def test_an_estimator_of_another_library_gets_no_options() -> None:
    from sklearn.ensemble import HistGradientBoostingRegressor

    assert rounds_of().options(HistGradientBoostingRegressor()) == {}


@pytest.mark.parametrize("task", ["regression", "binary"])
def test_release_takes_the_reports_off(task: str, arrays: Arrays) -> None:
    estimator = booster(task, eval_metric=max).fit(arrays["x"], arrays[task])
    before = raw(estimator)
    release(estimator)
    assert unwrap(estimator).eval_metric is None
    assert raw(estimator) == before


@pytest.mark.parametrize("told", [None, "rmse", ["mae", "rmse"]])
def test_release_leaves_a_named_metric(told: Any, arrays: Arrays) -> None:
    estimator = booster("regression", eval_metric=told).fit(arrays["x"], arrays["regression"])
    release(estimator)
    assert estimator.eval_metric == told


def test_release_passes_over_what_has_no_such_thing() -> None:
    made = running.build(model("sklearn.linear_model.Ridge"), "model").last("regression")
    release(made)
    assert not hasattr(made, "eval_metric")
