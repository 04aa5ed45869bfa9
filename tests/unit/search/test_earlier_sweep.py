"""The results of an earlier sweep serve a search that predicts the same."""

from __future__ import annotations

import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlrunner.core.errors import ConfigError
from mlrunner.search.earlier_sweep import read_results, refuse_unlike
from mlrunner.search.results import RESULTS_FILE
from mlrunner.tracking.records.record import INVALID_TAG
from tests.support.mlflow_home import MlflowHome

DATASET = {"target": "tip", "task": "regression"}


def finish(home: Path, run_id: str, **more: Any) -> None:
    """Write the results of a finished sweep."""
    folder = home / "multirun/d/t"
    folder.mkdir(parents=True)
    (folder / RESULTS_FILE).write_text(yaml.safe_dump({"best_overrides": [], "best_mlflow_run_id": run_id, **more}))


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"target": "tip", "task": "regression"}, None),
        ({"target": "fare", "task": "regression"}, "=t has dataset.target=fare, not tip; name a sweep with tip, or"),
        ({"target": "tip", "task": "classification"}, "=t has dataset.task=classification, not regression; name"),
        (None, None),
    ],
    ids=["same", "other target", "other task", "removed"],
)
def test_an_earlier_sweep_must_predict_the_same(
    params: dict[str, str] | None, words: str | None, mlflow_home: MlflowHome
) -> None:
    run_id = mlflow_home.add_run()
    for key, value in (params or {}).items():
        mlflow_home.client.log_param(run_id, f"dataset.{key}", value)
    finish(mlflow_home.home, run_id if params is not None else "0" * 32)
    refusal = nullcontext() if words is None else pytest.raises(ConfigError, match=re.escape(words))
    with refusal:
        refuse_unlike("t", mlflow_home.home, DATASET)


def test_a_sweep_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"hydra\.sweeper\.warm_start=t is not a finished sweep; give its folder, or"):
        read_results("t", tmp_path)


def test_an_earlier_sweep_whose_best_run_is_invalid_is_refused(mlflow_home: MlflowHome) -> None:
    run_id = mlflow_home.add_run(**{INVALID_TAG: "it leaks"})
    finish(mlflow_home.home, run_id)
    with pytest.raises(ConfigError, match=rf"=t: its best run {run_id[:8]} is invalid \(it leaks\); rank the oth"):
        refuse_unlike("t", mlflow_home.home, DATASET)


def test_an_earlier_sweep_whose_winner_is_invalid_is_refused(mlflow_home: MlflowHome) -> None:
    best, winner = mlflow_home.add_run(), mlflow_home.add_run(**{INVALID_TAG: "it leaks"})
    finish(mlflow_home.home, best, winner={"run_id": winner})
    with pytest.raises(ConfigError, match=rf"run {winner[:8]} is invalid .* with mlrunner resume t, name another"):
        refuse_unlike("t", mlflow_home.home, DATASET)
