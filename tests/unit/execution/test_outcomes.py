"""Outcomes of jobs that failed."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from mlrunner.composition.composition import Launch
from mlrunner.core.errors import DataError
from mlrunner.execution.outcomes import describe_failure


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (DataError("the file\nis empty."), "the file is empty."),
        (ValueError("x < 0"), "ValueError: x < 0"),
        (KeyError("a"), "KeyError: 'a'"),
    ],
)
def test_a_failure_is_one_line_without_numbers(error: Exception, text: str) -> None:
    outcome = describe_failure(Launch({}, ["model=rf", "seed=1"], Path("/day/time/3"), job=3), error, 1.5)
    assert (outcome.error, outcome.status, outcome.name, outcome.job) == (text, "FAILED", "model=rf,seed=1", 3)
    assert (outcome.seconds, outcome.run_id, outcome.metrics) == (1.5, None, {})
    assert all(map(math.isnan, (outcome.objective, outcome.fit_seconds, outcome.score_seconds)))
