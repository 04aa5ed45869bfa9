"""Trials from the folder or the store, ranked."""

from __future__ import annotations

import math
from pathlib import Path

from mlrunner.history import report
from mlrunner.history.report import trials
from mlrunner.tracking.records.record import STUDY_TAG
from tests.support.reports import SWEEP, ListStore, make_grid, make_outcome, make_run


def test_minimized_objective_has_the_least_first() -> None:
    outcomes = [
        make_outcome(k, value, metric="rmse", metrics={"rmse": value}) for k, value in enumerate((3.0, 1.0, 2.0))
    ]
    arranged = trials.sort_trials(outcomes, {"rmse": "minimize"}, None)
    assert [trial.outcome.job for trial in arranged] == [1, 2, 0]


def test_grid_without_a_folder_is_read_from_its_ranking(tmp_path: Path) -> None:
    (tmp_path / "eeee").mkdir()
    lines = [make_outcome(0), make_outcome(1, math.nan, status="FAILED", error="broke", run_id=None)]
    (tmp_path / "eeee" / "ranking.jsonl").write_text("\n".join(item.json() for item in lines))
    content = make_grid(tmp_path, None)  # type: ignore[arg-type]
    assert [item.state for item in content.trials] == [trials.COMPLETE, trials.FAILED]
    assert content.trials[1].outcome.error == "broke"
    assert content.goal == {"r2": "maximize"}


def test_search_without_a_folder_is_read_from_its_runs(tmp_path: Path) -> None:
    tags = {"mlrunner.sweep_id": SWEEP}
    runs = [
        make_run(
            tmp_path, "1" * 32, metrics={"rmse": 1.0, "fit_seconds": 0.1}, tags={**tags, "mlrunner.trial_number": "0"}
        ),
        make_run(
            tmp_path, "2" * 32, metrics={"rmse": 2.0}, status="KILLED", tags={**tags, "mlrunner.trial_number": "1"}
        ),
        make_run(tmp_path, "3" * 32, metrics={}, status="FAILED", tags={**tags, "mlrunner.trial_number": "2"}),
        make_run(tmp_path, "4" * 32, tags={**tags, "mlrunner.trial_number": "0", "mlrunner.winner_of": "1" * 32}),
    ]
    (tmp_path / "3333" / "error.txt").write_text("ValueError: no\nTraceback")
    parent = make_run(tmp_path, "e" * 32, params={"goal.rmse": "minimize"}, tags={**tags, STUDY_TAG: "mine"})
    content = report.gather_content(parent, ListStore(parent, *runs))
    assert [trial.state for trial in content.trials] == [trials.COMPLETE, trials.PRUNED, trials.FAILED]
    assert content.trials[0].outcome.fit_seconds == 0.1
    assert content.trials[2].outcome.error == "ValueError: no"
