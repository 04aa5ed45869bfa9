"""Outcomes: their ranking, and their file."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as some

from mlrunner.core.outcome import OUTCOME_FILE, Outcome, rank, read_outcomes, separate
from tests.support.outcomes import make_outcome

NAN, INF = float("nan"), float("inf")


def outcome(job: int | None, objective: float, direction: str = "maximize", error: str | None = None) -> Outcome:
    seconds = 0.5 if error is None else NAN
    status = "FINISHED" if error is None else "FAILED"
    place = {"name": f"job={job}", "folder": f"/sweep/{job}", "job": job, "run_id": None, "model_uri": None}
    scores = {"direction": direction, "objective": objective, "metrics": {"r2": objective}}
    return make_outcome(**place, **scores, status=status, error=error, fit_seconds=seconds, score_seconds=seconds)


@given(
    some.lists(some.sampled_from([NAN, -INF, INF, 0.1, 0.5, 0.9]), max_size=12),
    some.sampled_from(["maximize", "minimize"]),
    some.randoms(),
)
def test_the_best_job_is_first_and_equal_ones_follow_their_number(
    objectives: list[float], direction: str, random: Random
) -> None:
    jobs = list(enumerate(objectives))
    random.shuffle(jobs)
    ranked = rank([outcome(job, objective, direction) for job, objective in jobs])
    sign = 1 if direction == "minimize" else -1
    keys = {job: (math.isnan(value), 0 if math.isnan(value) else sign * value, job) for job, value in jobs}
    assert [each.job for each in ranked] == sorted(keys, key=lambda job: keys[job])


def test_scores_of_different_questions_are_ranked_apart() -> None:
    questions = [(0, 0.9, "tip of taxi"), (1, 0.8, "fare of taxi"), (2, 0.7, "tip of taxi"), (3, NAN, "")]
    ranked = [dataclasses.replace(outcome(job, value), question=text) for job, value, text in questions]
    jobs = {text: [each.job for each in group] for text, group in separate(ranked).items()}
    assert jobs == {"tip of taxi, by r2": [0, 2], "fare of taxi, by r2": [1, 3]}
    assert separate(ranked[3:]) == {"": ranked[3:]}
    assert list(separate(ranked[1:2])) == ["fare of taxi, by r2"]


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
        each.write(folder)
    (tmp_path / "2").mkdir()  # a composition that was killed leaves no result
    first, second = sorted(read_outcomes(tmp_path), key=lambda each: each.job or 0)
    assert first == written[0]
    assert (second.status, second.error, second.name) == ("FAILED", "it broke", "job=1")
    assert second.objective != second.objective
    assert second.fit_seconds != second.fit_seconds
    assert second.score_seconds != second.score_seconds


def test_jobs_in_nested_folders_are_read_in_their_order(tmp_path: Path) -> None:
    sweep, other = tmp_path / "sweep", tmp_path / "other"
    for folder, job in [(sweep / "x=a" / "b", 10), (sweep / "x=a", 2), (sweep, 5), (other, 7)]:
        folder.mkdir(parents=True, exist_ok=True)
        outcome(job, 0.5).write(folder)
    (sweep / "link").symlink_to(other)
    (sweep / "x=a" / "own").mkdir()
    (sweep / "x=a" / "own" / OUTCOME_FILE).write_text('{"score": 1}')  # the job's own file
    assert [each.job for each in read_outcomes(sweep)] == [2, 10]


def test_a_metric_that_is_not_there_stays_absent(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    whole = dataclasses.replace(outcome(0, 0.5), metrics={"test/mape": NAN, "r2": 0.5})
    whole.write(tmp_path / "0")
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
