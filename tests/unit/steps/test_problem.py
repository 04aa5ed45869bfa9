"""The learning problem that is handed from step to step."""

from __future__ import annotations

import pytest

from mlrunner.core.column_roles import Roles
from mlrunner.core.errors import ConfigError
from mlrunner.core.score_settings import CustomMetric, ScoreSettings
from mlrunner.steps.problem import Problem, describe_problem

DATASET = {
    "_target_": "mlrunner.groups.dataset.TableDataset",
    "name": "orders",
    "path": "orders.csv",
    "target": "price",
    "task": "regression",
    "ignore": ["id"],
    "group": "customer",
    "note": "sample",
}
COST = {"_target_": "costs.total", "direction": "minimize", "task": "regression", "arguments": {"a": 1}}


def test_problem_of_a_data_set_survives_json_as_a_step_parameter_does() -> None:
    problem = describe_problem({**DATASET, "positive": "yes"}, {"cost": COST})
    roles = Roles("price", ignore=("id",), group="customer")
    scoring = ScoreSettings(positive="yes", custom={"cost": CustomMetric(**COST)})
    assert problem == Problem(roles=roles, task="regression", label="orders (orders.csv, sample)", scoring=scoring)
    assert Problem.model_validate_json(problem.model_dump_json()) == problem


def test_data_set_without_a_target() -> None:
    with pytest.raises(ConfigError, match=r"^dataset\.target is not set"):
        describe_problem({**DATASET, "target": None}, {})
