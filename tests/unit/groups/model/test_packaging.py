"""Labels, raw rows and saving: the scikit-learn side of a logged model."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
import yaml
from sklearn.base import clone, is_classifier
from sklearn.cluster import Birch
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import BaggingRegressor
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

from mlrunner.core.build import build
from mlrunner.core.column_roles import Roles
from mlrunner.core.errors import ConfigError, DataError
from mlrunner.groups.cleaning import DataPreprocess, KeepAll
from mlrunner.groups.model import EstimatorModel
from mlrunner.groups.model.label_encoding import LabelEncodingClassifier
from mlrunner.groups.model.packaging import assemble, find_trusted_types, list_modules, pin_requirements
from mlrunner.groups.model.raw_input import CleaningTransformer, detect_kind, restore_kind
from mlrunner.groups.strategy import DataStrategy
from tests.support.front_door import PROJECT

ABSENT_FROM_SERVERS = ["hydra", "omegaconf", "zenml", "mlflow", "fsspec", "sqlalchemy", "matplotlib", "pyarrow", "rich"]
CONF = PROJECT / "conf"
LABELS = {
    "text": ["no", "yes"],
    "numbers with gaps between": [3, 7, 9],
    "true and false": [False, True],
    "floats": [0.0, 1.0],
}


@dataclasses.dataclass(frozen=True)
class Halved(DataStrategy):
    """A strategy of the user's own, outside the package."""

    by: float = 2.0

    def handle_data(self, table: pd.DataFrame) -> pd.DataFrame:
        return self.transform_rows(table)

    def transform_rows(self, table: pd.DataFrame) -> pd.DataFrame:
        return table / self.by


class ColumnVector(DummyClassifier):  # type: ignore[misc]
    """Answers as CatBoost does, in a column."""

    def predict(self, X: Any) -> Any:
        return super().predict(X).reshape(-1, 1).astype(float)


def raw_rows(rows: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": [f"id{at}" for at in range(rows)],
            "order": [f"o{at // 2}" for at in range(rows)],
            "price": rng.normal(size=rows),
            "items": rng.integers(1, 9, rows),
            "gift": rng.random(rows) < 0.5,
            "state": rng.choice(["SP", "RJ"], rows),
            "bought": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(rows), unit="h"),
            "score": rng.normal(size=rows),
        }
    )


def option(name: str, task: Any) -> EstimatorModel:
    """Read a model option as a run would compose it."""

    def read(path: str) -> dict[str, Any]:
        text = (CONF / f"{path}.yaml").read_text()
        return dict(yaml.safe_load(text.replace("${seed}", "0").replace("${threads}", "1")))

    given = read(f"model/{name}")
    features = given.pop("defaults")[0]["/features@features"]
    estimator = {**given["estimator"], "_target_": given["targets"][task]}
    found = build({**given, "estimator": estimator, "features": read(f"features/{features}")}, "model")
    assert isinstance(found, EstimatorModel)
    return found


ROLES = Roles(target="score", ignore=("id",), group="order", time="bought")


def whole(strategy: Any, *features: str) -> Pipeline:
    """Fit a model and put the cleaning before it."""
    raw = raw_rows()
    fitted = option("ridge", "regression").build(raw[[*features]], "regression").fit(raw[[*features]], raw["score"])
    return assemble(fitted, strategy, ROLES, raw[[*features]], raw)


class TestLabelCodes:
    @pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
    def test_labels_come_back_as_they_were(self, labels: list[Any]) -> None:
        X, y = np.arange(30.0).reshape(-1, 1), np.repeat(labels, 30)[:: len(labels)]
        fitted = LabelEncodingClassifier(DecisionTreeClassifier()).fit(X, y)
        assert fitted.classes_.tolist() == labels
        assert fitted.estimator_.classes_.tolist() == list(range(len(labels)))
        np.testing.assert_array_equal(fitted.predict(X), y)
        assert fitted.predict(X).dtype == y.dtype
        assert fitted.predict_proba(X).shape == (30, len(labels))

    def test_pandas_text_is_taken(self) -> None:
        y = pd.Series(["b", "a", "b"])
        assert set(LabelEncodingClassifier(DecisionTreeClassifier()).fit(np.arange(3).reshape(-1, 1), y).classes_) == {
            "a",
            "b",
        }

    def test_a_column_of_answers_is_made_flat(self) -> None:
        fitted = LabelEncodingClassifier(ColumnVector(strategy="most_frequent")).fit(np.zeros((3, 1)), ["x", "y", "y"])
        assert fitted.predict(np.zeros((2, 1))).tolist() == ["y", "y"]

    @pytest.mark.parametrize(
        ("inner", "probabilities", "decision"),
        [(RidgeClassifier(), False, True), (DecisionTreeClassifier(), True, False), (LogisticRegression(), True, True)],
        ids=["ridge", "tree", "logistic"],
    )
    def test_it_has_what_the_inner_classifier_has(self, inner: Any, probabilities: bool, decision: bool) -> None:
        fitted = LabelEncodingClassifier(inner).fit(np.arange(4.0).reshape(-1, 1), list("aabb"))
        for found in (LabelEncodingClassifier(inner), fitted):
            assert hasattr(found, "predict_proba") is probabilities
            assert hasattr(found, "decision_function") is decision
        if decision:
            assert fitted.decision_function(np.zeros((2, 1))).shape == (2,)

    def test_it_is_a_classifier_that_can_be_cloned(self) -> None:
        copy = clone(LabelEncodingClassifier(DecisionTreeClassifier(max_depth=3)))
        assert is_classifier(copy)
        assert copy.get_params()["estimator__max_depth"] == 3

    def test_the_inner_estimator_given_is_left_unfitted(self) -> None:
        inner = DecisionTreeClassifier()
        LabelEncodingClassifier(inner).fit(np.zeros((2, 1)), ["a", "b"])
        assert not hasattr(inner, "classes_")

    def test_skops_brings_it_back(self) -> None:
        X = np.arange(4.0).reshape(-1, 1)
        fitted = LabelEncodingClassifier(DecisionTreeClassifier()).fit(X, list("aabb"))
        data = skops.io.dumps(fitted)
        back = skops.io.loads(data, trusted=skops.io.get_untrusted_types(data=data))
        assert back.predict(X).tolist() == list("aabb")


class TestCleaningTransformer:
    def test_it_gives_the_training_columns_in_order(self) -> None:
        cleaning = whole(KeepAll(), "state", "price")["cleaning"]
        assert list(cleaning.transform(raw_rows()).columns) == ["state", "price"]
        assert list(cleaning.get_feature_names_out()) == ["state", "price"]

    def test_target_group_and_ignored_columns_are_never_asked_for(self) -> None:
        cleaning = whole(KeepAll(), "price")["cleaning"]
        assert list(cleaning.kinds) == ["price", "items", "gift", "state", "bought"]

    def test_it_predicts_as_the_fitted_part_does(self) -> None:
        model = whole(KeepAll(), "price", "state")
        expected = model[1:].predict(raw_rows()[["price", "state"]])
        np.testing.assert_array_equal(model.predict(raw_rows()), expected)
        np.testing.assert_array_equal(model.predict(raw_rows().drop(columns=["score", "id", "order"])), expected)

    def test_rows_in_any_order_of_columns_and_rows(self) -> None:
        model, raw = whole(KeepAll(), "price", "state"), raw_rows()
        mixed = raw[sorted(raw.columns)].iloc[::-1]
        np.testing.assert_allclose(model.predict(mixed), model.predict(raw)[::-1])

    def test_one_row_alone_equals_the_row_among_others(self) -> None:
        model, raw = whole(DataPreprocess(), "price", "items", "gift"), raw_rows(10)
        alone = [model.predict(raw.iloc[[at]])[0] for at in range(10)]
        np.testing.assert_allclose(alone, model.predict(raw))

    @pytest.mark.parametrize("strategy", [KeepAll(), DataPreprocess()], ids=["none", "preprocess"])
    def test_json_rows_with_a_null_are_taken(self, strategy: Any) -> None:
        model = whole(strategy, "price", "items", "gift")
        rows = pd.DataFrame([{"price": None, "items": 2, "gift": None, "state": "SP"}])
        typed = pd.DataFrame({"price": [np.nan], "items": [2.0], "gift": [np.nan], "state": ["SP"]})
        assert rows["price"].dtype == object
        assert np.isfinite(model.predict(rows)).all()
        np.testing.assert_array_equal(model.predict(rows), model.predict(typed))

    def test_an_absent_column_counts_as_missing_and_an_unknown_one_for_nothing(self) -> None:
        model, raw = whole(KeepAll(), "price", "state"), raw_rows(3)
        lacking = model.predict(raw.drop(columns="state"))
        np.testing.assert_array_equal(lacking, model.predict(raw.assign(state=None)))
        np.testing.assert_array_equal(model.predict(raw.assign(more=1)), model.predict(raw))

    def test_rows_of_another_table_are_refused(self) -> None:
        said = r"^The rows have none of the model's columns; it needs price, items, gift, state, bought\.$"
        with pytest.raises(DataError, match=said):
            whole(KeepAll(), "price").predict(pd.DataFrame({"x": [1]}))

    def test_a_word_for_a_number_is_refused_by_name(self) -> None:
        with pytest.raises(DataError, match=r"^Column 'price' holds numbers in training, but: could not convert"):
            whole(KeepAll(), "price").predict(raw_rows(2).assign(price=["1", "dear"]))

    def test_no_row_stays_no_row(self) -> None:
        cleaned = whole(KeepAll(), "price", "state")["cleaning"].transform(raw_rows().iloc[:0])
        assert cleaned.shape == (0, 2)

    def test_the_input_is_never_changed(self) -> None:
        raw = raw_rows()
        whole(KeepAll(), "price").predict(raw)
        pd.testing.assert_frame_equal(raw, raw_rows())

    def test_it_can_be_cloned_and_needs_no_fit(self) -> None:
        cleaning = CleaningTransformer(KeepAll(), {"a": "number"}, ["a"])
        assert clone(cleaning).fit(None).transform(pd.DataFrame({"a": [1]})).shape == (1, 1)

    @pytest.mark.parametrize("strategy", [KeepAll(drop=["gift"]), DataPreprocess(fill={"price": 0.5}), Halved(by=4)])
    def test_skops_brings_the_strategy_back(self, strategy: Any) -> None:
        model = whole(strategy, "price", "items")
        raw = raw_rows()[["price", "items"]]
        kept = CleaningTransformer(strategy, {"price": "number", "items": "number"}, ["price", "items"])
        model = Pipeline([("cleaning", kept), *model.steps[1:]])
        back = skops.io.loads(skops.io.dumps(model), trusted=find_trusted_types(model))
        assert back["cleaning"].strategy == strategy
        np.testing.assert_array_equal(back.predict(raw), model.predict(raw))


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        pytest.param(pd.Series([1]), "number", id="int"),
        pytest.param(pd.Series([True]), "number", id="bool"),
        pytest.param(pd.Series(["a"]), "text", id="text"),
        pytest.param(pd.Series(pd.Categorical([1])), "text", id="category"),
        pytest.param(pd.Series([pd.Timestamp(0)]), "moment", id="date"),
        pytest.param(pd.Series([pd.Timestamp(0, tz="UTC")]), "moment", id="date with zone"),
    ],
)
def test_kind_of_a_raw_column(column: pd.Series, kind: str) -> None:
    assert detect_kind(column) == kind
    assert restore_kind(column, kind) is column


@pytest.mark.parametrize(
    ("values", "kind", "dtype", "expected"),
    [
        pytest.param([1, None], "number", "float64", [1.0, np.nan], id="null among numbers"),
        pytest.param([None, None], "number", "float64", [np.nan, np.nan], id="nulls for numbers"),
        pytest.param([True, None], "number", "float64", [1.0, np.nan], id="null among true and false"),
        pytest.param(["2.5", None], "number", "float64", [2.5, np.nan], id="digits as text"),
        pytest.param([7, None], "text", "object", ["7", None], id="a number for a text"),
        pytest.param([None, None], "text", "object", [None, None], id="nulls for texts"),
    ],
)
def test_restored(values: list[Any], kind: str, dtype: str, expected: list[Any]) -> None:
    found = restore_kind(pd.Series(values, dtype=object), kind)
    assert str(found.dtype) == dtype
    pd.testing.assert_series_equal(found, pd.Series(expected, dtype=dtype))


def test_dates_as_text_are_read() -> None:
    found = restore_kind(pd.Series(["2020-01-02 03:04:05", None]), "moment")
    assert found.tolist()[0] == pd.Timestamp("2020-01-02 03:04:05")
    assert detect_kind(found) == "moment"


def test_a_word_for_a_date_is_refused_by_name() -> None:
    with pytest.raises(DataError, match=r"^Column 'day' holds moments in training, but: "):
        restore_kind(pd.Series(["soon"], name="day"), "moment")


class TestSaving:
    def test_only_what_the_composition_names_is_trusted(self) -> None:
        found = find_trusted_types(whole(KeepAll(), "price", "state"))
        assert {name.partition(".")[0] for name in found} <= {"mlrunner", "numpy", "sklearn"}
        assert "mlrunner.groups.model.raw_input.CleaningTransformer" in found
        assert "mlrunner.groups.cleaning.KeepAll" in found

    def test_a_class_of_the_users_own_is_trusted(self) -> None:
        fitted = Pipeline([("estimator", ColumnVector())]).fit([[1]], [1])
        assert find_trusted_types(fitted) == [f"{__name__}.ColumnVector"]

    def test_anything_else_is_not(self) -> None:
        import shutil

        fitted = Pipeline([("f", FunctionTransformer(shutil.rmtree)), ("estimator", Ridge())])
        said = r"^model\.estimator holds shutil\.rmtree, which loading cannot trust; choose another class\.$"
        with pytest.raises(ConfigError, match=said):
            find_trusted_types(fitted)

    def test_what_skops_cannot_save_is_said(self) -> None:
        with pytest.raises(ConfigError, match=r"^model\.estimator cannot be saved with skops \(.*Birch"):
            find_trusted_types(Pipeline([("estimator", Birch())]))

    def test_modules_are_those_of_nested_parts_too(self) -> None:
        booster = option("xgboost", "regression").build(raw_rows()[["price"]], "regression")[-1]
        fitted = Pipeline([("estimator", BaggingRegressor(booster))])
        assert {"sklearn", "xgboost"} <= list_modules(fitted)
        assert "builtins" not in list_modules(fitted)

    @pytest.mark.parametrize(
        ("name", "more"),
        [("rf", set()), ("xgboost", {"xgboost"}), ("lightgbm", {"lightgbm"}), ("catboost", {"catboost"})],
    )
    def test_requirements_name_the_estimators_package(self, name: str, more: set[str]) -> None:
        made = option(name, "classification").build(raw_rows()[["price"]], "classification")
        found = {line.partition("==")[0] for line in pin_requirements(made)}
        assert found == {"scikit-learn", "pandas", "numpy", "skops", "pydantic"} | more

    def test_a_module_without_a_package_asks_for_nothing(self) -> None:
        found = pin_requirements(Pipeline([("estimator", ColumnVector())]))
        assert len(found) == 5
        assert all("==" in line for line in found)


def test_a_server_needs_nothing_else(tmp_path: Path) -> None:
    model = whole(DataPreprocess(), "price", "items")
    skops.io.dump(model, tmp_path / "model.skops")
    raw_rows().to_csv(tmp_path / "rows.csv", index=False)
    code = f"""
import sys
class Absent:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in {ABSENT_FROM_SERVERS}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
import pandas, skops.io
model = skops.io.load("model.skops", trusted={find_trusted_types(model)})
print(model.predict(pandas.read_csv("rows.csv", parse_dates=["bought"]))[0])
"""
    env = {**os.environ, "PYTHONPATH": str(CONF.parent)}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path, env=env)
    assert float(done.stdout) == model.predict(raw_rows())[0]


@pytest.mark.parametrize("load", [load_wine, load_digits, load_breast_cancer], ids=["wine", "digits", "breast_cancer"])
@pytest.mark.parametrize("name", ["logistic_regression", "ridge"])
def test_linear_classification_converges_silently(name: str, load: Any) -> None:
    table, target = load(return_X_y=True, as_frame=True)
    fitted = option(name, "classification").build(table, "classification").fit(table, target)
    assert fitted.score(table, target) > 0.9


@pytest.mark.parametrize("name", ["linear_regression", "ridge"])
def test_linear_regression_is_silent(name: str) -> None:
    table, target = load_diabetes(return_X_y=True, as_frame=True)
    assert option(name, "regression").build(table, "regression").fit(table, target).score(table, target) > 0.4
