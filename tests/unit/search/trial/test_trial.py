"""Tasks and results of trials go through files and pipes unchanged."""

from __future__ import annotations

import math
import pickle
from dataclasses import fields
from pathlib import Path

import pytest

from mlrunner.core.column_roles import Roles
from mlrunner.search.trial import TRIAL_TASK_FILE, RepeatTask, TrialResult, TrialTask, is_trial
from tests.support.trials import INF, NAN, family_settings

TASKS = [
    pytest.param(TrialTask(0, (), Roles("y"), "regression", "r2"), id="defaults"),
    pytest.param(
        TrialTask(
            7, (RepeatTask("a", "b", "", {"x": None}),), Roles("y", ("a", "b"), "g", "t"), "classification", "f1"
        ),
        id="roles",
    ),
    pytest.param(
        TrialTask(
            number=8,
            repeats=(RepeatTask("é", "", "f", family_settings("rf")),) * 2,
            roles=Roles("y"),
            task="regression",
            metric="r2",
            threads=3,
            prunes=True,
            each_fold=True,
            model_file="/a b/model",
        ),
        id="everything",
    ),
]


@pytest.mark.parametrize("task", TASKS)
def test_a_task_survives_json_and_pickle(task: TrialTask) -> None:
    assert TrialTask.from_json(task.to_json()) == task
    assert isinstance(TrialTask.from_json(task.to_json()).roles.ignore, tuple)
    assert pickle.loads(pickle.dumps(task)) == task


def test_a_result_survives_its_file_and_pickle(tmp_path: Path) -> None:
    metrics = {"r2": 0.1, "cv/r2_std": 1e-17}
    result = TrialResult(3, "FAIL", metrics, [0.1, 0.2], 1.5, 0.5, 0.25, "it broke", "Traceback")
    result.write(tmp_path)
    assert TrialResult.read(tmp_path) == result
    assert pickle.loads(pickle.dumps(result)) == result


def test_scores_that_are_not_finite_survive_the_file(tmp_path: Path) -> None:
    TrialResult(3, "FAIL", {"r2": INF}, [NAN, 0.5]).write(tmp_path)
    result = TrialResult.read(tmp_path)
    assert math.isnan(result.scores[0])
    assert (result.scores[1], result.metrics) == (0.5, {"r2": INF})


def test_a_task_has_no_field_for_test_rows() -> None:
    assert [field.name for field in fields(RepeatTask)] == ["train", "validation", "folds", "model"]


def test_a_folder_with_a_task_is_that_of_a_trial(tmp_path: Path) -> None:
    assert not is_trial(tmp_path)
    (tmp_path / TRIAL_TASK_FILE).write_text("{}")
    assert is_trial(tmp_path)
