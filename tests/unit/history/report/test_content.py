"""The content of a report."""

from __future__ import annotations

import math
from pathlib import Path

from mlrunner.history import report
from mlrunner.history.report import summary
from tests.support.reports import SWEEP, ListStore, make_outcome, make_run


def test_killed_sweep_is_led_by_its_best_trial(tmp_path: Path) -> None:
    best = make_run(tmp_path, "2" * 32)
    parent = make_run(tmp_path, "e" * 32, status="RUNNING", end=None, tags={"mlrunner.sweep_id": SWEEP}, params={})
    failed = make_outcome(0, math.nan, status="FAILED", error="no")
    content = report.gather_content(
        parent, ListStore(parent, best), [make_outcome(1, 0.1), failed, make_outcome(2, 0.9)]
    )
    assert (content.lead, content.best) == (best, content.trials[0])
    assert content.trials[0].outcome.job == 2
    assert [number.label for number in summary.make_headline(content)] == ["best r2", "test r2", "compositions"]
    assert report.gather_content(parent, ListStore(parent, best), [failed]).lead is None
