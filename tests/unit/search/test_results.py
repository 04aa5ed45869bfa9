"""What came of a search: the ranking, the lead and its noise, the files."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml
from optuna.distributions import FloatDistribution
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState, create_trial

from mlrunner.core.outcome import RESULT, Outcome
from mlrunner.search import results, study_setup
from mlrunner.search.grammar import Dimension
from mlrunner.search.loop import FOLDER, OVERRIDES
from mlrunner.search.objective import Goal
from mlrunner.search.results import Lead, lead
from mlrunner.search.space import Space
from mlrunner.search.trial import FOUND, Found
from mlrunner.search.trial_queue import VOID
from tests.unit.search.test_trial_queue import told

NAN = math.nan
COMPLETE, PRUNED, FAIL = TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL
RUNNING, WAITING = TrialState.RUNNING, TrialState.WAITING
UP, DOWN = Goal(("r2",), ("maximize",)), Goal(("rmse",), ("minimize",))
BOTH = Goal(("r2", "fit_seconds"), ("maximize", "minimize"))
X = FloatDistribution(0, 1)
SPACE = Space((("dataset=olist", None),), (Dimension("rf:model.x", "model.x", X, "interval(0,1)", "rf"),), "rf")


@dataclass
class Sweep:
    """A study and the folders of its trials."""

    folder: Path
    goal: Goal = UP
    study: optuna.Study = field(init=False)

    def __post_init__(self) -> None:
        ways: Any = list(self.goal.directions)
        self.study = study_setup.open_study(InMemoryStorage(), "day/time", ways, told())

    def add(self, *values: float, state: TrialState = COMPLETE, void: str | None = None, **more: Any) -> int:
        """Add a trial; `scores` and `error` go into its folder."""
        number = len(self.study.get_trials())
        folder = self.folder / str(number)
        attributes: dict[str, Any] = {FOLDER: str(folder), OVERRIDES: ["dataset=olist", f"model.x={number / 100}"]}
        trial = create_trial(
            state=state,
            values=list(values) if state == COMPLETE else None,
            params={"rf:model.x": number / 100},
            distributions={"rf:model.x": X},
            user_attrs={**attributes, **({VOID: void} if void is not None else {})},
        )
        self.study.add_trial(trial)
        if state in (COMPLETE, PRUNED, FAIL) and not more.get("lost"):
            self.write(folder, number, values[0] if values else NAN, state, more)
        return number

    def write(self, folder: Path, number: int, value: float, state: TrialState, more: dict[str, Any]) -> None:
        folder.mkdir()
        found = Found(number, state.name, scores=more.get("scores", [value]))  # type: ignore[arg-type]
        (folder / FOUND).write_text(json.dumps(asdict(found)))
        outcome = Outcome(
            f"x={number}", state.name, "r2", "maximize", value, 1.5, 1.0, 0.5, {}, f"run{number}", None, str(folder),
            number, more.get("error"),
        )  # fmt: skip
        (folder / RESULT).write_text(outcome.json())


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    return Sweep(tmp_path)


# Ranking


@pytest.mark.parametrize(
    ("goal", "values", "order"),
    [
        (UP, [0.1, 0.9, 0.5], [1, 2, 0]),
        (DOWN, [0.1, 0.9, 0.5], [0, 2, 1]),
        (UP, [-1.0, 0.0, -0.5], [1, 2, 0]),
        (UP, [0.5, 0.5, 0.5], [0, 1, 2]),
        (DOWN, [0.5, 0.5, 0.1], [2, 0, 1]),
        (UP, [], []),
    ],
    ids=["up", "down", "below zero", "equal", "equal and down", "none"],
)
def test_ranked(goal: Goal, values: list[float], order: list[int], tmp_path: Path) -> None:
    made = Sweep(tmp_path, goal)
    for value in values:
        made.add(value)
    assert [one.number for one in results.ranked(made.study.get_trials(), goal)] == order
    best = results.best_of(made.study.get_trials(), goal)
    assert (None if best is None else best.number) == next(iter(order), None)


def test_only_what_came_to_its_end_is_ranked(sweep: Sweep) -> None:
    for state in (FAIL, PRUNED, RUNNING, WAITING):
        sweep.add(state=state)
    assert results.best_of(sweep.study.get_trials(), UP) is None
    number = sweep.add(-5.0)
    assert [one.number for one in results.ranked(sweep.study.get_trials(), UP)] == [number]
    assert [one.number for one in results.complete(sweep.study.get_trials())] == [number]


def test_what_is_void_does_not_count(sweep: Sweep) -> None:
    for void in ("interrupted", None, "surplus", None, "excluded", "retried"):
        sweep.add(state=FAIL, void=void)
    assert [one.number for one in results.valid(sweep.study)] == [1, 3]


def test_several_objectives_are_ranked_by_the_first(tmp_path: Path) -> None:
    made = Sweep(tmp_path, BOTH)
    made.add(0.5, 0.1)
    made.add(0.9, 9.0)
    assert [one.number for one in results.ranked(made.study.get_trials(), BOTH)] == [1, 0]


# Lead, by hand


@pytest.mark.parametrize(
    ("first", "second", "mean", "noise"),
    [
        ([0.9], [0.7], 0.2, NAN),
        ([0.7], [0.9], 0.2, NAN),
        ([3.0, 5.0], [1.0, 3.0], 2.0, 0.0),
        ([3.0, 5.0], [2.0, 2.0], 2.0, 12.71 * math.sqrt(2 * (1 / 2 + 1))),  # differences 1 and 3: variance 2
        ([1.0, 2.0, 3.0], [2.0, 4.0, 6.0], 2.0, 4.30 * math.sqrt(1 / 3 + 1 / 2)),  # -1, -2, -3: variance 1
        ([4.0, 4.0, 4.0, 4.0], [4.0, 2.0, 4.0, 2.0], 1.0, 3.18 * math.sqrt(4 / 3 * (1 / 4 + 1 / 3))),  # 0, 2, 0, 2
        ([0.5, 0.5], [0.5, 0.5], 0.0, 0.0),
        ([], [], NAN, NAN),
        ([0.5, 0.6], [0.5], NAN, NAN),
        ([0.5], [], NAN, NAN),
    ],
    ids=["one score", "down", "no noise", "two", "three", "four", "equal", "none", "unlike", "nothing known"],
)
def test_lead(first: list[float], second: list[float], mean: float, noise: float) -> None:
    found = lead(first, second)
    assert found.lead == pytest.approx(mean, nan_ok=True)
    assert found.noise == pytest.approx(noise, nan_ok=True)


def test_what_folds_have_in_common_is_no_noise() -> None:
    """Folds differ by 10; the winner is better in each by nearly the same."""
    found = lead([10.0, 20.0, 30.0], [9.0, 19.1, 28.9])
    assert found.lead == pytest.approx(1.0)
    assert found.noise == pytest.approx(4.30 * 0.1 * math.sqrt(1 / 3 + 1 / 2))


def test_repeats_of_the_same_folds_share_their_training_rows() -> None:
    """Three repeats of two folds: each fold is scored on as many rows as it trains on, however often."""
    found = lead([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [0.0] * 6, repeats=3)
    assert found.noise == pytest.approx(2.57 * math.sqrt(3.5 * (1 / 6 + 1)))


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (Lead(NAN, NAN), "there is no second"),
        (Lead(0.0123, NAN), "leads by 0.0123; one score a trial tells no noise, split=kfold or repeats=5 would"),
        (Lead(0.5, 0.2), "leads by 0.5, which is more than the noise of ± 0.2"),
        (Lead(0.5, 0.6), "leads by 0.5, which is not more than the noise of ± 0.6"),
        (Lead(0.5, 0.5), "leads by 0.5, which is not more than the noise of ± 0.5"),
        (Lead(0.0, 0.0), "leads by 0, which is not more than the noise of ± 0"),
        (Lead(1e-6, 0.0), "leads by 1e-06, which is more than the noise of ± 0"),
        (Lead(1234.567, 25), "leads by 1.23e+03, which is more than the noise of ± 25"),
    ],
    ids=["alone", "one score", "more", "less", "as much", "equal", "no noise", "large"],
)
def test_a_lead_is_told(found: Lead, told: str) -> None:
    assert found.told == told


def test_the_winner_is_compared_with_the_next(sweep: Sweep) -> None:
    sweep.add(0.1, scores=[0.0, 0.2])
    sweep.add(5.0, scores=[4.0, 6.0])
    sweep.add(2.0, scores=[2.0, 2.0])
    sweep.add(state=FAIL)
    found = results.lead_of(sweep.study, UP)
    assert (found.lead, found.noise) == (3.0, pytest.approx(12.71 * math.sqrt(2 * (1 / 2 + 1))))


@pytest.mark.parametrize("trials", [0, 1])
def test_who_is_alone_leads_nobody(trials: int, sweep: Sweep) -> None:
    for _ in range(trials):
        sweep.add(0.5)
    assert results.lead_of(sweep.study, UP).told == "there is no second"


def test_a_folder_that_is_gone_tells_no_scores(sweep: Sweep) -> None:
    sweep.add(0.5, lost=True)
    sweep.add(0.4)
    assert results.scores_of(sweep.study.get_trials()[0]) == []
    assert results.lead_of(sweep.study, UP).lead != results.lead_of(sweep.study, UP).lead


# Outcomes


def test_outcomes_are_best_first_then_pruned_then_failed(sweep: Sweep) -> None:
    for value, state, void in [
        (0.2, COMPLETE, None), (NAN, FAIL, None), (NAN, PRUNED, None), (0.9, COMPLETE, None), (NAN, FAIL, "retried"),
        (NAN, RUNNING, None), (NAN, PRUNED, None), (0.5, COMPLETE, None),
    ]:  # fmt: skip
        sweep.add(value, state=state, void=void)
    assert [one.job for one in results.outcomes_of(sweep.study, UP)] == [3, 7, 0, 2, 6, 1]


def test_a_trial_that_is_not_recorded_yet_is_passed_over(sweep: Sweep) -> None:
    sweep.add(0.2, lost=True)
    sweep.add(0.1)
    assert [one.job for one in results.outcomes_of(sweep.study, UP)] == [1]


# The summary


def test_the_summary_has_the_official_keys_and_ours(sweep: Sweep) -> None:
    for value, state in [(0.2, COMPLETE), (0.9, COMPLETE), (NAN, FAIL), (NAN, PRUNED), (NAN, RUNNING)]:
        sweep.add(value, state=state)
    sweep.add(state=FAIL, void="interrupted")
    winner = {"run_id": "w", "metrics": {"test/r2": 0.8}}
    assert results.summary(sweep.study, UP, SPACE, "run1", winner) == {
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


def test_a_search_without_a_best_says_so_by_silence(sweep: Sweep) -> None:
    sweep.add(state=FAIL)
    assert results.summary(sweep.study, UP, SPACE, None, None) == {
        "name": "optuna",
        "metrics": ["r2"],
        "directions": ["maximize"],
        "study_name": "day/time",
        "counts": {"failed": 1},
        "winner": None,
    }


def test_several_objectives_have_a_front(tmp_path: Path) -> None:
    made = Sweep(tmp_path, BOTH)
    for values in [(0.5, 1.0), (0.9, 3.0), (0.4, 2.0), (0.9, 4.0), (0.1, 0.5)]:
        made.add(*values)
    told = results.summary(made.study, BOTH, SPACE, "run1", None)
    assert {one["number"]: one["values"] for one in told["solutions"]} == {0: [0.5, 1.0], 1: [0.9, 3.0], 4: [0.1, 0.5]}
    assert told["solutions"][0]["params"] == {"model.x": 0.0}
    assert (told["best_trial_number"], told["directions"]) == (1, ["maximize", "minimize"])
    assert "best_value" not in told


def test_parameters_are_named_by_their_keys(sweep: Sweep) -> None:
    sweep.add(0.5)
    trial = sweep.study.get_trials()[0]
    assert results.params_of(trial, SPACE) == {"model.x": 0.0}
    assert results.params_of(trial, Space((), (), "rf")) == {"rf:model.x": 0.0}


# Files


def test_the_files_hold_what_was_found(sweep: Sweep, tmp_path: Path) -> None:
    sweep.add(0.25)
    sweep.add(state=FAIL, error='it broke, at "x"')
    summary = results.summary(sweep.study, UP, SPACE, "run0", None)
    folder = tmp_path / "deep" / "er"
    results.write(folder, summary, results.outcomes_of(sweep.study, UP))
    text = (folder / results.NAME).read_text()
    assert yaml.safe_load(text) == summary
    assert text.startswith("name: optuna\nbest_params:\n  model.x: 0.0\nbest_value: 0.25\n")
    with (folder / "trials.csv").open(newline="") as source:
        first, second = csv.DictReader(source)
    assert list(first) == ["number", "status", "metric", "value", "seconds", "composition", "run_id", "error"]
    assert list(first.values()) == ["0", "COMPLETE", "r2", "0.25", "1.5", "x=0", "run0", ""]
    assert (second["status"], second["value"], second["error"]) == ("FAIL", "nan", 'it broke, at "x"')


def test_writing_again_leaves_the_newest(sweep: Sweep, tmp_path: Path) -> None:
    for value in (0.1, 0.2):
        sweep.add(value)
        results.write(
            tmp_path, results.summary(sweep.study, UP, SPACE, None, None), results.outcomes_of(sweep.study, UP)
        )
    assert yaml.safe_load((tmp_path / results.NAME).read_text())["best_value"] == 0.2
    assert len((tmp_path / "trials.csv").read_text().splitlines()) == 3
