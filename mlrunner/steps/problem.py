"""The learning problem of a run, as steps need it: they do not rebuild the data set to read its roles."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from mlrunner.core.build import Group, build
from mlrunner.core.column_roles import Roles, Task
from mlrunner.core.score_settings import ScoreSettings
from mlrunner.groups.dataset import Dataset
from mlrunner.groups.dataset.reading import describe_reading


class Problem(BaseModel, frozen=True):
    """A learning problem.

    Args:
        roles: Roles of the columns.
        task: `regression` or `classification`.
        label: Name of the data set in plots.
        scoring: Positive class, weights and metrics of one's own, for the scores.
        reading: How CSV of its rows is read, see `mlrunner.groups.dataset.reading`.
    """

    roles: Roles
    task: Task
    label: str
    scoring: ScoreSettings = ScoreSettings()
    reading: dict[str, Any] = {}


def describe_problem(dataset: Group, metric: Group) -> Problem:
    """Read the problem from the config groups `dataset`, whose task is resolved, and `metric`."""
    source: Dataset = build(dataset, "dataset", Dataset)
    scoring = ScoreSettings(positive=source.positive, custom=metric)
    reading = describe_reading(source)
    return Problem(roles=source.roles, task=dataset["task"], label=source.label, scoring=scoring, reading=reading)
