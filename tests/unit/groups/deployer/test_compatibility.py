"""What differs between a deployed model and another one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from mlrunner.groups.deployer.compatibility import compare_classes, compare_columns, compare_tasks, describe_task
from mlrunner.tracking.records.record import TARGET_TAG, TASK_TAG

TIP = {TARGET_TAG: "tip", TASK_TAG: "regression"}


def test_the_tags_of_a_version_come_from_the_facts_of_its_run() -> None:
    assert describe_task({"target": "tip", "task": "regression", "metric": "r2"}) == TIP
    assert describe_task({}) == {}


@pytest.mark.parametrize(
    ("tags", "target", "task", "difference"),
    [
        (TIP, "tip", "regression", None),
        ({}, "tip", "regression", None),
        (TIP, "fare", "regression", "predicts tip, not fare"),
        (TIP, "tip", "classification", "does regression of tip, not classification"),
        (TIP, "fare", "classification", "predicts tip, not fare"),
    ],
)
def test_target_and_task(tags: dict[str, str], target: str, task: str, difference: str | None) -> None:
    assert compare_tasks(tags, target, task) == difference


@pytest.mark.parametrize(
    ("theirs", "ours", "difference"),
    [
        (["b", "a"], ["a", "b"], None),
        (["a"], ["a", "b"], "takes also b"),
        (["a", "b"], ["a"], "takes no longer b"),
        (["a", "c", "d"], ["a", "b"], "takes no longer c, d and also b"),
    ],
)
def test_columns(theirs: list[str], ours: list[str], difference: str | None) -> None:
    assert compare_columns(theirs, ours) == difference


@pytest.mark.parametrize(
    ("theirs", "ours", "difference"),
    [
        ([1, 0], [0, 1], None),
        (None, [0, 1], None),
        ([0, 1], None, None),
        (["no", "yes"], ["often", "once"], "predicts the classes no, yes, not often, once"),
    ],
)
def test_classes(theirs: Any, ours: Any, difference: str | None) -> None:
    models = [SimpleNamespace() if labels is None else SimpleNamespace(classes_=labels) for labels in (theirs, ours)]
    assert compare_classes(*models) == difference
