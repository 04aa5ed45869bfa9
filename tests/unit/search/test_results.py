"""The ranking of a search, the lead of its winner and its files."""

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

from mlrunner.core.outcome import OUTCOME_FILE, Outcome
from mlrunner.search import results, study_setup
from mlrunner.search.dimension import Dimension
from mlrunner.search.objective import Objectives
from mlrunner.search.results import Lead, compute_lead
from mlrunner.search.space import Space
from mlrunner.search.trial import TRIAL_RESULT_FILE, TrialResult
from mlrunner.search.trial_attributes import FOLDER, OVERRIDES, VOID
from tests.support.sweeps import build_settings

NAN = math.nan
COMPLETE, PRUNED, FAIL = TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL
RUNNING, WAITING = TrialState.RUNNING, TrialState.WAITING
UP, DOWN = Objectives(("r2",), ("maximize",)), Objectives(("rmse",), ("minimize",))
BOTH = Objectives(("r2", "fit_seconds"), ("maximize", "minimize"))
X = FloatDistribution(0, 1)
SPACE = Space((("dataset=olist", None),), (Dimension("rf:model.x", "model.x", X, "interval(0,1)", "rf"),), "rf")


@dataclass
class Sweep:
    """A study and the folders of its trials."""

    folder: Path
    objectives: Objectives = UP
    study: optuna.Study = field(init=False)

    def __post_init__(self) -> None:
        directions: Any = list(self.objectives.directions)
        self.study = study_setup.open_study(InMemoryStorage(), "day/time", directions, build_settings())

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
        result = TrialResult(number, state.name, scores=more.get("scores", [value]))  # type: ignore[arg-type]
        (folder / TRIAL_RESULT_FILE).write_text(json.dumps(asdict(result)))
        outcome = Outcome(
            f"x={number}", state.name, "r2", "maximize", value, 1.5, 1.0, 0.5, {}, f"run{number}", None, str(folder),
            number, more.get("error"),
        )  # fmt: skip
        (folder / OUTCOME_FILE).write_text(outcome.json())


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    return Sweep(tmp_path)


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
    sweep = Sweep(tmp_path, objectives)
    for value in values:
        sweep.add(value)
    assert [trial.number for trial in results.rank(sweep.study.get_trials(), objectives)] == order
    best = results.find_best(sweep.study.get_trials(), objectives)
    assert (None if best is None else best.number) == next(iter(order), None)


def test_only_complete_trials_are_ranked(sweep: Sweep) -> None:
    for state in (FAIL, PRUNED, RUNNING, WAITING):
        sweep.add(state=state)
    assert results.find_best(sweep.study.get_trials(), UP) is None
    number = sweep.add(-5.0)
    assert [trial.number for trial in results.rank(sweep.study.get_trials(), UP)] == [number]


def test_a_discarded_trial_does_not_count(sweep: Sweep) -> None:
    for void in ("interrupted", None, "surplus", None, "excluded", "retried"):
        sweep.add(state=FAIL, void=void)
    assert [trial.number for trial in results.list_valid_trials(sweep.study)] == [1, 3]


# Lead, by hand


@pytest.mark.parametrize(
    ("first", "second", "mean", "uncertainty"),
    [
        ([0.9], [0.7], 0.2, NAN),
        ([0.7], [0.9], 0.2, NAN),
        ([3.0, 5.0], [2.0, 2.0], 2.0, 12.71 * math.sqrt(2 * (1 / 2 + 1))),  # differences 1 and 3: variance 2
        ([11.0, 22.0, 33.0], [10.0, 20.0, 30.0], 2.0, 4.30 * math.sqrt(1 / 3 + 1 / 2)),  # 1, 2, 3: variance 1
        ([4.0, 4.0, 4.0, 4.0], [4.0, 2.0, 4.0, 2.0], 1.0, 3.18 * math.sqrt(4 / 3 * (1 / 4 + 1 / 3))),  # 0, 2, 0, 2
        ([0.5, 0.5], [0.5, 0.5], 0.0, 0.0),
        ([], [], NAN, NAN),
        ([0.5, 0.6], [0.5], NAN, NAN),
    ],
    ids=["one score", "down", "two", "three with unlike folds", "four", "equal", "none", "unlike"],
)
def test_the_lead_of_paired_scores(first: list[float], second: list[float], mean: float, uncertainty: float) -> None:
    lead = compute_lead(first, second)
    assert lead.lead == pytest.approx(mean, nan_ok=True)
    assert lead.uncertainty == pytest.approx(uncertainty, nan_ok=True)


def test_repeats_of_the_same_folds_share_their_training_rows() -> None:
    """Three repeats of two folds: each fold is scored on as many rows as it trains on, however often."""
    lead = compute_lead([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [0.0] * 6, repeats=3)
    assert lead.uncertainty == pytest.approx(2.57 * math.sqrt(3.5 * (1 / 6 + 1)))


@pytest.mark.parametrize(
    ("lead", "sentence"),
    [
        (Lead(NAN, NAN), "there is no second trial"),
        (Lead(0.0123, NAN), "leads by 0.0123; one score a trial shows no noise, use split=kfold or repeats=5"),
        (Lead(0.5, 0.2), "leads by 0.5, which is more than the noise of ± 0.2"),
        (Lead(0.5, 0.5), "leads by 0.5, which is not more than the noise of ± 0.5"),
        (Lead(1234.567, 25), "leads by 1.23e+03, which is more than the noise of ± 25"),
    ],
    ids=["alone", "one score", "more", "as much", "large"],
)
def test_the_sentence_of_a_lead(lead: Lead, sentence: str) -> None:
    assert lead.sentence == sentence


def test_the_best_trial_is_compared_with_the_second(sweep: Sweep) -> None:
    sweep.add(0.1, scores=[0.0, 0.2])
    sweep.add(5.0, scores=[4.0, 6.0])
    sweep.add(2.0, scores=[2.0, 2.0])
    sweep.add(state=FAIL)
    lead = results.compute_study_lead(sweep.study, UP)
    assert (lead.lead, lead.uncertainty) == (3.0, pytest.approx(12.71 * math.sqrt(2 * (1 / 2 + 1))))


def test_a_single_trial_has_no_lead(sweep: Sweep) -> None:
    sweep.add(0.5)
    assert results.compute_study_lead(sweep.study, UP).sentence == "there is no second trial"


def test_a_trial_without_its_folder_has_no_scores(sweep: Sweep) -> None:
    sweep.add(0.5, lost=True)
    sweep.add(0.4)
    assert results.read_scores(sweep.study.get_trials()[0]) == []
    assert math.isnan(results.compute_study_lead(sweep.study, UP).lead)


# Outcomes


def test_outcomes_are_best_first_then_pruned_then_failed(sweep: Sweep) -> None:
    for value, state, void in [
        (0.2, COMPLETE, None), (NAN, FAIL, None), (NAN, PRUNED, None), (0.9, COMPLETE, None), (NAN, FAIL, "retried"),
        (NAN, RUNNING, None), (NAN, PRUNED, None), (0.5, COMPLETE, None),
    ]:  # fmt: skip
        sweep.add(value, state=state, void=void)
    sweep.add(0.6, lost=True)  # without an outcome
    assert [outcome.job for outcome in results.read_outcomes(sweep.study, UP)] == [3, 7, 0, 2, 6, 1]


# The summary


def test_the_summary_has_the_official_keys_and_ours(sweep: Sweep) -> None:
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


def test_a_search_without_a_complete_trial_has_no_best_keys(sweep: Sweep) -> None:
    sweep.add(state=FAIL)
    assert list(results.summarize(sweep.study, UP, SPACE, None, None)) == [
        *("name", "metrics", "directions", "study_name", "counts", "winner")
    ]


def test_several_objectives_have_a_pareto_front(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, BOTH)
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


def test_a_parameter_outside_of_the_space_keeps_its_name(sweep: Sweep) -> None:
    sweep.add(0.5)
    summary = results.summarize(sweep.study, UP, Space((), (), "rf"), None, None)
    assert summary["best_params"] == {"rf:model.x": 0.0}


# Files


def test_the_files_hold_the_summary_and_the_trials(sweep: Sweep, tmp_path: Path) -> None:
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
