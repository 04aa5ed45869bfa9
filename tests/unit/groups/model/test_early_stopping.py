"""Early stopping finds the number of rounds that is worked out by hand, in every library, and refits with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlrunner.core.errors import ConfigError
from mlrunner.core.folds import FINAL, FIT, STOP, mark_partition
from mlrunner.evaluation.cross_validation import cross_validate
from mlrunner.groups.model import early_stopping
from tests.support.models import build_option

# Half of the targets are 0 and half 1, by x. Boosting starts at their mean and halves the error of each group in each
# round: x=1 is predicted as 1/2, 3/4, 7/8, 15/16 after 0, 1, 2, 3 rounds. Targets of 7/8 and 1/8 are met after two.
X, Y = pd.DataFrame({"x": [0.0, 1.0] * 20}), pd.Series([0.0, 1.0] * 20, name="y")
VALIDATION = pd.DataFrame({"x": [0.0, 1.0] * 5}), pd.Series([0.125, 0.875] * 5, name="y")
HALVES = {"learning_rate": 0.5}
WHOLE_ROWS = {"subsample": 1.0, "colsample_bytree": 1.0, "reg_lambda": 0.0}
PLAIN: dict[str, dict[str, Any]] = {
    "xgboost": {**HALVES, **WHOLE_ROWS, "max_depth": 1, "min_child_weight": 0.0, "base_score": 0.5},
    "lightgbm": {**HALVES, **WHOLE_ROWS, "num_leaves": 2, "min_child_samples": 1, "min_data_in_bin": 1},
    "catboost": {**HALVES, "depth": 1, "l2_leaf_reg": 0.0, "bootstrap_type": "No", "random_strength": 0.0},
    "hist_gradient_boosting": {**HALVES, "max_leaf_nodes": 2, "min_samples_leaf": 1},
}


def build(name: str, patience: int | None = 3) -> Any:
    return build_option(name, "regression", f"model.early_stopping={patience or 'null'}", **PLAIN[name])


def fit(name: str, patience: int | None = 3, **options: Any) -> Any:
    return stop_and_fit(build(name, patience), (X, Y), **options)


def stop_and_fit(model: Any, rows: Any, task: str = "regression", **options: Any) -> Any:
    pipeline = model.build(rows[0], task)
    model.stop_early(pipeline, (*rows, None), **options)
    return pipeline.fit(*rows)


@pytest.mark.parametrize("name", PLAIN)
def test_the_number_of_rounds_is_the_one_worked_out_by_hand(name: str) -> None:
    assert build(name).problems("regression") == []
    fitted = fit(name, validation=VALIDATION)
    assert early_stopping.get_rounds(fitted[-1]) == 2
    np.testing.assert_allclose(fitted.predict(VALIDATION[0]), VALIDATION[1], atol=1e-6)
    assert early_stopping.get_rounds(fit(name, None, validation=VALIDATION)[-1]) > 100


def test_the_weights_of_the_rows_count() -> None:
    model, pipeline = build("xgboost"), build("xgboost").build(X, "regression")
    # as many rows with x=1 and y=0 of no weight change nothing
    rows, target = pd.concat([X, X.assign(x=1.0)]), pd.concat([Y, 0 * Y])
    model.stop_early(pipeline, (rows, target, np.repeat([1.0, 0.0], 40)), VALIDATION)
    assert early_stopping.get_rounds(pipeline[-1]) == 2


def test_without_validation_rows_the_first_fold_stops() -> None:
    folds = np.repeat([2, 1, 3, 1], 10)
    marks = mark_partition(folds)[FINAL].to_numpy()
    (rows, _, _), (stops, targets) = early_stopping.choose_rows((X["x"].to_numpy()[:, None], Y, None), None, marks)
    assert (len(rows), len(stops), list(targets[:4])) == (20, 20, [0, 1, 0, 1])
    target = Y.where(folds != 1, 0.125 + 0.75 * Y)
    assert early_stopping.get_rounds(stop_and_fit(build("xgboost"), (X, target), marks=marks)[-1]) == 2


def test_a_held_out_fold_does_not_decide_about_its_own_score() -> None:
    folds, seen = mark_partition(np.repeat([2, 1, 3, 1], 10)), []

    class Model:
        def stop_early(self, pipeline: Any, train: Any, marks: Any) -> None:
            assert pipeline.steps
            seen.append(train[0].index[marks == STOP].tolist())

    cross_validate(lambda: build("xgboost").build(X, "regression"), X, Y, folds, "regression", model=Model())
    of_fold_1 = [*range(10, 20), *range(30, 40)]
    assert seen == [[*range(10)], of_fold_1, of_fold_1]


@pytest.mark.parametrize(
    ("marks", "other"),
    [
        (None, "split=kfold"),
        (np.full(40, FIT), "split.folds=3, or lower split.gap"),
        (np.full(40, STOP), "split.folds=3, or lower split.gap"),
    ],
    ids=["nothing", "no stop", "no fit"],
)
def test_rows_to_stop_on_are_needed(marks: Any, other: str) -> None:
    with pytest.raises(ConfigError) as caught:
        fit("xgboost", marks=marks)
    assert str(caught.value) == (
        f"model.early_stopping needs validation rows or two folds to train on; choose split=80_20 or {other}."
    )


@pytest.mark.parametrize("name", ["xgboost", "hist_gradient_boosting"])
def test_classes_that_training_lacks_are_left_out(name: str) -> None:
    labels, others = Y.map({0.0: "no", 1.0: "yes"}), pd.Series(["no", "yes", "perhaps"])
    model = build_option(name, "classification", "model.early_stopping=2")
    validation = pd.DataFrame({"x": [0.0, 1.0, 0.5]}), others
    fitted = stop_and_fit(model, (X, labels), "classification", validation=validation)
    assert list(fitted.predict(VALIDATION[0][:2])) == ["no", "yes"]


def test_a_model_without_rounds_is_refused() -> None:
    model = build_option("custom", "regression", "model.early_stopping=5")
    assert model.problems("regression") == [
        "model.early_stopping=5: DecisionTreeRegressor takes no validation rows to stop on; leave it out, or choose "
        "model=xgboost, lightgbm, catboost or hist_gradient_boosting."
    ]


def test_rows_to_stop_on_need_a_class_of_the_training_rows() -> None:
    model = build_option("lightgbm", "classification", "model.early_stopping=3")
    rows = X, pd.Series(["a", "b"] * 20)
    message = (
        "model.early_stopping needs rows to stop on with classes of the training rows, but they hold others only, such "
        "as 'c'; choose split=stratified, or leave it out."
    )
    with pytest.raises(ConfigError) as caught:
        stop_and_fit(model, rows, "classification", validation=(VALIDATION[0], pd.Series(["c"] * 10)))
    assert str(caught.value) == message
