"""The model group: every option on both tasks through MLflow and back, and each sentence about a wrong one."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pydantic
import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from mlrunner.core.build import build
from mlrunner.core.column_roles import Roles
from mlrunner.core.errors import ConfigError, DataError, ProblemsError
from mlrunner.groups.cleaning import KeepAll
from mlrunner.groups.model import EstimatorModel, Model, ModelNameConfig, estimator_arguments
from mlrunner.groups.model.label_encoding import LabelEncodingClassifier
from mlrunner.groups.model.packaging import assemble, find_trusted_types, pin_requirements
from tests.support.front_door import PROJECT

CONF = PROJECT / "conf"
OPTIONS = sorted(file.stem for file in (CONF / "model").glob("*.yaml"))
QUICK = {"n_estimators": 5, "iterations": 5, "max_iter": 200}
BOOSTED = {"hist_gradient_boosting": {"max_iter": 5}}
ROWS = 150
LABELS = {
    "regression": lambda rng: rng.normal(size=ROWS),
    "two": lambda rng: rng.choice([3, 7], ROWS),
    "five": lambda rng: rng.choice([1, 2, 3, 4, 5], ROWS),
    "text": lambda rng: rng.choice(["bad", "fair", "good"], ROWS),
    "bool": lambda rng: rng.choice([True, False], ROWS),
}


def settings(name: str, task: str, *overrides: str) -> dict[str, Any]:
    """Compose one model option as a run would."""
    needed = ["+seed=0", "+threads=1", f"+dataset.task={task}"]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        found = OmegaConf.to_container(compose(overrides=[f"+model={name}", *needed, *overrides]).model, resolve=True)
    assert isinstance(found, dict)
    return {str(key): value for key, value in found.items()}


def option(name: str, task: str, *overrides: str, **estimator: Any) -> EstimatorModel:
    given = settings(name, task, *overrides)
    if name == "custom" and given["estimator"]["_target_"] is None:
        given["estimator"]["_target_"] = (
            f"sklearn.tree.DecisionTree{'Regressor' if task == 'regression' else 'Classifier'}"
        )
    found = build({**given, "estimator": {**given["estimator"], **estimator}}, "model")
    assert isinstance(found, EstimatorModel)
    return found


def quick(name: str, task: str) -> EstimatorModel:
    """Compose an option, with few trees."""
    told = BOOSTED.get(name, QUICK)
    present = settings(name, task)["estimator"]
    return option(name, task, **{key: value for key, value in told.items() if key in present})


def raw_rows() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "key": [f"k{at // 3}" for at in range(ROWS)],
            "price": np.where(rng.random(ROWS) < 0.1, np.nan, rng.normal(size=ROWS)),
            "items": rng.integers(1, 9, ROWS),
            "state": rng.choice(np.array(["SP", "RJ", None], dtype=object), ROWS),
            "city": [f"city {value}" for value in rng.integers(0, 40, ROWS)],
            "comment": [f"it came as number {at} today" for at in range(ROWS)],
        }
    )


def pairs() -> list[Any]:
    """Every option with every target that it does."""
    found = []
    for name in OPTIONS:
        targets = OmegaConf.load(CONF / "model" / f"{name}.yaml").targets
        for labels in LABELS:
            task = "regression" if labels == "regression" else "classification"
            if targets is None or targets[task] is not None:
                found.append(pytest.param(name, task, labels, id=f"{name}-{labels}"))
    return found


@pytest.fixture(scope="module")
def quiet_mlflow() -> Any:
    import mlflow.sklearn

    return mlflow


@pytest.mark.filterwarnings("ignore:.*type hint.*:UserWarning")
@pytest.mark.parametrize(("name", "task", "labels"), pairs())
def test_every_option_survives_mlflow(name: str, task: Any, labels: str, tmp_path: Path, quiet_mlflow: Any) -> None:
    raw, target = raw_rows(), LABELS[labels](np.random.default_rng(1))
    roles = Roles(target="answer", ignore=("key",))
    features = raw.drop(columns="key")
    model = quick(name, task)
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
    def test_every_key_has_its_comment(self, name: str) -> None:
        lines = (CONF / "model" / f"{name}.yaml").read_text().splitlines()
        assert lines[0].startswith("# ")
        bare = ("defaults:", "  - _self_", "")
        assert [line for line in lines if "# " not in line and line not in bare] == []

    def test_the_name_is_the_files(self, name: str) -> None:
        assert OmegaConf.load(CONF / "model" / f"{name}.yaml").name == name

    def test_the_search_space_is_in_hydras_grammar_and_names_keys_of_the_option(self, name: str) -> None:
        given = settings(name, "regression" if name != "logistic_regression" else "classification")
        for key, space in given["search"].items():
            group, _, last = key.partition(".")
            assert last in given[group]
            assert OverridesParser.create().parse_override(f"model.{key}={space}").is_sweep_override()


def test_another_features_option_is_a_choice() -> None:
    assert settings("ridge", "regression")["features"]["scale"] == "standard"
    assert settings("ridge", "regression", "features@model.features=native")["features"]["impute"] is None


WRONG = [
    pytest.param(
        "xgboost",
        "regression",
        {"n_estimatrs": 5},
        ["model.estimator.n_estimatrs: XGBRegressor has no such argument. Did you mean 'n_estimators'?"],
        id="xgboost, misspelt",
    ),
    pytest.param(
        "xgboost",
        "classification",
        {"num_trees_of_mine": 5, "max_dept": 3},
        [
            "model.estimator.num_trees_of_mine: XGBClassifier has no such argument.",
            "model.estimator.max_dept: XGBClassifier has no such argument. Did you mean 'max_depth'?",
        ],
        id="xgboost, two at once",
    ),
    pytest.param(
        "rf",
        "regression",
        {"n_estimator": 5},
        ["model.estimator.n_estimator: RandomForestRegressor has no such argument. Did you mean 'n_estimators'?"],
        id="sklearn, misspelt",
    ),
    pytest.param(
        "lightgbm",
        "classification",
        {"num_leafs": 5},
        ["model.estimator.num_leafs: LGBMClassifier has no such argument. Did you mean 'num_leaves'?"],
        id="lightgbm, misspelt",
    ),
    pytest.param(
        "catboost",
        "regression",
        {"iteration": 5},
        ["model.estimator.iteration: CatBoostRegressor has no such argument. Did you mean 'iterations'?"],
        id="catboost, misspelt",
    ),
    pytest.param(
        "xgboost",
        "regression",
        {"early_stopping_rounds": 5},
        [
            "model.estimator.early_stopping_rounds: early stopping needs validation rows, but a model is fitted on training rows only; "
            "set the number of rounds."
        ],
        id="early stopping",
    ),
    pytest.param(
        "custom",
        "regression",
        {"_target_": "sklearn.ensemble.RandomForestRegresor"},
        [
            "model.estimator._target_: sklearn.ensemble has no class 'RandomForestRegresor'. "
            "Did you mean 'RandomForestRegressor'?"
        ],
        id="class, misspelt",
    ),
    pytest.param(
        "custom",
        "regression",
        {"_target_": "sklern.svm.SVR"},
        [
            "model.estimator._target_: cannot import 'sklern.svm.SVR' (No module named 'sklern'); "
            "install its package or correct the path."
        ],
        id="module, misspelt",
    ),
    pytest.param(
        "custom",
        "regression",
        {"_target_": "SVR"},
        ["model.estimator._target_: 'SVR' is not a path to a class; write module.Class."],
        id="no module",
    ),
    pytest.param(
        "custom",
        "regression",
        {"_target_": "sklearn.metrics.r2_score"},
        ["model.estimator._target_: sklearn.metrics.r2_score is not a class; name one with fit and predict."],
        id="function",
    ),
    pytest.param(
        "custom",
        "regression",
        {"_target_": "collections.Counter"},
        ["model.estimator._target_: collections.Counter has no fit and no predict; name an estimator's class."],
        id="no estimator",
    ),
    pytest.param(
        "custom",
        "regression",
        {"_target_": "sklearn.preprocessing.StandardScaler"},
        ["model.estimator._target_: sklearn.preprocessing.StandardScaler has no predict; name an estimator's class."],
        id="transformer",
    ),
    pytest.param(
        "custom",
        "regression",
        {"_target_": "sklearn.svm.SVC"},
        ["model.estimator._target_: sklearn.svm.SVC is a classifier, but dataset.task is regression; change either."],
        id="classifier on numbers",
    ),
    pytest.param(
        "custom",
        "classification",
        {"_target_": "sklearn.svm.SVR"},
        [
            "model.estimator._target_: sklearn.svm.SVR is a regressor, but dataset.task is classification; "
            "change either."
        ],
        id="regressor on classes",
    ),
    pytest.param(
        "custom",
        "regression",
        {"_target_": "sklearn.ensemble.BaggingRegressor", "estimator": {"_target_": "sklearn.svm.SVR", "c": 1}},
        ["model.estimator.estimator.c: SVR has no such argument."],
        id="nested, misspelt",
    ),
    pytest.param(
        "custom",
        "regression",
        {
            "_target_": "sklearn.ensemble.VotingRegressor",
            "estimators": [["a", {"_target_": "sklearn.svm.SVM"}]],
        },
        ["model.estimator.estimators.0.1._target_: sklearn.svm has no class 'SVM'. Did you mean 'SVR'?"],
        id="in a list, misspelt",
    ),
    pytest.param(
        "custom",
        "regression",
        {"_target_": "sklearn.ensemble.VotingRegressor"},
        [
            "model.estimator: VotingRegressor refuses its arguments "
            "(VotingRegressor.__init__() missing 1 required positional argument: 'estimators')."
        ],
        id="argument left out",
    ),
    pytest.param(
        "rf",
        "regression",
        {"n_estimators": -1},
        [
            "model.estimator: The 'n_estimators' parameter of RandomForestRegressor must be an int in the range "
            "[1, inf). Got -1 instead."
        ],
        id="value out of range",
    ),
]


@pytest.mark.parametrize(("name", "task", "estimator", "said"), WRONG)
def test_what_is_wrong_is_said(name: str, task: Any, estimator: dict[str, Any], said: list[str]) -> None:
    assert option(name, task, **estimator).problems(task) == said


@pytest.mark.parametrize(
    ("name", "task", "able"),
    [("linear_regression", "classification", "regression"), ("logistic_regression", "regression", "classification")],
)
def test_an_impossible_pair_is_said(name: str, task: Any, able: str) -> None:
    said = option(name, task).problems(task)
    assert said == [f"model={name} does {able} only, but dataset.task is {task}; choose another model."]


def test_custom_without_a_class_is_said() -> None:
    model = build(settings("custom", "regression"), "model")
    said = ["model.estimator._target_ is not set; name a class, as in model.estimator._target_=sklearn.svm.SVR."]
    assert model.problems("regression") == said


@pytest.mark.parametrize("extra", ["lightgbm", "catboost"])
def test_an_extra_that_is_not_installed_is_said(extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Absent:
        def find_spec(self, name: str, *_: Any) -> None:
            if name.partition(".")[0] == extra:
                raise ModuleNotFoundError(f"No module named '{extra}'", name=extra)

    for module in [name for name in sys.modules if name.partition(".")[0] == extra]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(sys, "meta_path", [Absent(), *sys.meta_path])
    model = option(extra, "regression")
    said = f"model.estimator._target_: {model.estimator['_target_']} needs {extra}, which is not installed; "
    assert model.problems("regression") == [said + f"run pip install 'mlrunner[{extra}]'."]


def test_wrong_features_are_said_beside_the_rest() -> None:
    model = option("ridge", "regression", "+model.features.skale=1", "model.features.impute=mode", alpa=1)
    said = model.problems("regression")
    assert said[0].startswith("model.features.impute=mode should be 'median', ")
    assert said[1].startswith("model.features.skale is not a key; model.features has impute")
    assert said[1].endswith("Did you mean 'scale'?")
    assert said[2] == "model.estimator.alpa: Ridge has no such argument. Did you mean 'alpha'?"


def test_features_of_another_class_are_said() -> None:
    features = {"_target_": "collections.Counter"}
    model = EstimatorModel(
        name="x", targets=None, estimator={"_target_": "sklearn.svm.SVR"}, encode_labels=False, features=features
    )
    assert model.problems("regression") == [
        "model.features._target_: Counter is not a mlrunner.groups.features.Features."
    ]


@pytest.mark.parametrize(
    ("target", "name", "taken"),
    [
        ("xgboost.XGBRegressor", "gamma", True),
        ("xgboost.XGBRegressor", "anything", False),
        ("xgboost.XGBRFClassifier", "colsample_bynode", True),
        ("lightgbm.LGBMRegressor", "feature_fraction", True),
        ("lightgbm.LGBMRegressor", "verbosity", True),
        ("lightgbm.LGBMRegressor", "anything", False),
        ("catboost.CatBoostRegressor", "random_strength", True),
        ("catboost.CatBoostRegressor", "anything", False),
        ("sklearn.linear_model.SGDClassifier", "eta0", True),
        ("sklearn.linear_model.SGDClassifier", "eta", False),
        ("sklearn.linear_model.Ridge", "self", False),
        ("collections.Counter", "anything", True),
    ],
)
def test_which_arguments_a_constructor_takes(target: str, name: str, taken: bool) -> None:
    assert estimator_arguments.accepts_argument(estimator_arguments.locate(target, "key"), name) is taken


def test_nested_estimators_are_built() -> None:
    inner = {"_target_": "sklearn.svm.SVR", "C": 3}
    voting = {"_target_": "sklearn.ensemble.VotingRegressor", "estimators": [["a", inner], ["b", inner]]}
    model = option("custom", "regression", **voting)
    assert model.problems("regression") == []
    table = raw_rows()[["price", "items"]]
    fitted = model.build(table, "regression").fit(table, np.arange(ROWS))
    assert [part.C for part in fitted[-1].estimators_] == [3, 3]


def test_mapping_arguments_stay_mappings() -> None:
    model = option("custom", "classification", class_weight={"a": 2.0, "b": 1.0})
    table = raw_rows()[["price", "items"]]
    assert model.build(table, "classification")[-1].class_weight == {"a": 2.0, "b": 1.0}


@pytest.mark.parametrize(("task", "wrapped"), [("regression", False), ("classification", True)])
def test_labels_are_encoded_for_classes_only(task: Any, wrapped: bool) -> None:
    last = option("xgboost", task).build(raw_rows()[["price"]], task)[-1]
    assert isinstance(last, LabelEncodingClassifier) is wrapped


@pytest.mark.parametrize("name", [name for name in OPTIONS if name not in ("custom", "linear_regression")])
def test_two_fits_are_equal(name: str) -> None:
    table, target = raw_rows()[["price", "items", "state"]], np.array(["n", "y"] * (ROWS // 2))
    first, second = (quick(name, "classification").build(table, "classification").fit(table, target) for _ in range(2))
    np.testing.assert_array_equal(first.predict(table), second.predict(table))


def test_no_feature_is_refused() -> None:
    with pytest.raises(DataError, match=r"^Cleaning leaves no column"):
        option("ridge", "regression").build(pd.DataFrame(index=range(3)), "regression")


def test_the_model_is_frozen_and_knows_its_keys() -> None:
    with pytest.raises(ProblemsError, match=r"^model.encode_label is not a key; .* Did you mean 'encode_labels'\?$"):
        build({**settings("ridge", "regression"), "encode_label": True}, "model")
    with pytest.raises(AttributeError):
        option("ridge", "regression").name = "other"  # type: ignore[misc]


class TestModelNameConfig:
    def test_it_builds_the_model(self) -> None:
        found = ModelNameConfig(name="ridge", settings=settings("ridge", "regression")).model()
        assert isinstance(found, Model)

    def test_it_travels_as_json(self) -> None:
        config = ModelNameConfig(name="ridge", settings=settings("ridge", "regression"))
        assert ModelNameConfig.model_validate_json(config.model_dump_json()) == config

    def test_unknown_keys_are_refused(self) -> None:
        with pytest.raises(pydantic.ValidationError):
            ModelNameConfig.model_validate({"name": "x", "settings": {}, "more": 1})

    def test_another_class_is_refused(self) -> None:
        with pytest.raises(ConfigError, match=r"^model._target_: Counter is not a mlrunner.groups.model.Model.$"):
            ModelNameConfig(name="x", settings={"_target_": "collections.Counter"}).model()


def test_requirements_are_exact_and_no_more() -> None:
    table = raw_rows()[["price"]]
    fitted = quick("xgboost", "regression").build(table, "regression").fit(table, np.arange(ROWS))
    needed = ["numpy", "pandas", "pydantic", "scikit-learn", "skops", "xgboost"]
    assert sorted(pin_requirements(fitted)) == [f"{name}=={importlib.metadata.version(name)}" for name in needed]


@pytest.mark.parametrize(
    "module",
    [
        "mlrunner.groups.model",
        "mlrunner.groups.model.packaging",
        "mlrunner.groups.cleaning",
        "mlrunner.groups.features.encoders",
    ],
)
def test_importing_takes_no_framework(module: str) -> None:
    heavy = "{'hydra', 'omegaconf', 'zenml', 'mlflow', 'xgboost', 'lightgbm', 'catboost', 'matplotlib', 'sqlalchemy'}"
    code = f"import sys, {module}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=CONF.parent)
    assert done.stdout.strip() == "[]"


def test_the_model_group_needs_no_sklearn_to_be_imported() -> None:
    code = "import sys, mlrunner.groups.model; print('sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=CONF.parent)
    assert done.stdout.strip() == "False"
