# ruff: noqa: E501  (a message is one line, as it is shown)
"""The start-up check: every bad input refused in exact words, all problems together, and nothing imported."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from omegaconf import DictConfig

from mlrunner.composition import Launch, checks, diagnosis
from mlrunner.composition.checks import Checked
from mlrunner.core.errors import ProblemsError
from tests.support import bad_tables
from tests.support.front_door import PROJECT

Compose = Callable[[list[str]], DictConfig]
MODELS = (
    "catboost, custom, dummy, hist_gradient_boosting, lightgbm, linear_regression, logistic_regression, rf, ridge, "
    "xgboost"
)
SPLITS = "70_15_15, 80_20, grouped, grouped_kfold, kfold, stratified, stratified_kfold, time_ordered"
DATASETS = "breast_cancer, csv, diabetes, digits, olist, parquet, sql, wine"
TOP = (
    "dataset, cleaning, split, model, stack, gate, deployer, seed, threads, blueprint, objective, tracking, output, "
    "project, home"
)
TYPED = (
    "blueprint, cleaning, dataset, deployer, experiment, features, gate, home, model, objective, output, project, "
    "seed, split, stack, sweep and 2 more"
)
DIABETES = "age, sex, bmi, bp, s1, s2, s3, s4 and 3 more"
METRICS = "r2, rmse, mae, median_absolute_error, mape"
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

# Typed after dataset=diabetes: id -> (what is typed, every sentence).
COMPOSITIONS: dict[str, tuple[str, list[str]]] = {
    "added key": ("+typo=1", [f"typo is not a key; the composition has {TOP}."]),
    "added key, nearly right": ("+sed=1", [f"sed is not a key; the composition has {TOP}. Did you mean 'seed'?"]),
    "added key of objective": ("+objective.x=1", ["objective.x is not a key; objective has default, metric, direction."]),
    "added key of tracking": (
        "+tracking.plot=1",
        ["tracking.plot is not a key; tracking has experiment, name, log_model, keep_models, plots, tags. Did you mean 'plots'?"],
    ),
    "added key of model": (
        "+model.serch=1",
        ["model.serch is not a key; model has name, targets, estimator, encode_labels, features, search. Did you mean 'search'?"],
    ),
    "added key of split": ("+split.x=1", ["split.x is not a key; split has train, validation, test, seed, group."]),
    "added key of stack": ("+stack.x=1", ["stack.x is not a key; stack has name, artifacts, tracking_uri."]),
    "added key of a group without keys": ("+gate.x=1", ["gate.x is not a key; gate has no keys."]),
    "added argument": (
        "+model.estimator.max_dept=3",
        ["model.estimator.max_dept: XGBRegressor has no such argument. Did you mean 'max_depth'?"],
    ),
    "added argument of lightgbm": (
        "model=lightgbm +model.estimator.max_dept=3",
        ["model.estimator.max_dept: LGBMRegressor has no such argument. Did you mean 'max_depth'?"],
    ),
    "argument out of range": (
        "model=rf model.estimator.n_estimators=-5",
        ["model.estimator: The 'n_estimators' parameter of RandomForestRegressor must be an int in the range [1, inf). Got -5 instead."],
    ),
    "gate without its number": ("gate=threshold", ["gate.threshold is not set; give the r2 that is good enough."]),
    "gate of another task": (
        "gate=min_accuracy",
        ["gate.min_accuracy: accuracy is not a metric of a regression; choose gate=threshold gate.metric=r2 gate.threshold=NUMBER."],
    ),
    "champion of nobody": (
        "gate=champion",
        ["gate: it compares with what is deployed, but deployer=none deploys nothing; choose deployer=local."],
    ),
    "deployment of nothing": (
        "deployer=registry tracking.log_model=false",
        ["tracking: the deployer needs the saved model, but it is not kept; set tracking.log_model=true and tracking.keep_models=best."],
    ),
    "deployment without a name": (
        "deployer=registry deployer.name=a/b",
        ["deployer.name=a/b should be a name of letters, digits, '-', '_' and '.', at most 60 of them."],
    ),
    "deployment of no worker": ("deployer=docker deployer.workers=0", ["deployer.workers=0 should be greater than or equal to 1."]),
    "absent target": (
        "dataset.target=tarket",
        [f"dataset.target names 'tarket', which is not a column; there are {DIABETES}. Did you mean 'target'?"],
    ),
    "absent group": ("dataset.group=nosuch", [f"dataset.group names 'nosuch', which is not a column; there are {DIABETES}."]),
    "absent time": ("dataset.time=nosuch", [f"dataset.time names 'nosuch', which is not a column; there are {DIABETES}."]),
    "absent ignored": ("dataset.ignore=[bmu]", [f"dataset.ignore names 'bmu', which is not a column; there are {DIABETES}. Did you mean 'bmi'?"]),
    "absent dropped": (
        "cleaning.drop=[bmi,bpp]",
        [f"cleaning.drop names 'bpp', which diabetes does not have; its columns are {DIABETES}. Did you mean 'bp'?"],
    ),
    "absent filled": (
        "+cleaning.fill={nosuch:1}",
        [f"cleaning.fill names 'nosuch', which diabetes does not have; its columns are {DIABETES}."],
    ),
    "fill by a list": ("+cleaning.fill={bmi:[1]}", ["cleaning.fill.bmi=[1] should be true or false or a whole number or a number or text."]),
    "absent dtype": (
        "+dataset.dtypes={bmi:integer}",
        ["dataset.dtypes.bmi is 'integer', which is not a dtype; try str, category, bool, boolean, int64, Int64, float64, datetime64[ns]."],
    ),
    "every feature dropped": (
        "cleaning.drop=[age,sex,bmi,bp,s1,s2,s3,s4,s5,s6]",
        ["cleaning: none of the 11 columns is left as a feature (age, sex, bmi, bp, s1, s2, s3, s4); cleaning=full keeps text too."],
    ),
    "classifier for a regression": (
        "model=logistic_regression",
        ["model=logistic_regression does not do regression, which is dataset.task; models that do: catboost, custom, "
         "dummy, hist_gradient_boosting, lightgbm, linear_regression, rf, ridge, xgboost. Did you mean 'linear_regression'?"],
    ),
    "continuous classes": ("dataset.task=classification", [CONTINUOUS]),
    "continuous classes, classifier": ("dataset.task=classification model=logistic_regression", [CONTINUOUS]),
    "no such task": (
        "dataset.task=clasification",
        ["dataset.task=clasification should be 'regression' or 'classification'. Did you mean 'classification'?"],
    ),
    "text for a share": ("split.test=abc", ["split.test=abc should be a number."]),
    "text for a seed": ("seed=x", ["seed=x should be a whole number."]),
    "fraction for a seed": ("seed=1.5", ["seed=1.5 should be a whole number."]),
    "null for a seed": ("seed=null", ["seed=null should be a whole number."]),
    "negative seed": ("seed=-1", ["seed=-1 should be greater than or equal to 0."]),
    "mapping for a seed": ("++seed.a=1", ['seed={"a": 1} should be a whole number.']),
    "text for rows": ("dataset.rows=0", ["dataset.rows=0 should be greater than 0."]),
    "text for a list": ("dataset.ignore=bmi", ["dataset.ignore=bmi should be a list, like [a,b]."]),
    "text for a mapping": ("tracking.tags=a", ["tracking.tags=a should be keys with values, like {a: 1}."]),
    "number for text": ("model.name=3", ["model.name=3 should be text."]),
    "no output": ("output=xml", ["output=xml should be 'text' or 'json'."]),
    "no boolean": ("blueprint=maybe", ["blueprint=maybe should be true or false."]),
    "no threads": ("threads=0", ["threads=0 should be -1, which takes all, or at least 1."]),
    "fewer threads than none": ("threads=-5", ["threads=-5 should be -1, which takes all, or at least 1."]),
    "text for threads": ("threads=two", ["threads=two should be a whole number."]),
    "no metric": ("objective.metric=acuracy", [f"objective.metric=acuracy is not a metric of regression; choose {METRICS}."]),
    "metric, nearly right": ("objective.metric=rmsse", [f"objective.metric=rmsse is not a metric of regression; choose {METRICS}. Did you mean 'rmse'?"]),
    "metric of the other task": ("objective.metric=accuracy", [f"objective.metric=accuracy is not a metric of regression; choose {METRICS}."]),
    "no direction": ("objective.direction=up", ["objective.direction=up should be 'maximize' or 'minimize'."]),
    "no imputation": (
        "model.features.impute=meen",
        ["model.features.impute=meen should be 'median', 'mean' or 'most_frequent'. Did you mean 'mean'?"],
    ),
    "share above one": ("split.test=1.5", ["split.test is 1.5; a share must be above 0 and below 1."]),
    "shares do not sum": (
        "split.train=0.5 split.test=0.5",
        ["split.train, split.validation and split.test are 0.5, 0.16 and 0.5, which sum to 1.16; they must sum to 1, or one can be null to take the rest."],
    ),
    "shares leave nothing": (
        "split.test=0.9",
        ["split.validation and split.test are 0.16 and 0.9, which leaves -0.06 for split.train; lower one of them."],
    ),
    "one fold": ("split=kfold split.folds=1", ["split.folds is 1; cross-validation needs at least 2."]),
    "more folds than rows": (
        "split=kfold split.folds=1000",
        ["split.folds is 1000, but of 442 rows split.test=0.2 leaves 354; choose at most 354 folds, or read more rows."],
    ),
    "no time to go by": ("split=time_ordered", [UNTIMED]),
    "no group to keep": ("split=grouped", [UNGROUPED]),
    "no group to fold": ("split=grouped_kfold", [UNGROUPED]),
    "file store": ("stack.tracking_uri=file:./mlruns", [f"stack.tracking_uri=file:./mlruns {FOLDER}"]),
    "folder as store": ("stack.tracking_uri=./mlruns", [f"stack.tracking_uri=./mlruns {FOLDER}"]),
    "no server": ("stack=zenml_server", ["stack.url is not set; give the ZenML server's URL, or set ZENML_STORE_URL."]),
    "no tracking server": ("stack=mlflow_server stack.tracking_uri=null", ["stack.tracking_uri=null should be text."]),
    "custom without class": ("model=custom", [NAME_A_CLASS]),
    "custom function": (f"{TARGET}os.getcwd", ["model.estimator._target_: os.getcwd is not a class; name one with fit and predict."]),
    "custom class, nearly right": (f"{TARGET}sklearn.svm.SVRR", ["model.estimator._target_: sklearn.svm has no class 'SVRR'. Did you mean 'SVR'?"]),
    "custom word": (f"{TARGET}nope", ["model.estimator._target_: 'nope' is not a path to a class; write module.Class."]),
    "custom package": (
        f"{TARGET}nope.Nope",
        ["model.estimator._target_: cannot import 'nope.Nope' (No module named 'nope'); install its package or correct the path."],
    ),
    "custom classifier": (f"{TARGET}sklearn.svm.SVC", ["model.estimator._target_: sklearn.svm.SVC is a classifier, but dataset.task is regression; change either."]),
    "custom transformer": (
        f"{TARGET}sklearn.preprocessing.StandardScaler",
        ["model.estimator._target_: sklearn.preprocessing.StandardScaler has no predict; name an estimator's class."],
    ),
    "group of a function": ("split._target_=os.getcwd", [f"split._target_=os.getcwd is no class; {KIND}"]),
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
    "interpolation, nearly right": (
        "+model.estimator.x=${sed}",
        ["model.estimator.x refers to ${sed}, but the composition has no key sed; correct it. Did you mean 'seed'?"],
    ),
    "interpolated seed": ("seed=${nope}", ["seed refers to ${nope}, but the composition has no key nope; correct it."]),
    "no such resolver": (
        "seed=${nope:1}",
        ["seed cannot be resolved: Unsupported interpolation type nope; correct what is between ${ and }."],
    ),
    "deleted group": ("~model", [f"model is not in the composition, but every run needs one; choose model=OPTION, one of {MODELS}."]),
    "deleted data set": ("~dataset", [f"dataset is not in the composition, but every run needs one; choose dataset=OPTION, one of {DATASETS}."]),
    "deleted key": ("~seed", ["seed is not set; give it a value."]),
    "deleted section": ("~objective", ["objective is not set; give it a value."]),
    "deleted estimator": ("~model.estimator", ["model.estimator is not set; give it a value."]),
    "forgotten seed": ("seed=", ["seed= has no value; write one behind the = or leave seed= out."]),
    "forgotten target": ("dataset.target=", ["dataset.target= has no value; write one behind the = or leave dataset.target= out."]),
    "forgotten argument": (
        "model.estimator.max_depth=",
        ["model.estimator.max_depth= has no value; write one behind the = or leave model.estimator.max_depth= out."],
    ),
    "several groups deleted and a value forgotten": (
        "~split ~model seed=",
        [f"split is not in the composition, but every run needs one; choose split=OPTION, one of {SPLITS}.",
         f"model is not in the composition, but every run needs one; choose model=OPTION, one of {MODELS}.",
         "seed= has no value; write one behind the = or leave seed= out."],
    ),
    "one of everything": (
        "+typo=1 +model.estimator.max_dept=3 cleaning.drop=[bmo] seed=x split.test=0.9 objective.metric=acuracy output=xml dataset.target=progres stack.tracking_uri=file:./mlruns",
        ["seed=x should be a whole number.",
         "output=xml should be 'text' or 'json'.",
         f"typo is not a key; the composition has {TOP}.",
         f"dataset.target names 'progres', which is not a column; there are {DIABETES}.",
         f"cleaning.drop names 'bmo', which diabetes does not have; its columns are {DIABETES}. Did you mean 'bmi'?",
         "split.validation and split.test are 0.16 and 0.9, which leaves -0.06 for split.train; lower one of them.",
         "model.estimator.max_dept: XGBRegressor has no such argument. Did you mean 'max_depth'?",
         f"objective.metric=acuracy is not a metric of regression; choose {METRICS}.",
         f"stack.tracking_uri=file:./mlruns {FOLDER}"],
    ),
    "csv without anything": ("dataset=csv", [NO_PATH, NO_TARGET]),
    "parquet without anything": ("dataset=parquet", [NO_PATH, NO_TARGET]),
    "sql without anything": (
        "dataset=sql",
        ["dataset.url is not set; give a SQLAlchemy URL, e.g. dataset.url=sqlite:///file.db.",
         "dataset.query is not set; give a SELECT, e.g. \"dataset.query='select * from orders'\".", NO_TARGET],
    ),
    "csv without anything, and the rest is looked at": (
        "+typo=1 dataset=csv model=custom seed=x objective.metric=nosuch",
        ["dataset.path is not set; name a file, a glob or a URL, e.g. dataset.path=data/table.csv.", NO_TARGET,
         "seed=x should be a whole number.", f"typo is not a key; the composition has {TOP}.", NAME_A_CLASS,
         f"objective.metric=nosuch is not a metric of any task; choose {METRICS}, accuracy, balanced_accuracy, f1, precision, recall, roc_auc, log_loss."],
    ),
    "task unknown, arguments checked": (
        "dataset=csv model=logistic_regression +model.estimator.foo=1",
        [NO_PATH, NO_TARGET, "model.estimator.foo: LogisticRegression has no such argument."],
    ),
    "task unknown, a custom class of either": (
        f"dataset=csv {TARGET}sklearn.svm.SVC +model.estimator.CC=1",
        [NO_PATH, NO_TARGET, "model.estimator.CC: SVC has no such argument. Did you mean 'C'?"],
    ),
}  # fmt: skip

# A file of tests/support/bad_tables.py: id -> (file, what else is typed, what follows "dataset.path names '...', which").
UNREADABLE: dict[str, tuple[str, str]] = {
    "empty.csv": ("is empty (0 bytes); name a file that has a header and rows.", ""),
    "blank.csv": ("is empty (blank lines only); name a file that has a header and rows.", ""),
    "image.csv": ("is not CSV but an image; name another file or set dataset.format.", ""),
    "parquet.csv": ("is not CSV but Parquet; name another file or set dataset.format.", ""),
    "ragged.csv": ("is not CSV: line 3 has 5 fields where 3 are expected; correct it or set ++dataset.options.sep.", ""),
    "semicolon.csv": ("has one column only, but 3 when split at ';'; set \"++dataset.options.sep=';'\".", ""),
    "tab.csv": ("has one column only, but 3 when split at '\\t'; set \"++dataset.options.sep='\\t'\".", ""),
    "duplicate.csv": ("has duplicate column names: a (2 times); rename them in the file.", ""),
    "latin.csv": ("is not utf-8 text (byte 0xe9); set the right encoding, for example ++dataset.options.encoding=latin-1.", ""),
    "utf16.csv": ("is not utf-8 text but UTF-16; set ++dataset.options.encoding=utf-16.", ""),
    "zero.parquet": ("is empty (0 bytes); name a file that has a header and rows.", "dataset=parquet"),
    "text.parquet": ("is not Parquet but text, perhaps CSV; name another file or set dataset.format.", "dataset=parquet"),
    "godo.csv": ("does not exist or cannot be reached; name a file, a glob or a URL. Did you mean 'good.csv'?", ""),
}  # fmt: skip

RARE = "the rarest class of the target has 1 members (rows or whole groups), but"
MEND_RARE = "choose split=80_20 or split=kfold, or leave that class out."
# Readable, but nothing to learn: id -> (file, what else is typed, every sentence).
UNFIT: dict[str, tuple[str, str, list[str]]] = {
    "header only": ("header.csv", "", ["dataset has a header but no rows; name another source."]),
    "all-missing target": ("missing.csv", "", ["dataset.target 'y' is missing in each of the 20 rows; name another column."]),
    "one class": ("one_class.csv", "", ["dataset.target 'y' has the single value 'yes', so there is nothing to learn; name another column."]),
    "infinite feature": ("infinite.csv", "", ["dataset has infinite values in a (1) (rows); correct them or list the columns in dataset.ignore."]),
    "infinite target": ("infinite_target.csv", "", ["dataset.target 'y' is infinite in 1 row; correct or leave out that row."]),
    "fewer rows than folds": (
        "four_rows.csv", "split=kfold",
        ["split.folds is 5, but of 4 rows split.test=0.2 leaves 3; choose at most 3 folds, or read more rows."],
    ),
    "fewer rows than parts": (
        "four_rows.csv", "dataset.rows=2",
        ["split needs at least 3 rows, one each for train, validation and test, but the data has 2."],
    ),
    "words as numbers": (
        "words.csv", "dataset.task=regression",
        ["dataset.task is regression, but dataset.target 'y' holds text (such as 'no'); set dataset.task=classification or name a numeric column."],
    ),
    "fractions as classes": (
        "good.csv", "dataset.task=classification model=logistic_regression",
        ["dataset.task is classification, but dataset.target 'y' is continuous (15 different values, such as 0.5); set dataset.task=regression or name another column."],
    ),
    "rare class, stratified": ("rare.csv", "split=stratified", [f"{RARE} train, validation and test need at least 3; {MEND_RARE}"]),
    "rare class, folds": ("rare.csv", "split=stratified_kfold", [f"{RARE} 5 folds and the test need at least 6; {MEND_RARE}"]),
    "text only": (
        "text_only.csv", "",
        ["cleaning: none of the 3 columns is left as a feature (a, b, y); cleaning=full keeps text too."],
    ),
    "nothing but the target": (
        "good.csv", "dataset.ignore=[a,b]",
        ["dataset leaves no column to learn from: of a, b, y, each is ignored or the target, group or time."],
    ),
    "no such column of a type": ("good.csv", "+dataset.dtypes={c:int}", ["dataset.dtypes.c: there is no such column; there are a, b, y."]),
    "no such option of pandas": ("good.csv", "++dataset.options.seb=1", ["dataset.options.seb is not an option of pandas.read_csv. Did you mean 'sep'?"]),
    "all parts absent": (
        "four_rows.csv", "dataset.target=z dataset.group=g cleaning.drop=[q]",
        ["dataset.target names 'z', which is not a column; there are a, b, y.",
         "dataset.group names 'g', which is not a column; there are a, b, y.",
         "cleaning.drop names 'q', which csv (four_rows.csv) does not have; its columns are a, b, y."],
    ),
}  # fmt: skip

# Hydra itself refuses these: id -> (what is typed, every sentence).
COMMAND_LINES: dict[str, tuple[str, list[str]]] = {
    "group": ("modle=rf", [f"modle is not a key; the composition has {TYPED}. Did you mean 'model'?"]),
    "option": ("model=xgbost", [f"model=xgbost is not an option; model has {MODELS}. Did you mean 'xgboost'?"]),
    "option of numbers": ("split='70_15_16'", [f"split=70_15_16 is not an option; split has {SPLITS}. Did you mean '70_15_15'?"]),
    "empty option": ("model=", [f"model= is not an option; model has {MODELS}."]),
    "null option": ("model=null", [f"model=null is not an option; model has {MODELS}."]),
    "option of a nested group": (
        "features@model.features=tree",
        ["features=tree is not an option; features has linear, native, trees. Did you mean 'trees'?"],
    ),
    "option of hydra": (
        "hydra/launcher=jolib", ["hydra/launcher=jolib is not an option; hydra/launcher has basic, joblib, submitit_local, submitit_slurm. Did you mean 'joblib'?"],
    ),
    "group without that option": ("gate=treshold", ["gate=treshold is not an option; gate has all_of, champion, min_accuracy, none, threshold. Did you mean 'threshold'?"]),
    "key of a group without keys": (
        "gate.threshold=0.3",
        ["gate.threshold is not a key, for the chosen gate has none; choose gate=all_of or champion or min_accuracy or threshold with it."],
    ),
    "key": ("split.tset=0.3", ["split.tset is not a key; split has group, seed, test, train, validation. Did you mean 'test'?"]),
    "argument": (
        "model=ridge model.estimator.alhpa=2",
        ["model.estimator.alhpa is not a key; model.estimator has alpha, random_state. Did you mean 'alpha'?"],
    ),
    "key to add": (
        "model=ridge model.estimator.zzz=2",
        ["model.estimator.zzz is not a key; model.estimator has alpha, random_state. To add it on purpose, write +model.estimator.zzz=VALUE."],
    ),
    "key of a value": ("seed.a=1", ["seed.a is not a key; seed holds a value and no keys."]),
    "names of a mapping": (
        "cleaning.fill={nosuch:1}",
        ["cleaning.fill has no key nosuch; to add it on purpose, write '+cleaning.fill={nosuch:1}'."],
    ),
    "deleted key": ("~modle", [f"modle is not a key; the composition has {TYPED}. Did you mean 'model'?"]),
    "list without multirun": ("model=rf,ridge", ["model=rf,ridge holds several values, which only a grid takes; add --multirun."]),
    "not an override": ("model=[rf", ["'model=[rf' is not an override; write GROUP=OPTION or key.subkey=value, in quotes where the shell would split it."]),
    "several": (
        "cleaning=ful model=rfx split.tset=1 sed=3",
        ["cleaning=ful is not an option; cleaning has dates, full, none, preprocess, robust. Did you mean 'full'?",
         f"model=rfx is not an option; model has {MODELS}. Did you mean 'rf'?",
         "split.tset is not a key; split has group, seed, test, train, validation. Did you mean 'test'?",
         f"sed is not a key; the composition has {TYPED}. Did you mean 'seed'?"],
    ),
    "nothing wrong": ("model=rf seed=3 +model.estimator.max_depth=3 ~cleaning.drop", []),
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
    """Check a command line as the runner would."""
    return checks.check(compose(typed), Launch({}, typed, folder / "run"))


def problems(compose: Compose, typed: list[str], folder: Path) -> list[str]:
    """The sentences that a command line is refused with; nothing may have been written."""
    with pytest.raises(ProblemsError) as refused:
        check(compose, typed, folder)
    assert list(folder.iterdir()) == []
    assert refused.value.exit_code == 2
    return refused.value.problems


def of_file(path: Path, more: str) -> list[str]:
    """What is typed to learn y from a file."""
    dataset = [] if "dataset=" in more else ["dataset=csv"]
    return [*dataset, f"dataset.path={path}", "dataset.target=y", *more.split()]


@pytest.mark.parametrize("case", COMPOSITIONS)
def test_a_bad_composition_is_refused(case: str, compose: Compose, home: Path) -> None:
    typed, expected = COMPOSITIONS[case]
    overrides = typed.split() if "dataset=" in typed else ["dataset=diabetes", *typed.split()]
    assert problems(compose, overrides, home) == expected


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_unreadable_file_is_refused(name: str, compose: Compose, tables: Path, home: Path) -> None:
    expected, more = UNREADABLE[name]
    typed = of_file(tables / name, more)
    assert problems(compose, typed, home) == [f"dataset.path names '{tables / name}', which {expected}"]


@pytest.mark.parametrize("case", UNFIT)
def test_an_unfit_table_is_refused(case: str, compose: Compose, tables: Path, home: Path) -> None:
    name, more, expected = UNFIT[case]
    assert problems(compose, of_file(tables / name, more), home) == expected


def test_an_unreadable_file_hides_no_other_mistake(compose: Compose, tables: Path, home: Path) -> None:
    typed = [*of_file(tables / "empty.csv", "split.test=abc model=custom"), "+typo=1"]
    assert [sentence.split()[0] for sentence in problems(compose, typed, home)] == [
        "dataset.path",
        "typo",
        "split.test=abc",
        "model.estimator._target_",
    ]


def test_a_good_composition_passes_and_writes_nothing(compose: Compose, tables: Path, home: Path) -> None:
    checked = check(compose, of_file(tables / "good.csv", "model=ridge"), home)
    assert checked.data.task == "regression"
    assert set(checked.code) == {"dataset", "cleaning", "split"}
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("model", ["linear_regression", "ridge", "rf", "xgboost", "dummy", "hist_gradient_boosting"])
@pytest.mark.parametrize("split", SPLITS.split(", ")[:2])
def test_no_good_composition_is_refused(model: str, split: str, compose: Compose, home: Path) -> None:
    check(compose, ["dataset=diabetes", f"model={model}", f"split='{split}'"], home)


@pytest.mark.parametrize("case", COMMAND_LINES)
def test_a_bad_command_line_is_refused(case: str) -> None:
    typed, expected = COMMAND_LINES[case]
    assert diagnosis.diagnose(typed.split()) == expected


def test_a_grid_may_list_options_and_each_is_looked_at() -> None:
    assert diagnosis.diagnose(["model=rf,ridge"], multirun=True) == []
    assert diagnosis.diagnose(["split=kfold,'80_20'"], multirun=True) == []
    assert diagnosis.diagnose(["model=rf,hist_gradient_boosting", "model.estimator.min_samples_leaf=3"], True) == [
        "model.estimator.min_samples_leaf is not a key of the default, where Hydra's own grid looks for it; write "
        "++model.estimator.min_samples_leaf=3, or add sweep=grid."
    ]
    (sentence,) = diagnosis.diagnose(["model=rf,ridge", "model.estimator.alpha=1"], multirun=True)
    assert sentence.startswith("with model=rf, model.estimator.alpha is not a key; model.estimator has max_depth,")
    assert diagnosis.diagnose(["model=rf,rigde"], multirun=True) == [
        f"model=rigde is not an option; model has {MODELS}. Did you mean 'ridge'?"
    ]


def test_the_check_imports_no_framework(home: Path) -> None:
    code = "import sys, mlrunner.composition.checks; print([m for m in ('zenml', 'mlflow') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT, check=True)
    assert done.stdout.strip() == "[]"
    assert list(home.iterdir()) == []
