"""Differences between scores, and verdicts on them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlrunner.evaluation import uncertainty
from mlrunner.history.diff import scores
from mlrunner.history.diff.sides import Side
from mlrunner.tracking.records.snapshot import Provenance
from tests.support.sides import make_record, make_side


def test_verdict_follows_the_direction_of_the_metric() -> None:
    first, other = (
        make_side(metrics={"test/r2": 0.5, "test/rmse": 1.0}),
        make_side(metrics={"test/r2": 0.6, "test/rmse": 1.1}),
    )
    verdicts = {score.name: score.verdicts for score in scores.compare_scores((first, other))}
    assert verdicts == {"test/r2": ("better?",), "test/rmse": ("worse?",)}


def test_objective_is_first_and_costs_are_last() -> None:
    metrics = {"fit_seconds": 1.0, "test/mae": 1.0, "test/r2": 0.5, "validation/r2": 0.4, "r2": 0.4}
    names = [score.name for score in scores.compare_scores((make_side(metrics=metrics), make_side(metrics=metrics)))]
    assert names == ["validation/r2", "test/r2", "test/mae", "fit_seconds"]


def test_metric_of_one_side_has_no_difference() -> None:
    compared = scores.compare_scores((make_side(metrics={"test/r2": 0.5}), make_side(metrics={"test/roc_auc": 0.5})))
    assert [score.differences for score in compared] == [(None,), (None,)]


def test_small_difference_is_within_noise() -> None:
    def scored(value: float, shift: float) -> Side:
        replicates = uncertainty.Replicates("rows", 1.0, {"r2": [value + shift * (number % 3) for number in range(20)]})
        return make_side(metrics={"test/r2": value}, replicates={"test": replicates}, record=make_record())

    score = scores.compare_scores((scored(0.5, 0.0), scored(0.51, 0.01)))[0]
    assert score.verdicts == ("within noise",)
    assert scores.compare_scores((scored(0.5, 0.0), scored(0.9, 0.01)))[0].verdicts == ("better",)


def test_replicates_of_other_rows_are_not_paired() -> None:
    replicates = uncertainty.Replicates("rows", 1.0, {"r2": [0.5 + 0.01 * (number % 5) for number in range(20)]})
    others = uncertainty.Replicates("other rows", 1.0, replicates.metrics)
    here = make_side(metrics={"test/r2": 0.5}, replicates={"test": replicates}, record=make_record())
    there = make_side(metrics={"test/r2": 0.6}, replicates={"test": others}, record=make_record())
    assert scores.compare_scores((here, here))[0].uncertainty == (0.0,)
    assert (scores.compare_scores((here, there))[0].uncertainty[0] or 0) > 0


def test_scores_of_other_data() -> None:
    here = make_side(metrics={"test/r2": 0.5}, record=make_record())
    there = make_side(metrics={"test/r2": 0.6}, record=make_record(data_hash="other"))
    assert scores.compare_scores((here, there))[0].verdicts == ("other data",)


@pytest.mark.parametrize(("rows", "verdict"), [(2, "better?"), (3, "other data"), (None, "better?")])
def test_other_number_of_rows_is_other_data(rows: int | None, verdict: str) -> None:
    here, there = (
        make_side(metrics={"test/r2": score}, record=make_record(), provenance=Provenance(data={"rows": count}))
        for score, count in ((0.5, 2), (0.6, rows))
    )
    assert scores.compare_scores((here, there))[0].verdicts == (verdict,)


def test_noise_of_trials_from_the_deviation_over_folds() -> None:
    def trial(value: float, **tags: str) -> Side:
        metrics = {"cv/r2": value, "cv/r2_std": 0.1}
        return make_side({"split": {"folds": 5, "gap": 0}}, metrics, record=make_record(**tags))

    # Five folds by time, of 10 rows each behind 50 rows and more: 50 held out, 50 + 60 + 70 + 80 + 90 to train on.
    first, similar, better = (trial(value, held_out_ratio=str(50 / 350)) for value in (0.5, 0.55, 0.9))
    margin = 2.78 * (2 * 0.1**2 * 5 / 4 * (1 / 5 + 50 / 350)) ** 0.5
    score = scores.compare_scores((first, similar, better, trial(0.9)))[0]
    assert score.uncertainty == (pytest.approx(margin), pytest.approx(margin), None)
    assert score.verdicts == ("within noise", "better", "better?")


def test_similar_durations_are_within_noise() -> None:
    first, other, third, fourth = (make_side(metrics={"fit_seconds": value}) for value in (1.0, 1.1, 2.0, 1.05))
    assert scores.compare_scores((first, other, third, fourth))[0].verdicts == ("within noise", "worse", "within noise")


def test_durations_on_other_data() -> None:
    here = make_side(metrics={"fit_seconds": 5.0}, record=make_record())
    there = make_side(metrics={"fit_seconds": 0.5}, record=make_record(data_hash="other"))
    assert scores.compare_scores((here, there))[0].verdicts == ("other data",)


def test_training_rows_have_no_verdict() -> None:
    score = scores.compare_scores((make_side(metrics={"train/r2": 0.5}), make_side(metrics={"train/r2": 0.75})))[0]
    assert (score.differences, score.uncertainty, score.verdicts) == ((0.25,), (None,), (None,))


def test_a_threshold_is_compared_and_neither_is_better() -> None:
    here, there = (make_side(metrics={"threshold": value, "rounds": 5.0}) for value in (0.5, 0.25))
    (score,) = scores.compare_scores((here, there))
    assert (score.name, score.differences, score.verdicts) == ("threshold", (-0.25,), (None,))


def test_scores_of_other_targets_have_no_difference() -> None:
    metrics = {"test/r2": 0.5, "train/r2": 0.5, "fit_seconds": 1.0}
    there = replace(make_record(), params={"dataset.target": "z"})
    compared = scores.compare_scores(
        (make_side(metrics=metrics, record=make_record()), make_side(metrics=metrics, record=there))
    )
    assert [score.differences for score in compared] == [(None,), (None,), (0.0,)]
    assert {score.verdicts for score in compared} == {("other data",)}


def test_nan_has_no_verdict() -> None:
    score = scores.compare_scores((make_side(metrics={"test/r2": float("nan")}), make_side(metrics={"test/r2": 0.5})))[
        0
    ]
    assert (score.differences, score.verdicts) == ((None,), (None,))
