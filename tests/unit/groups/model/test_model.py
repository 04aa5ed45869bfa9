"""Options of conf/model on both tasks, through MLflow and back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pydantic
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine

from mlrunner.core.build import build
from mlrunner.core.column_roles import Roles
from mlrunner.core.errors import ConfigError, DataError, ProblemsError
from mlrunner.groups.cleaning import KeepAll
from mlrunner.groups.model import EstimatorModel, Model, ModelNameConfig
from mlrunner.groups.model.label_encoding import LabelEncodingClassifier
from mlrunner.groups.model.packaging import assemble, find_trusted_types, pin_requirements
from tests.support.front_door import PROJECT
from tests.support.models import CONF, OPTIONS, ROWS, build_option, build_small_option, compose_settings, raw_rows

LABELS = {
    "regression": lambda rng: rng.normal(size=ROWS),
    "two": lambda rng: rng.choice([3, 7], ROWS),
    "five": lambda rng: rng.choice([1, 2, 3, 4, 5], ROWS),
    "text": lambda rng: rng.choice(["bad", "fair", "good"], ROWS),
    "bool": lambda rng: rng.choice([True, False], ROWS),
}


def option_cases() -> list[Any]:
    """Combine every option with each task that it supports; the kinds of class labels rotate over the options."""
    kinds = [kind for kind in LABELS if kind != "regression"]
    cases = []
    for at, name in enumerate(OPTIONS):
        targets = OmegaConf.load(CONF / "model" / f"{name}.yaml").targets
        for task, labels in (("regression", "regression"), ("classification", kinds[at % len(kinds)])):
            if targets is None or targets[task] is not None:
                cases.append(pytest.param(name, task, labels, id=f"{name}-{labels}"))
    return cases


@pytest.fixture(scope="module")
def quiet_mlflow() -> Any:
    import mlflow.sklearn

    return mlflow


@pytest.mark.filterwarnings("ignore:.*type hint.*:UserWarning")
@pytest.mark.parametrize(("name", "task", "labels"), option_cases())
def test_every_option_survives_mlflow(name: str, task: Any, labels: str, tmp_path: Path, quiet_mlflow: Any) -> None:
    raw, target = raw_rows(), LABELS[labels](np.random.default_rng(1))
    roles = Roles(target="answer", ignore=("key",))
    features = raw.drop(columns="key")
    model = build_small_option(name, task)
    assert model.problems(task) == []
    fitted = model.build(features, task).fit(features, target)
    whole = assemble(fitted, KeepAll(), roles, features, raw)
    before = whole.predict(raw)
    assert before.shape == (ROWS,)
    np.testing.assert_array_equal(before, fitted.predict(features))
    quiet_mlflow.sklearn.save_model(
        whole,
        tmp_path / "model",
        serialization_format="skops",
        skops_trusted_types=find_trusted_types(whole),
        pip_requirements=pin_requirements(whole),
    )
    loaded = quiet_mlflow.pyfunc.load_model(str(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.predict(raw), before)
    np.testing.assert_array_equal(loaded.predict(raw.astype(object).where(raw.notna(), None)), before)
    if labels != "regression":
        assert before.dtype.kind == np.asarray(target).dtype.kind or before.dtype == object
        assert set(before) <= set(target)


@pytest.mark.parametrize("name", OPTIONS)
class TestYaml:
    def test_the_search_space_is_in_hydras_grammar_and_names_keys_of_the_option(self, name: str) -> None:
        composed = compose_settings(name, "regression" if name != "logistic_regression" else "classification")
        for key, space in composed["search"].items():
            group, _, last = key.partition(".")
            assert last in composed[group]
            assert OverridesParser.create().parse_override(f"model.{key}={space}").is_sweep_override()


def test_another_features_option_is_a_choice() -> None:
    assert compose_settings("ridge", "regression")["features"]["scale"] == "standard"
    assert compose_settings("ridge", "regression", "features@model.features=native")["features"]["impute"] is None


@pytest.mark.parametrize(
    ("name", "task", "possible"),
    [("linear_regression", "classification", "regression"), ("logistic_regression", "regression", "classification")],
)
def test_unsupported_task_is_explained(name: str, task: Any, possible: str) -> None:
    problems = build_option(name, task).problems(task)
    assert problems == [f"model={name} does {possible} only, but dataset.task is {task}; choose another model."]


def test_custom_without_a_class_is_explained() -> None:
    model = build(compose_settings("custom", "regression"), "model")
    problems = ["model.estimator._target_ is not set; name a class, as in model.estimator._target_=sklearn.svm.SVR."]
    assert model.problems("regression") == problems


def test_mistakes_in_features_and_estimator_are_reported_together() -> None:
    model = build_option("ridge", "regression", "+model.features.skale=1", "model.features.impute=mode", alpa=1)
    problems = model.problems("regression")
    assert problems[0].startswith("model.features.impute=mode should be 'median', ")
    assert problems[1].startswith("model.features.skale is not a key; model.features has impute")
    assert problems[1].endswith("Did you mean 'scale'?")
    assert problems[2] == "model.estimator.alpa: Ridge has no such argument. Did you mean 'alpha'?"


def test_features_of_another_class_are_refused() -> None:
    features = {"_target_": "collections.Counter"}
    model = EstimatorModel(
        name="x", targets=None, estimator={"_target_": "sklearn.svm.SVR"}, encode_labels=False, features=features
    )
    assert model.problems("regression") == [
        "model.features._target_: Counter is not a mlrunner.groups.features.Features."
    ]


@pytest.mark.parametrize(("task", "wrapped"), [("regression", False), ("classification", True)])
def test_labels_are_encoded_for_classes_only(task: Any, wrapped: bool) -> None:
    last = build_option("xgboost", task).build(raw_rows()[["price"]], task)[-1]
    assert isinstance(last, LabelEncodingClassifier) is wrapped


@pytest.mark.parametrize("name", [name for name in OPTIONS if name not in ("custom", "linear_regression")])
def test_two_fits_are_equal(name: str) -> None:
    table, target = raw_rows()[["price", "items", "state"]], np.array(["n", "y"] * (ROWS // 2))
    first, second = (
        build_small_option(name, "classification").build(table, "classification").fit(table, target) for _ in range(2)
    )
    np.testing.assert_array_equal(first.predict(table), second.predict(table))


def test_no_feature_is_refused() -> None:
    with pytest.raises(DataError, match=r"^Cleaning leaves no column"):
        build_option("ridge", "regression").build(pd.DataFrame(index=range(3)), "regression")


def test_the_model_is_frozen_and_knows_its_keys() -> None:
    with pytest.raises(ProblemsError, match=r"^model.encode_label is not a key; .* Did you mean 'encode_labels'\?$"):
        build({**compose_settings("ridge", "regression"), "encode_label": True}, "model")
    with pytest.raises(AttributeError):
        build_option("ridge", "regression").name = "other"  # type: ignore[misc]


class TestModelNameConfig:
    def test_it_builds_the_model(self) -> None:
        model = ModelNameConfig(name="ridge", settings=compose_settings("ridge", "regression")).model()
        assert isinstance(model, Model)

    def test_it_travels_as_json(self) -> None:
        config = ModelNameConfig(name="ridge", settings=compose_settings("ridge", "regression"))
        assert ModelNameConfig.model_validate_json(config.model_dump_json()) == config

    def test_unknown_keys_are_refused(self) -> None:
        with pytest.raises(pydantic.ValidationError):
            ModelNameConfig.model_validate({"name": "x", "settings": {}, "more": 1})

    def test_another_class_is_refused(self) -> None:
        with pytest.raises(ConfigError, match=r"^model._target_: Counter is not a mlrunner.groups.model.Model.$"):
            ModelNameConfig(name="x", settings={"_target_": "collections.Counter"}).model()


@pytest.mark.slow
def test_importing_needs_no_framework() -> None:
    heavy = "{'hydra', 'omegaconf', 'zenml', 'mlflow', 'xgboost', 'lightgbm', 'catboost', 'matplotlib', 'sqlalchemy'}"
    modules = "mlrunner.groups.model.packaging, mlrunner.groups.cleaning.controller, mlrunner.groups.features.encoders"
    code = (
        "import sys, mlrunner.groups.model\nassert 'sklearn' not in sys.modules\n"
        f"import {modules}\nprint(sorted({heavy} & set(sys.modules)))"
    )
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PROJECT)
    assert completed.stdout.strip() == "[]"


@pytest.mark.parametrize("load", [load_wine, load_digits, load_breast_cancer], ids=["wine", "digits", "breast_cancer"])
@pytest.mark.parametrize("name", ["logistic_regression", "ridge"])
def test_linear_classification_converges_silently(name: str, load: Any) -> None:
    table, target = load(return_X_y=True, as_frame=True)
    fitted = build_option(name, "classification").build(table, "classification").fit(table, target)
    assert fitted.score(table, target) > 0.9


@pytest.mark.parametrize("name", ["linear_regression", "ridge"])
def test_linear_regression_is_silent(name: str) -> None:
    table, target = load_diabetes(return_X_y=True, as_frame=True)
    assert build_option(name, "regression").build(table, "regression").fit(table, target).score(table, target) > 0.4
