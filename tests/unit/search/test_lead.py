"""The lead of the best trial over the second and over the default, and its noise, worked out by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from mlrunner.evaluation.uncertainty import Replicates
from mlrunner.search.lead import Lead, compare_default, compute_lead, compute_study_lead, describe_lead, read_result
from mlrunner.search.trial_attributes import describe_default
from tests.support.ranked_sweep import BOTH, DOWN, FAIL, NAN, UP, RankedSweep

PARAM = "rf:model.x"  # the parameter of each trial of a ranked sweep


@pytest.fixture
def sweep(tmp_path: Path) -> RankedSweep:
    return RankedSweep(tmp_path)


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
    lead = compute_lead(first, second, 1 / (len(first) - 1) if len(first) > 1 else NAN)
    assert lead.lead == pytest.approx(mean, nan_ok=True)
    assert lead.uncertainty == pytest.approx(uncertainty, nan_ok=True)


def test_repeats_of_the_same_folds_share_their_training_rows() -> None:
    """Three repeats of two folds: each fold is scored on as many rows as it trains on, however often."""
    lead = compute_lead([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [0.0] * 6, held_out_ratio=1.0)
    assert lead.uncertainty == pytest.approx(2.57 * math.sqrt(3.5 * (1 / 6 + 1)))


@pytest.mark.parametrize(
    ("lead", "sentence"),
    [
        (Lead(NAN, NAN), "there is no second trial"),
        (Lead(0.0, 0.1), "has the same score as the second"),
        (Lead(1e-16, NAN), "has the same score as the second"),
        (Lead(0.0123, NAN), "leads by 0.0123; too few rows show the noise, set split=kfold or hydra.sweeper.repeats=5"),
        (Lead(0.5, 0.2), "leads by 0.5, which is more than the noise of ± 0.2"),
        (Lead(0.5, 0.5), "leads by 0.5, which is not more than the noise of ± 0.5"),
        (Lead(1234.567, 25), "leads by 1.23e+03, which is more than the noise of ± 25"),
    ],
    ids=["alone", "equal", "rounding", "one score", "more", "as much", "large"],
)
def test_the_sentence_of_a_lead(lead: Lead, sentence: str) -> None:
    assert lead.sentence == sentence


def test_the_best_trial_is_compared_with_the_second(sweep: RankedSweep) -> None:
    sweep.add(0.1, scores=[0.0, 0.2])
    sweep.add(5.0, scores=[4.0, 6.0])
    sweep.add(2.0, scores=[2.0, 2.0])
    sweep.add(state=FAIL)
    lead = compute_study_lead(sweep.study, UP)
    assert (lead.lead, lead.uncertainty) == (3.0, pytest.approx(12.71 * math.sqrt(2 * (1 / 2 + 1))))


def test_a_single_trial_has_no_lead(sweep: RankedSweep) -> None:
    sweep.add(0.5)
    assert compute_study_lead(sweep.study, UP).sentence == "there is no second trial"


def test_a_trial_without_its_folder_has_no_result(sweep: RankedSweep) -> None:
    sweep.add(0.5, lost=True)
    sweep.add(0.4)
    assert read_result(sweep.study.get_trials()[0]) is None
    assert math.isnan(compute_study_lead(sweep.study, UP).lead)


def replicate(*values: float, rows: str = "rows") -> dict[str, Any]:
    return Replicates(rows, 1.0, {"r2": list(values)}).to_json()


@pytest.mark.parametrize(
    ("rows", "noise"),
    [
        # differences 1, 3: mean 2, squares 2, times (2 - 1) / 2: a standard error of 1, and a margin of two of them
        ("rows", 2.0),
        ("other rows", NAN),  # of another split: cannot be paired, and one score shows no noise
    ],
)
def test_the_noise_of_single_scores_comes_from_their_rows(sweep: RankedSweep, rows: str, noise: float) -> None:
    sweep.add(5.0, replicates=replicate(4.0, 6.0))
    sweep.add(2.0, replicates=replicate(3.0, 3.0, rows=rows))
    lead = compute_study_lead(sweep.study, UP)
    assert (lead.lead, lead.uncertainty) == (3.0, pytest.approx(noise, nan_ok=True))


# The default


def mark(model: str = "rf", *params: str) -> dict[str, Any]:
    return describe_default(model, dict.fromkeys(params or (PARAM,)))


def test_the_best_trial_is_compared_with_the_best_default(sweep: RankedSweep) -> None:
    sweep.add(0.5, attributes=mark("ridge"), replicates=replicate(0.5, 0.5))
    sweep.add(0.7, attributes=mark("rf"), replicates=replicate(0.7, 0.7))
    sweep.add(0.9, replicates=replicate(0.9, 0.9))
    default = compare_default(sweep.study, UP)
    assert default is not None
    assert default.sentence == "rf has r2 0.7 (trial 1); the best leads by 0.2, which is more than the noise of ± 0"
    assert (default.to_dict()["trial_number"], default.to_dict()["lead"]) == (1, pytest.approx(0.2))
    assert (default.is_beaten, default.to_dict()["uncertainty"]) == (True, 0.0)
    assert describe_lead(sweep.study, UP).endswith(f"; the default of {default.sentence}")


@pytest.mark.parametrize(
    ("values", "is_beaten", "end"),
    [
        ((0.5, 0.4), False, "rf has r2 0.5 (trial 0); no other trial is better"),
        (
            (0.5, 0.6),
            None,
            "the best leads by 0.1; too few rows show the noise, set split=kfold or hydra.sweeper.repeats=5",
        ),
    ],
    ids=["default is best", "unknown noise"],
)
def test_a_search_that_may_have_found_nothing_says_so(
    sweep: RankedSweep, values: tuple[float, float], is_beaten: bool | None, end: str
) -> None:
    sweep.add(values[0], attributes=mark())
    sweep.add(values[1])
    default = compare_default(sweep.study, UP)
    assert default is not None
    assert (default.is_beaten, default.to_dict()["uncertainty"]) == (is_beaten, None)
    assert default.sentence.endswith(end)


def test_a_lead_within_the_noise_does_not_beat_the_default(sweep: RankedSweep) -> None:
    sweep.add(2.0, attributes=mark(), scores=[2.0, 2.0])
    sweep.add(4.0, scores=[3.0, 5.0])
    default = compare_default(sweep.study, UP)
    assert default is not None
    assert default.sentence.endswith("the best leads by 2, which is not more than the noise of ± 22")
    assert default.is_beaten is False


def test_only_a_complete_default_is_compared(sweep: RankedSweep) -> None:
    sweep.add(0.9)
    sweep.add(state=FAIL, attributes=mark())
    sweep.add(0.3, attributes=mark("rf", PARAM, "rf:model.z"))  # not all of its parameters were set
    sweep.add(0.3, attributes=mark("rf", "rf:model.z"))  # the sampler has drawn one
    assert compare_default(sweep.study, UP) is None
    assert "default" not in describe_lead(sweep.study, UP)


def test_nothing_is_said_without_a_best_trial_or_with_several_objectives(tmp_path: Path, sweep: RankedSweep) -> None:
    assert describe_lead(sweep.study, UP) == ""
    (tmp_path / "both").mkdir()
    both = RankedSweep(tmp_path / "both", BOTH)
    both.add(0.9, 1.0, attributes=mark())
    assert describe_lead(both.study, BOTH) == ""


def test_the_direction_of_the_metric_decides_which_default_is_better(tmp_path: Path) -> None:
    sweep = RankedSweep(tmp_path, DOWN)
    sweep.add(3.0, attributes=mark("ridge"))
    sweep.add(2.0, attributes=mark("rf"))
    default = compare_default(sweep.study, DOWN)
    assert default is not None
    assert (default.model, default.sentence) == ("rf", "rf has rmse 2 (trial 1); no other trial is better")
