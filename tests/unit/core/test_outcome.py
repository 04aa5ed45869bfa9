"""Outcomes: their ranking, and their file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from mlrunner.core.outcome import OUTCOME_FILE, Outcome, rank, read_outcomes

NAN, INF = float("nan"), float("inf")


def outcome(job: int | None, objective: float, direction: str = "maximize", error: str | None = None) -> Outcome:
    return Outcome(
        name=f"job={job}",
        status="FINISHED" if error is None else "FAILED",
        metric="r2",
        direction=direction,
        objective=objective,
        seconds=1.0,
        fit_seconds=0.5 if error is None else NAN,
        score_seconds=0.25 if error is None else NAN,
        metrics={"r2": objective},
        run_id=None,
        model_uri=None,
        folder=f"/sweep/{job}",
        job=job,
        error=error,
    )


@pytest.mark.parametrize(
    ("objectives", "direction", "jobs"),
    [
        ([0.1, 0.9, 0.5], "maximize", [1, 2, 0]),
        ([0.1, 0.9, 0.5], "minimize", [0, 2, 1]),
        ([NAN, 0.1, NAN, 0.2], "maximize", [3, 1, 0, 2]),
        ([NAN, 0.1, NAN, 0.2], "minimize", [1, 3, 0, 2]),
        ([NAN, -INF, 0.0], "maximize", [2, 1, 0]),
        ([NAN, INF, 0.0], "minimize", [2, 1, 0]),
        ([0.5, 0.5, 0.5], "maximize", [0, 1, 2]),
        ([0.5, 0.5, 0.5], "minimize", [0, 1, 2]),
        ([NAN, NAN], "maximize", [0, 1]),
        ([], "maximize", []),
    ],
    ids=[
        "maximize", "minimize", "nan-last-maximize", "nan-last-minimize",
        "infinite-before-nan", "infinite-before-nan-minimize", "ties", "ties-minimize", "all-nan", "none",
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_reversed", [False, True], ids=["as-run", "reversed"])
def test_rank(objectives: list[float], direction: str, jobs: list[int], is_reversed: bool) -> None:
    outcomes = [outcome(job, objective, direction) for job, objective in enumerate(objectives)]
    assert [each.job for each in rank(outcomes[::-1] if is_reversed else outcomes)] == jobs


def test_a_tenth_job_is_not_ranked_as_text() -> None:
    assert [each.job for each in rank([outcome(job, 0.5) for job in (10, 9, 2)])] == [2, 9, 10]


def test_ranking_leaves_its_input_alone() -> None:
    outcomes = [outcome(0, 0.1), outcome(1, 0.2)]
    rank(outcomes)
    assert [each.job for each in outcomes] == [0, 1]


def test_a_failure_comes_last_whatever_its_direction() -> None:
    failed = outcome(0, NAN, "maximize", error="it broke")
    assert rank([failed, outcome(1, 9.0, "minimize")])[-1] is failed


def test_results_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    written = [outcome(0, 0.25), outcome(1, NAN, error="it broke")]
    for each in written:
        folder = tmp_path / str(each.job)
        folder.mkdir()
        (folder / OUTCOME_FILE).write_text(each.json())
    (tmp_path / "2").mkdir()  # a composition that was killed leaves no result
    first, second = sorted(read_outcomes(tmp_path), key=lambda each: each.job or 0)
    assert first == written[0]
    assert (second.status, second.error, second.name) == ("FAILED", "it broke", "job=1")
    assert second.objective != second.objective
    assert second.fit_seconds != second.fit_seconds
    assert second.score_seconds != second.score_seconds


def test_a_metric_that_is_not_there_stays_absent(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    whole = dataclasses.replace(outcome(0, 0.5), metrics={"test/mape": NAN, "r2": 0.5})
    (tmp_path / "0" / OUTCOME_FILE).write_text(whole.json())
    assert read_outcomes(tmp_path)[0].metrics == {"test/mape": None, "r2": 0.5}


def test_an_empty_sweep_has_no_results(tmp_path: Path) -> None:
    assert read_outcomes(tmp_path) == []


@pytest.mark.parametrize("value", [NAN, INF, -INF], ids=["nan", "infinite", "minus-infinite"])
def test_numbers_that_json_cannot_hold_are_null(value: float) -> None:
    changed = dataclasses.replace(outcome(0, value), metrics={"test/mape": value, "r2": 0.5})
    values = json.loads(changed.json(), parse_constant=pytest.fail)
    assert (values["objective"], values["metrics"], values["run_id"]) == (None, {"test/mape": None, "r2": 0.5}, None)


def test_all_other_fields_are_in_json() -> None:
    assert json.loads(outcome(0, 0.5).json()) == dataclasses.asdict(outcome(0, 0.5))
