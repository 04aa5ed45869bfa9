"""The ranking of a search, the lead of its winner and its files."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import yaml

from mlrunner.search import results
from mlrunner.search.objective import Objectives
from mlrunner.search.space import Space
from mlrunner.search.trial_attributes import INVALID_TRIALS
from tests.support.ranked_sweep import BOTH, COMPLETE, DOWN, FAIL, NAN, PRUNED, RUNNING, SPACE, UP, WAITING, RankedSweep


@pytest.fixture
def sweep(tmp_path: Path) -> RankedSweep:
    return RankedSweep(tmp_path)


# Ranking


@pytest.mark.parametrize(
    ("objectives", "values", "order"),
    [
        (UP, [0.1, 0.9, 0.5], [1, 2, 0]),
        (DOWN, [0.1, 0.9, 0.5], [0, 2, 1]),
        (UP, [-1.0, 0.5, 0.5], [1, 2, 0]),
        (DOWN, [0.5, 0.5, 0.1], [2, 0, 1]),
        (UP, [], []),
    ],
    ids=["up", "down", "equal", "equal and down", "none"],
)
def test_complete_trials_are_ranked(
    objectives: Objectives, values: list[float], order: list[int], tmp_path: Path
) -> None:
    sweep = RankedSweep(tmp_path, objectives)
    for value in values:
        sweep.add(value)
    assert [trial.number for trial in results.rank(sweep.study, objectives)] == order
    best = results.find_best(sweep.study, objectives)
    assert (None if best is None else best.number) == next(iter(order), None)


def test_only_complete_trials_are_ranked(sweep: RankedSweep) -> None:
    for state in (FAIL, PRUNED, RUNNING, WAITING):
        sweep.add(state=state)
    assert results.find_best(sweep.study, UP) is None
    number = sweep.add(-5.0)
    assert [trial.number for trial in results.rank(sweep.study, UP)] == [number]


def test_a_discarded_trial_does_not_count(sweep: RankedSweep) -> None:
    for void in ("interrupted", None, "surplus", None, "excluded", "retried"):
        sweep.add(state=FAIL, void=void)
    assert [trial.number for trial in results.list_valid_trials(sweep.study)] == [1, 3]


def test_a_trial_whose_run_is_invalid_is_neither_ranked_nor_on_the_front(tmp_path: Path) -> None:
    sweep = RankedSweep(tmp_path, BOTH)
    for values in ((0.9, 1.0), (0.5, 2.0), (0.4, 3.0), (0.7, 4.0)):  # the first beats all others
        sweep.add(*values)
    assert [trial.number for trial in results.list_front(sweep.study)] == [0]
    sweep.study.set_user_attr(INVALID_TRIALS, {"0": "it leaks"})
    assert [trial.number for trial in results.rank(sweep.study, BOTH)] == [3, 1, 2]
    assert [trial.number for trial in results.list_front(sweep.study)] == [1, 3]
    last = results.read_outcomes(sweep.study, BOTH)[-1]
    assert (last.job, last.error) == (0, "invalid: it leaks")


# Lead, by hand


# Outcomes


def test_outcomes_are_best_first_then_pruned_then_failed(sweep: RankedSweep) -> None:
    for value, state, void in [
        (0.2, COMPLETE, None), (NAN, FAIL, None), (NAN, PRUNED, None), (0.9, COMPLETE, None), (NAN, FAIL, "retried"),
        (NAN, RUNNING, None), (NAN, PRUNED, None), (0.5, COMPLETE, None),
    ]:  # fmt: skip
        sweep.add(value, state=state, void=void)
    sweep.add(0.6, lost=True)  # without an outcome
    assert [outcome.job for outcome in results.read_outcomes(sweep.study, UP)] == [3, 7, 0, 2, 6, 1]


# The summary


def test_the_summary_has_the_official_keys_and_ours(sweep: RankedSweep) -> None:
    for value, state in [(0.2, COMPLETE), (0.9, COMPLETE), (NAN, FAIL), (NAN, PRUNED), (NAN, RUNNING)]:
        sweep.add(value, state=state)
    sweep.add(state=FAIL, void="interrupted")
    winner = {"run_id": "w", "metrics": {"test/r2": 0.8}}
    assert results.summarize(sweep.study, UP, SPACE, "run1", winner) == {
        "name": "optuna",
        "best_params": {"model.x": 0.01},
        "best_value": 0.9,
        "best_trial_number": 1,
        "best_job_dir": str(sweep.folder / "1"),
        "best_mlflow_run_id": "run1",
        "best_overrides": ["dataset=olist", "model.x=0.01"],
        "metrics": ["r2"],
        "directions": ["maximize"],
        "study_name": "day/time",
        "counts": {"complete": 2, "pruned": 1, "failed": 1, "running": 1},
        "winner": winner,
    }


def test_a_search_without_a_complete_trial_has_no_best_keys(sweep: RankedSweep) -> None:
    sweep.add(state=FAIL)
    assert list(results.summarize(sweep.study, UP, SPACE, None, None)) == [
        *("name", "metrics", "directions", "study_name", "counts", "winner")
    ]


def test_several_objectives_have_a_pareto_front(tmp_path: Path) -> None:
    sweep = RankedSweep(tmp_path, BOTH)
    for values in [(0.5, 1.0), (0.9, 3.0), (0.4, 2.0), (0.9, 4.0), (0.1, 0.5)]:
        sweep.add(*values)
    summary = results.summarize(sweep.study, BOTH, SPACE, "run1", None)
    assert {solution["number"]: solution["values"] for solution in summary["solutions"]} == {
        0: [0.5, 1.0],
        1: [0.9, 3.0],
        4: [0.1, 0.5],
    }
    assert summary["solutions"][0]["params"] == {"model.x": 0.0}
    assert (summary["best_trial_number"], summary["directions"]) == (1, ["maximize", "minimize"])
    assert "best_value" not in summary


def test_a_parameter_outside_of_the_space_keeps_its_name(sweep: RankedSweep) -> None:
    sweep.add(0.5)
    summary = results.summarize(sweep.study, UP, Space((), (), "rf"), None, None)
    assert summary["best_params"] == {"rf:model.x": 0.0}


# Files


def test_the_files_hold_the_summary_and_the_trials(sweep: RankedSweep, tmp_path: Path) -> None:
    sweep.add(0.25)
    sweep.add(state=FAIL, error='it broke, at "x"')
    summary = results.summarize(sweep.study, UP, SPACE, "run0", None)
    folder = tmp_path / "deep" / "er"
    for outcomes in ([], results.read_outcomes(sweep.study, UP)):  # the second replaces the files
        results.write_results(folder, summary, outcomes)
    text = (folder / results.RESULTS_FILE).read_text()
    assert yaml.safe_load(text) == summary
    assert text.startswith("name: optuna\nbest_params:\n  model.x: 0.0\nbest_value: 0.25\n")
    with (folder / "trials.csv").open(newline="") as source:
        first, second = csv.DictReader(source)
    assert list(first) == ["number", "status", "metric", "value", "seconds", "composition", "run_id", "error"]
    assert list(first.values()) == ["0", "COMPLETE", "r2", "0.25", "1.5", "x=0", "run0", ""]
    assert (second["status"], second["value"], second["error"]) == ("FAIL", "nan", 'it broke, at "x"')
