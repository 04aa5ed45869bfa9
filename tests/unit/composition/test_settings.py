"""Each invalid key outside the config groups is one sentence."""

from __future__ import annotations

from typing import Any

import pytest

from mlrunner.composition.settings import Objective, validate_settings
from mlrunner.core.errors import ProblemsError

VALUES: dict[str, Any] = {
    "seed": 0,
    "threads": -1,
    "blueprint": False,
    "objective": {"default": {"regression": "r2"}, "metric": "r2", "direction": None},
    "metric": {},
    "tracking": {
        "experiment": "mlrunner",
        "name": None,
        "log_model": True,
        "keep_models": "best",
        "plots": True,
        "tags": {},
    },
    "output": "text",
    "project": "/project",
    "home": "/home",
    "resources": "/resources",
}


def test_valid_values_are_typed() -> None:
    settings = validate_settings(VALUES)
    assert (settings.seed, settings.home.name, settings.objective.metrics) == (0, "home", ["r2"])


@pytest.mark.parametrize(
    ("change", "start"),
    [
        ({"seed": 2**32}, "seed=4294967296 should be less than 4294967296."),
        ({"threads": 0}, "threads=0 should be -1, which takes all, or at least 1."),
        ({"output": "xml"}, "output=xml should be 'text', 'json' or 'quiet'."),
        (
            {"typo": 1},
            "typo is not a key; the composition has dataset, cleaning, split, model, stack, gate, deployer, executor,",
        ),
        ({"tracking": {**VALUES["tracking"], "plot": 1}}, "tracking.plot is not a key; tracking has experiment, name,"),
    ],
)
def test_an_invalid_value_is_refused(change: dict[str, Any], start: str) -> None:
    with pytest.raises(ProblemsError) as refused:
        validate_settings({**VALUES, **change})
    (problem,) = refused.value.problems
    assert problem.startswith(start)


def test_the_first_of_several_metrics_ranks() -> None:
    objective = Objective(default={}, metric=["mae", "r2"], direction=None)
    assert (objective.first, objective.metrics) == ("mae", ["mae", "r2"])


def test_a_warning_that_does_not_exist_cannot_be_ignored() -> None:
    with pytest.raises(ProblemsError) as raised:
        validate_settings({**VALUES, "warnings": {"ignore": ["leaking_column"]}})
    (problem,) = raised.value.problems
    assert problem.startswith("warnings.ignore=")
    assert "Did you mean 'leaking_columns'?" in problem
