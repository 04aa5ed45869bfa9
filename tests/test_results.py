"""What Python gets from a sweep, and what it may not give; whole calls are in `apps/test_verbs.py`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from mlrunner import api
from mlrunner.errors import ConfigError
from mlrunner.outcome import Outcome
from mlrunner.results import sweep_of


def trial(name: str, status: str, objective: float = math.nan, run_id: str | None = "a" * 32) -> dict[str, Any]:
    """A trial as a sweep prints it."""
    found = Outcome(name, status, "r2", "maximize", objective, 1.0, 0.5, 0.1, {}, run_id, None, f"/day/time/{name}")
    told: dict[str, Any] = json.loads(found.json())
    return told


@pytest.mark.parametrize(
    ("trials", "best"),
    [
        ([trial("a", "FINISHED", 0.5), trial("b", "PRUNED")], "a"),
        ([trial("b", "PRUNED"), trial("a", "FINISHED", 0.5)], "a"),
        ([trial("b", "PRUNED"), trial("c", "FAILED", run_id=None)], None),
        ([trial("c", "FINISHED", 0.5, run_id=None)], None),
    ],
)
def test_the_best_of_a_sweep_is_one_that_came_to_its_end(trials: list[dict[str, Any]], best: str | None) -> None:
    found = sweep_of(trials)
    assert (None if found.best is None else found.best.name) == best
    assert found.frame["name"].tolist() == [one["name"] for one in trials]
    assert found.id == "day/time"


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: api.diff("latest", composition="model=rf"), "composition"),
        (lambda: api.deploy("latest", "model=rf"), "overrides"),
    ],
)
def test_one_text_is_no_list_of_overrides(call: Callable[[], Any], what: str) -> None:
    with pytest.raises(ConfigError, match=rf"{what} is a list of texts, like \['model=rf'\], and not one text."):
        call()
