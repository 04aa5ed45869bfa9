"""Tables, models and tasks of small trials, and estimators that do what a test asks for."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_info

from mlrunner.core import arrow
from mlrunner.core.build import build
from mlrunner.core.column_roles import Roles
from mlrunner.core.folds import mark_partition
from mlrunner.evaluation.split_data import select_features
from mlrunner.groups.model import Model
from mlrunner.search import worker_process
from mlrunner.search.trial import RepeatTask, TrialResult, TrialTask
from mlrunner.search.trial.running import TrialRunner
from tests.support.predictions import score

NAN, INF = float("nan"), float("inf")
TIMEOUT = 60  # seconds, on a busy machine
TARGETS = {"regression": "y", "classification": "label"}
METRICS = {"regression": "r2", "classification": "accuracy"}
FAMILIES = ["xgboost", "lightgbm", "ridge", "rf"]
SENTENCES = ("arrived on time", "late and the box was broken", "never came at all", "fine thanks would buy again")


def feature_settings(**changes: Any) -> dict[str, Any]:
    """Settings of encoders as in conf/features/native.yaml, with few one-hot encoded categories, or others."""
    native = {
        "_target_": "mlrunner.groups.features.Features",
        "impute": None,
        "indicate_missing": False,
        "scale": None,
        "low_cardinality": 4,
        "high_cardinality": "target",
        "text_features": 8,
        "seed": 0,
    }
    return {**native, **changes}


LINEAR = feature_settings(impute="median", indicate_missing=True, scale="standard", low_cardinality=20)


def model_settings(
    target: str, features: dict[str, Any] | None = None, codes: bool = False, **arguments: Any
) -> dict[str, Any]:
    """A `model` group, resolved."""
    return {
        "_target_": "mlrunner.groups.model.EstimatorModel",
        "name": target.rpartition(".")[2],
        "targets": None,
        "estimator": {"_target_": target, **arguments},
        "encode_labels": codes,
        "features": features or feature_settings(),
        "search": {},
    }


def family_settings(name: str, task: str = "regression", **changes: Any) -> dict[str, Any]:
    """A small model of one of the families."""
    is_class = task == "classification"
    kind = "Classifier" if is_class else "Regressor"
    boost = {"n_estimators": 12, "subsample": 0.8, "random_state": 0, "n_jobs": 1}
    families: dict[str, tuple[str, dict[str, Any], bool, dict[str, Any]]] = {
        "xgboost": (f"xgboost.XGB{kind}", feature_settings(), True, {**boost, "tree_method": "hist", "max_depth": 3}),
        "lightgbm": (f"lightgbm.LGBM{kind}", feature_settings(), True, {**boost, "subsample_freq": 1, "verbosity": -1}),
        "ridge": (f"sklearn.linear_model.Ridge{'Classifier' if is_class else ''}", LINEAR, False, {}),
        "rf": (f"sklearn.ensemble.RandomForest{kind}", LINEAR, False, {"n_estimators": 8, "random_state": 0}),
    }
    target, features, codes, arguments = families[name]
    return model_settings(target, features, codes, **{**arguments, **changes})


def make_rows(count: int, seed: int) -> pd.DataFrame:
    """A cleaned table: numbers with gaps, few and many categories, text, a number and a class to predict."""
    random = np.random.default_rng(seed)
    number, gaps = random.normal(size=count), random.normal(size=count)
    few = random.choice(["a", "b", "c"], count)
    y = 2 * number + gaps + (few == "a") + random.normal(size=count) / 5
    return pd.DataFrame(
        {
            "number": number,
            "gaps": np.where(random.random(count) < 0.15, NAN, gaps),
            "few": few,
            "many": np.where(
                random.random(count) < 0.1, None, random.choice([f"c{index}" for index in range(15)], count)
            ),
            "text": random.choice(SENTENCES, count),
            "customer": random.integers(0, 9, count),
            "y": y + 20,  # positive, so that rmsle is defined
            "label": np.where(y > 1, "high", np.where(y < -1, "low", "middle")),
        },
        index=np.arange(count) * 2 + 5,
    )


def write_arrow(table: pd.DataFrame, path: Path) -> str:
    with path.open("wb") as sink:
        arrow.write_table(table, sink)
    return str(path)


@dataclass
class Data:
    """The files of one split, and the tables in them."""

    folder: Path
    train: pd.DataFrame = field(default_factory=lambda: make_rows(240, 1))
    validation: pd.DataFrame = field(default_factory=lambda: make_rows(90, 2))

    def __post_init__(self) -> None:
        numbers = np.random.default_rng(5).integers(0, 4, len(self.train))
        self.numbers, self.folds = numbers, mark_partition(numbers, self.train.index)
        self.folder.mkdir(exist_ok=True)
        self.files = {
            part: write_arrow(getattr(self, part), self.folder / f"{part}.arrow")
            for part in ("train", "validation", "folds")
        }

    def roles(self, task: str) -> Roles:
        return Roles(TARGETS[task], group="customer")

    def repeat(self, settings: dict[str, Any], folds: bool = False) -> RepeatTask:
        held_out = ("", self.files["folds"]) if folds else (self.files["validation"], "")
        return RepeatTask(self.files["train"], *held_out, model=settings)

    def task(self, *settings: dict[str, Any], task: str = "regression", folds: bool = False, **more: Any) -> TrialTask:
        """A trial of a model, with as many repeats as there are settings."""
        repeats = tuple(self.repeat(model, folds) for model in settings)
        options: dict[str, Any] = {"number": 0, "metric": METRICS[task], **more}
        kind: Any = task
        return TrialTask(repeats=repeats, roles=self.roles(task), task=kind, **options)


@dataclass
class Listener:
    """Collects reports, and prunes the trial at the n-th."""

    until: int | None = None
    reports: list[tuple[int, float]] = field(default_factory=list)

    def __call__(self, step: int, value: float) -> bool:
        self.reports.append((step, value))
        return len(self.reports) == self.until


def run_trial(
    task: TrialTask, report: Callable[[int, float], bool] | None = None, runner: TrialRunner | None = None
) -> TrialResult:
    """Run a trial; in a process that has run no trial yet unless a runner is given."""
    return (runner or TrialRunner()).run(task, report or Listener())


def run_complete(
    task: TrialTask, report: Callable[[int, float], bool] | None = None, runner: TrialRunner | None = None
) -> dict[str, float]:
    """The metrics of a trial that must be complete."""
    result = run_trial(task, report, runner)
    assert (result.state, result.error) == ("COMPLETE", None)
    return result.metrics


def score_plainly(data: Data, settings: dict[str, Any], task: str) -> dict[str, float]:
    """Fit and score in a plain pipeline, from tables that no file has held."""
    roles, kind = data.roles(task), task
    table = select_features(data.train, roles)
    fitted = build(settings, "model").build(table, task).fit(table, data.train[roles.target])
    features, target = select_features(data.validation, roles), data.validation[roles.target]
    return dict(score(fitted, features, target, kind))  # type: ignore[arg-type]


class Scripted(BaseEstimator):
    """A user's own estimator, which predicts or raises what its arguments say."""

    def __init__(self, says: Any = 0.0, raises: str | None = None, over: int = 0) -> None:
        self.says, self.raises, self.over = says, raises, over

    def fit(self, x: Any, y: Any) -> Scripted:
        del y
        if self.raises is not None and len(x) > self.over:
            raise {"ValueError": ValueError, "MemoryError": MemoryError}[self.raises]("no\n  more")
        return self

    def predict(self, x: Any) -> Any:
        return [self.says] * len(x)


def scripted(**arguments: Any) -> dict[str, Any]:
    return model_settings("tests.support.trials.Scripted", LINEAR, **arguments)


class OwnModel(Model):
    """A user's own model, which builds its whole pipeline."""

    def __init__(self, alpha: float, scaled: bool) -> None:
        self.alpha, self.scaled = alpha, scaled

    def build(self, table: pd.DataFrame, task: str) -> Pipeline:
        del table, task
        from sklearn.compose import make_column_selector, make_column_transformer
        from sklearn.impute import SimpleImputer

        numbers = make_column_transformer((SimpleImputer(), make_column_selector(dtype_include="number")))
        whole = Pipeline([("numbers", numbers), ("ridge", Ridge(self.alpha))])
        return whole if self.scaled else Pipeline([("all", whole)])

    def problems(self, task: str) -> list[str]:
        del task
        return []


class Sleeper(BaseEstimator):
    """A user's own estimator that takes time, and writes a note named by its process.

    Args:
        seconds: Duration of a fit.
        notes: Folder of the notes, which hold the numbers of threads; None writes none.
        meets: Number of notes to wait for.
        ends: How the process ends in a fit: "exit" or "at once"; None lets it live.
    """

    def __init__(self, seconds: float = 0.0, notes: str | None = None, meets: int = 0, ends: str | None = None) -> None:
        self.seconds, self.notes, self.meets, self.ends = seconds, notes, meets, ends

    def fit(self, x: Any, y: Any) -> Sleeper:
        del x
        if self.notes is not None:
            threads = [library["num_threads"] for library in threadpool_info()]
            (Path(self.notes) / str(os.getpid())).write_text(json.dumps(threads))
        deadline = time.monotonic() + TIMEOUT
        while self.meets and len(list(Path(str(self.notes)).iterdir())) < self.meets and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(self.seconds)
        if self.ends is not None:
            {"exit": sys.exit, "at once": os._exit}[self.ends](3)
        self.mean_ = float(np.mean(y))
        return self

    def predict(self, x: Any) -> Any:
        return np.full(len(x), self.mean_)


def sleeper(**arguments: Any) -> dict[str, Any]:
    return model_settings("tests.support.trials.Sleeper", LINEAR, **arguments)


def preload() -> None:
    """Let the process that all others are forked from import what the tests need."""
    worker_process.preload(
        [
            "tests.support.trials",
            "tests.support.sweeps",
            "mlrunner.search.grid_order",
            "optuna.storages._rdb.models",
            "alembic.command",
            "xgboost",
        ]
    )
