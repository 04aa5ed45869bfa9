"""A finished trial is described as the outcome of a single run."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import pytest

from mlrunner.composition.composition import Launch
from mlrunner.search.objective import Objectives
from mlrunner.search.trial import TrialResult
from mlrunner.search.trial_preparation import PreparedTrial
from mlrunner.search.trial_progress import FinishedTrial, RunningTrial, describe_outcome


def prepare(number: int) -> PreparedTrial:
    return PreparedTrial(number, (), (), Launch({}, ["model.estimator.x=1"], Path("/sweep/7"), number), {})


@pytest.mark.parametrize(("state", "status"), [("COMPLETE", "FINISHED"), ("PRUNED", "PRUNED"), ("FAIL", "FAILED")])
def test_the_outcome_of_a_trial(state: Any, status: str) -> None:
    result = TrialResult(7, state, {"r2": 0.5, "cv/r2": 0.5}, [0.5], 3.0, 1.0, 0.5, error="why")
    objectives = Objectives(("r2", "fit_seconds"), ("maximize", "minimize"))
    outcome = describe_outcome(FinishedTrial(prepare(7), result, None, 0.0), objectives)
    assert (outcome.name, outcome.status, outcome.job, outcome.folder) == ("x=1", status, 7, "/sweep/7")
    assert (outcome.metric, outcome.direction, outcome.objective) == ("r2", "maximize", 0.5)
    assert (outcome.seconds, outcome.fit_seconds, outcome.score_seconds) == (3.0, 1.0, 0.5)
    assert (outcome.metrics, outcome.error, outcome.run_id) == (result.metrics, "why", None)


def test_a_trial_without_a_score_has_no_objective() -> None:
    finished = FinishedTrial(prepare(7), TrialResult(7, "FAIL", error="why"), None, 0.0)
    assert math.isnan(describe_outcome(finished, Objectives(("r2",), ("maximize",))).objective)


def test_a_running_trial_notes_when_it_started() -> None:
    trial: Any = object()
    assert RunningTrial(trial, prepare(7), None).started == pytest.approx(time.time(), abs=5)
