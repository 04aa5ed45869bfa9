"""Comparison of the metrics of a run and its reproduction."""

from __future__ import annotations

import pytest

from mlrunner.core.errors import ConfigError
from mlrunner.core.outcome import Outcome
from mlrunner.execution.reproduction.scores import average_metrics, check_scores, compare_metrics, is_close
from mlrunner.tracking.records import Record

TRIAL = {"mlrunner.sweep_id": "d/t", "mlrunner.trial_number": "0"}


@pytest.mark.parametrize(
    ("then", "now", "tolerance", "close"),
    [
        (0.5, 0.5, 0.0, True),
        (0.5, 0.5000000000000001, 0.0, False),
        (0.5, 0.5000000000000001, 1e-9, True),
        (-0.5, -0.51, 0.05, True),
        (-0.5, -0.6, 0.05, False),
        (0.0, 1e-12, 0.1, False),
        (0.0, 0.0, 0.0, True),
    ],
)
def test_the_tolerance_is_relative(then: float, now: float, tolerance: float, close: bool) -> None:
    assert is_close(then, now, tolerance) is close


def outcome(**metrics: float) -> Outcome:
    values = {name.replace("__", "/"): value for name, value in metrics.items()}
    return Outcome("n", "FINISHED", "r2", "maximize", 0.5, 1.0, 1.0, 1.0, values, "r", None, "/nowhere")


def test_repeats_are_averaged_over_all_fits_at_once() -> None:
    outcomes = [outcome(r2=0.2, cv__r2=0.2), outcome(r2=0.4, cv__r2=0.4)]
    folds = [{"r2": [0.1, 0.3]}, {"r2": [0.4, 0.4]}]
    averages = average_metrics(outcomes, folds)
    assert averages["cv/r2"] == averages["r2"] == pytest.approx(0.3)
    assert averages["cv/r2_std"] == pytest.approx(0.1224744871)
    held = average_metrics([outcome(r2=0.2), outcome(r2=0.4)], [{}, {}])
    assert (held["validation/r2"], held["validation/r2_std"]) == (pytest.approx(0.3), pytest.approx(0.1))


@pytest.mark.parametrize(
    ("tags", "names"),
    [
        ({}, ["test/r2", "train/r2", "validation/r2"]),
        ({"mlrunner.sweep_id": "d/t", "mlrunner.trial_number": "0"}, ["validation/r2"]),
        (
            {"mlrunner.sweep_id": "d/t", "mlrunner.trial_number": "0", "mlrunner.winner_of": "x"},
            ["test/r2", "train/r2"],
        ),
    ],
    ids=["run", "trial", "winner"],
)
def test_durations_and_copied_metrics_are_not_compared(tags: dict[str, str], names: list[str]) -> None:
    metrics = {"test/r2": 0.1, "train/r2": 0.2, "validation/r2": 0.3, "fit_seconds": 1.0, "serve/p95_ms": 2.0}
    record = Record("a" * 32, "n", "FINISHED", 0, 1, "e", "/nowhere", {}, metrics, tags)
    assert [metric.name for metric in compare_metrics(record, metrics, 0.0)] == names


def test_a_missing_metric_is_not_the_same() -> None:
    record = Record("a" * 32, "n", "FINISHED", 0, 1, "e", "/nowhere", {}, {"test/r2": 0.1}, {})
    (metric,) = compare_metrics(record, {}, 0.0)
    assert (metric.now, metric.is_same) == (None, False)


@pytest.mark.parametrize(
    ("status", "metrics", "tags", "reason"),
    [
        ("FAILED", {}, {}, "has no scores"),
        ("RUNNING", {"fit_seconds": 1.0}, {}, "has no scores"),
        ("KILLED", {"validation/r2": 0.1}, TRIAL, "was pruned or stopped"),
    ],
)
def test_a_run_without_scores_is_refused(
    status: str, metrics: dict[str, float], tags: dict[str, str], reason: str
) -> None:
    record = Record("a" * 32, "n", status, 0, 1, "e", "/nowhere", {}, metrics, tags)
    with pytest.raises(ConfigError, match=rf"Run aaaaaaaa \({status}\) {reason}.* nothing to compare"):
        check_scores(record)
    check_scores(Record("a" * 32, "n", "FAILED", 0, 1, "e", "/nowhere", {}, {"test/r2": 0.1}, {}))
