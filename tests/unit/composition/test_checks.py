# ruff: noqa: E501  (a message is one line, as it is shown)
"""The check of a composition refuses each bad input with a sentence, all at once, and imports no framework."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from omegaconf import DictConfig

from mlrunner.composition import checks
from mlrunner.composition.checks import Checked
from mlrunner.composition.composition import Launch
from mlrunner.core.errors import ProblemsError
from tests.support import bad_tables

Compose = Callable[[list[str]], DictConfig]
MODELS = (
    "catboost, custom, dummy, hist_gradient_boosting, lightgbm, linear_regression, logistic_regression, rf, ridge, "
    "xgboost"
)
SPLITS = (
    "70_15_15, 80_20, expanding, grouped, grouped_kfold, kfold, rolling, stratified, stratified_kfold, time_ordered"
)
TOP = (
    "dataset, cleaning, split, model, stack, gate, deployer, executor, seed, threads, blueprint, objective, metric, "
    "tracking, warnings, output, project, home, resources"
)
DIABETES = "age, sex, bmi, bp, s1, s2, s3, s4 and 3 more"
METRICS = "r2, rmse, mae, median_absolute_error, mape, rmsle"
NO_PATH = "dataset.path is not set; name a file, a glob or a URL, e.g. dataset.path=data/table.csv."
NO_TARGET = "dataset.target is not set; name the column to predict, e.g. dataset.target=price."
FOLDER = "is a folder, which MLflow no longer accepts as a store; use sqlite:////absolute/path/mlflow.db, a server's URL, or set MLFLOW_ALLOW_FILE_STORE=true."
NAME_A_CLASS = "model.estimator._target_ is not set; name a class, as in model.estimator._target_=sklearn.svm.SVR."
UNTIMED = "split.time is not set, but this split goes by time; name the column in dataset.time, or choose split=80_20."
UNGROUPED = (
    "split.group is not set, but this split keeps groups together; name the column in dataset.group, or choose "
    "split=80_20 or split=kfold."
)
CONTINUOUS = (
    "dataset.task is classification, but dataset.target 'target' has 214 different values in 442 rows, too many for "
    "classes; set dataset.task=regression or name another column."
)
TARGET = "model=custom model.estimator._target_="
KIND = "choose an option of conf/split/, or name a class of that kind."

# Overrides after dataset=diabetes, and the sentences of the refusal.
COMPOSITIONS: dict[str, tuple[str, list[str]]] = {
    "added key, nearly right": ("+sed=1", [f"sed is not a key; the composition has {TOP}. Did you mean 'seed'?"]),
    "added key of model": (
        "+model.serch=1",
        ["model.serch is not a key; model has name, targets, estimator, encode_labels, features, class_weight, threshold, threshold_metric, positive, target_transform, early_stopping, search. Did you mean 'search'?"],
    ),
    "added key of a group without keys": ("+gate.x=1", ["gate.x is not a key; gate has no keys."]),
    "gate without its number": ("gate=threshold", ["gate.threshold is not set; give the r2 that is good enough."]),
    "champion without a deployer": (
        "gate=champion",
        ["gate: it compares with what is deployed, but deployer=none deploys nothing; choose deployer=local."],
    ),
    "deployment of nothing": (
        "deployer=registry tracking.log_model=false",
        ["tracking: the deployer needs the saved model, but it is not kept; set tracking.log_model=true and tracking.keep_models=best."],
    ),
    "absent target": (
        "dataset.target=tarket",
        [f"dataset.target names 'tarket', which is not a column; there are {DIABETES}. Did you mean 'target'?"],
    ),
    "absent dropped": (
        "cleaning.drop=[bmi,bpp]",
        [f"cleaning.drop names 'bpp', which diabetes does not have; its columns are {DIABETES}. Did you mean 'bp'?"],
    ),
    "absent filled": (
        "+cleaning.fill={nosuch:1}",
        [f"cleaning.fill names 'nosuch', which diabetes does not have; its columns are {DIABETES}."],
    ),
    "every feature dropped": (
        "cleaning.drop=[age,sex,bmi,bp,s1,s2,s3,s4,s5,s6]",
        ["cleaning: none of the 11 columns is left as a feature (age, sex, bmi, bp, s1, s2, s3, s4); "
         "leave fewer out in cleaning.drop and dataset.ignore."],
    ),
    "classifier for a regression": (
        "model=logistic_regression",
        ["model=logistic_regression does not do regression, which is dataset.task; models that do: catboost, custom, "
         "dummy, hist_gradient_boosting, lightgbm, linear_regression, rf, ridge, xgboost. Did you mean 'linear_regression'?"],
    ),
    "continuous classes": ("dataset.task=classification", [CONTINUOUS]),
    "no such task": (
        "dataset.task=clasification",
        ["dataset.task=clasification should be 'regression' or 'classification'. Did you mean 'classification'?"],
    ),
    "null for a seed": ("seed=null", ["seed=null should be a whole number."]),
    "text for a mapping": ("tracking.tags=a", ["tracking.tags=a should be keys with values, like {a: 1}."]),
    "metric, nearly right": ("objective.metric=rmsse", [f"objective.metric=rmsse is not a metric of regression; choose {METRICS}. Did you mean 'rmse'?"]),
    "more folds than rows": (
        "split=kfold split.folds=1000",
        ["split.folds is 1000, but of 442 rows split.test=0.2 leaves 354; choose split.folds=354 or fewer, or read more rows."],
    ),
    "no time to go by": ("split=time_ordered", [UNTIMED]),
    "no group to keep": ("split=grouped", [UNGROUPED]),
    "no server": ("stack=zenml_server", ["stack.url is not set; give the ZenML server's URL, or set ZENML_STORE_URL."]),
    "no tracking server": ("stack=mlflow_server stack.tracking_uri=null", ["stack.tracking_uri=null should be text."]),
    "custom without class": ("model=custom", [NAME_A_CLASS]),
    "custom class, nearly right": (f"{TARGET}sklearn.svm.SVRR", ["model.estimator._target_: sklearn.svm has no class 'SVRR'. Did you mean 'SVR'?"]),
    "group of another kind": (
        "split._target_=mlrunner.groups.cleaning.KeepAll",
        [f"split._target_=mlrunner.groups.cleaning.KeepAll is no mlrunner.groups.split.DataDivideStrategy; {KIND}"],
    ),
    "group of no class": (
        "model._target_=mlrunner.groups.model.EstimatorModl",
        ["model._target_: mlrunner.groups.model has no 'EstimatorModl'; name a class by its full path. Did you mean 'EstimatorModel'?"],
    ),
    "interpolated argument": (
        "+model.estimator.x=${nope}",
        ["model.estimator.x refers to ${nope}, but the composition has no key nope; correct it."],
    ),
    "interpolated seed": ("seed=${nope}", ["seed refers to ${nope}, but the composition has no key nope; correct it."]),
    "no such resolver": (
        "seed=${nope:1}",
        ["seed cannot be resolved: Unsupported interpolation type nope; correct what is between ${ and }."],
    ),
    "deleted key": ("~seed", ["seed is not set; give it a value."]),
    "deleted section": ("~objective", ["objective is not set; give it a value."]),
    "forgotten target": ("dataset.target=", ["dataset.target= has no value; write one behind the = or leave dataset.target= out."]),
    "several groups deleted and a value forgotten": (
        "~split ~model seed=",
        [f"split is not in the composition, but every run needs one; choose split=OPTION, one of {SPLITS}.",
         f"model is not in the composition, but every run needs one; choose model=OPTION, one of {MODELS}.",
         "seed= has no value; write one behind the = or leave seed= out."],
    ),
    "one of everything": (
        "+typo=1 +model.estimator.max_dept=3 cleaning.drop=[bmo] seed=x split.test=0.9 objective.metric=acuracy output=xml dataset.target=progres stack.tracking_uri=file:./mlruns",
        ["seed=x should be a whole number.",
         "output=xml should be 'text', 'json' or 'quiet'.",
         f"typo is not a key; the composition has {TOP}.",
         f"dataset.target names 'progres', which is not a column; there are {DIABETES}.",
         f"cleaning.drop names 'bmo', which diabetes does not have; its columns are {DIABETES}. Did you mean 'bmi'?",
         "split.validation and split.test are 0.16 and 0.9, which leaves -0.06 for split.train; lower one of them.",
         "model.estimator.max_dept: XGBRegressor has no such argument. Did you mean 'max_depth'?",
         f"objective.metric=acuracy is not a metric of regression; choose {METRICS}.",
         f"stack.tracking_uri=file:./mlruns {FOLDER}"],
    ),
    "sql without anything": (
        "dataset=sql",
        ["dataset.url is not set; give a SQLAlchemy URL, e.g. dataset.url=sqlite:///file.db.",
         "dataset.query is not set; give a SELECT, e.g. \"dataset.query='select * from orders'\".", NO_TARGET],
    ),
    "csv without anything, and other mistakes": (
        "+typo=1 dataset=csv model=custom seed=x objective.metric=nosuch",
        ["dataset.path is not set; name a file, a glob or a URL, e.g. dataset.path=data/table.csv.", NO_TARGET,
         "seed=x should be a whole number.", f"typo is not a key; the composition has {TOP}.", NAME_A_CLASS,
         f"objective.metric=nosuch is not a metric of any task; choose {METRICS}, accuracy, balanced_accuracy, f1, precision, recall, f1_macro, precision_macro, recall_macro, mcc, roc_auc, average_precision, log_loss, brier."],
    ),
    "task unknown, arguments checked": (
        "dataset=csv model=logistic_regression +model.estimator.foo=1",
        [NO_PATH, NO_TARGET, "model.estimator.foo: LogisticRegression has no such argument."],
    ),
}  # fmt: skip

RARE = "the rarest class of the target has 1 members (rows or whole groups), but"
MEND_RARE = "choose split=80_20, or leave that class out."
# A file of tests/support/bad_tables.py, further overrides, and the sentences of the refusal.
UNFIT: dict[str, tuple[str, str, list[str]]] = {
    "header only": ("header.csv", "", ["dataset has a header but no rows; name another source."]),
    "fewer rows than folds": (
        "four_rows.csv", "split=kfold",
        ["split.folds is 5, but of 4 rows split.test=0.2 leaves 3; choose split.folds=3 or fewer, or read more rows."],
    ),
    "rare class, stratified": ("rare.csv", "split=stratified", [f"{RARE} train, validation and test need at least 3; {MEND_RARE}"]),
    "text only": (
        "text_only.csv", "cleaning=preprocess",
        ["cleaning: none of the 3 columns is left as a feature (a, b, y); cleaning=full keeps text too."],
    ),
    "all parts absent": (
        "four_rows.csv", "dataset.target=z dataset.group=g cleaning.drop=[q]",
        ["dataset.target names 'z', which is not a column; there are a, b, y.",
         "dataset.group names 'g', which is not a column; there are a, b, y.",
         "cleaning.drop names 'q', which csv (four_rows.csv) does not have; its columns are a, b, y."],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bad_tables.write(tmp_path_factory.mktemp("tables"))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("MLFLOW_TRACKING_URI", "MLFLOW_ALLOW_FILE_STORE", "ZENML_STORE_URL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    return tmp_path


def check(compose: Compose, typed: list[str], folder: Path) -> Checked:
    """Check a composition as the runner does."""
    return checks.check(compose(typed), Launch({}, typed, folder / "run"))


def problems(compose: Compose, typed: list[str], folder: Path) -> list[str]:
    """Return the sentences of the refusal; nothing may have been written."""
    with pytest.raises(ProblemsError) as refused:
        check(compose, typed, folder)
    assert list(folder.iterdir()) == []
    assert refused.value.exit_code == 2
    return refused.value.problems


def overrides_for(path: Path, more: str) -> list[str]:
    """The overrides that read a file with the target y."""
    dataset = [] if "dataset=" in more else ["dataset=csv"]
    return [*dataset, f"dataset.path={path}", "dataset.target=y", *more.split()]


@pytest.mark.parametrize("case", COMPOSITIONS)
def test_a_bad_composition_is_refused(case: str, compose: Compose, home: Path) -> None:
    typed, expected = COMPOSITIONS[case]
    overrides = typed.split() if "dataset=" in typed else ["dataset=diabetes", *typed.split()]
    assert problems(compose, overrides, home) == expected


@pytest.mark.parametrize("case", UNFIT)
def test_an_unfit_table_is_refused(case: str, compose: Compose, tables: Path, home: Path) -> None:
    name, more, expected = UNFIT[case]
    assert problems(compose, overrides_for(tables / name, more), home) == expected


def test_an_unreadable_file_hides_no_other_mistake(compose: Compose, tables: Path, home: Path) -> None:
    typed = [*overrides_for(tables / "empty.csv", "split.test=abc model=custom"), "+typo=1"]
    assert [sentence.split()[0] for sentence in problems(compose, typed, home)] == [
        "dataset.path",
        "typo",
        "split.test=abc",
        "model.estimator._target_",
    ]


def test_a_good_composition_passes_and_writes_nothing(compose: Compose, tables: Path, home: Path) -> None:
    checked = check(compose, overrides_for(tables / "good.csv", "model=ridge"), home)
    assert checked.data.task == "regression"
    assert set(checked.code) == {"dataset", "cleaning", "split"}
    assert list(home.iterdir()) == []


def test_a_model_is_checked_again_without_its_data(compose: Compose, home: Path) -> None:
    known = check(compose, ["dataset=diabetes", "model=ridge"], home)
    overrides = ["dataset=diabetes", "model=rf", "model.estimator.max_depth=3", "objective.metric=mae"]
    checked = checks.recheck(compose(overrides), Launch({"model": "rf"}, overrides, home), known)
    assert checked.composition["model"]["estimator"]["max_depth"] == 3
    assert checked.composition["dataset"]["task"] == "regression"
    assert checked.data is known.data
    wrong = compose([*overrides, "+model.estimator.max_dept=3", "objective.metric=f1"])
    with pytest.raises(ProblemsError) as refused:
        checks.recheck(wrong, Launch({}, overrides, home), known)
    assert [sentence.split()[0] for sentence in refused.value.problems] == [
        "model.estimator.max_dept:",
        "objective.metric=f1",
    ]
