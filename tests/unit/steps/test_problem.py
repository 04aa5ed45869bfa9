"""The learning problem that is handed from step to step."""

from __future__ import annotations

import pytest

from mlrunner.core.column_roles import Roles
from mlrunner.core.errors import ConfigError
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


def test_problem_of_a_data_set_survives_json_as_a_step_parameter_does() -> None:
    problem = describe_problem(DATASET)
    roles = Roles("price", ignore=("id",), group="customer")
    assert problem == Problem(roles=roles, task="regression", label="orders (orders.csv, sample)")
    assert Problem.model_validate_json(problem.model_dump_json()) == problem


def test_data_set_without_a_target() -> None:
    with pytest.raises(ConfigError, match=r"^dataset\.target is not set"):
        describe_problem({**DATASET, "target": None})
