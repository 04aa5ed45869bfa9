"""Sweeps as rows of a table."""

from __future__ import annotations

import pytest

from mlrunner.history.listing.sweep import SweepEntry
from tests.support.entries import cell_text
from tests.support.records import make_record


@pytest.mark.parametrize(
    ("counts", "tags", "text"),
    [
        ({"FAILED": 1, "FINISHED": 18, "KILLED": 3}, {"mlrunner.study": "s"}, "18 done, 3 pruned, 1 failed"),
        ({"KILLED": 3, "RUNNING": 1}, {}, "3 interrupted, 1 running"),
        ({}, {}, "-"),
    ],
)
def test_trials_by_their_end(counts: dict[str, int], tags: dict[str, str], text: str) -> None:
    parent = make_record(tags={"mlrunner.sweep_id": "day/time", **tags})
    assert cell_text("trials", SweepEntry(parent, None, None, counts)) == text


def test_last_word_of_a_cut_name_is_dropped() -> None:
    name = f"model=ridge,rf,dataset.path=/a/{'b' * 80}.csv,sweep=optuna,tracking.plots=false,t"
    parent = make_record(name=name[:119] + "t", tags={"mlrunner.sweep_id": "day/time"}, params={}, metrics={})
    entry = SweepEntry(parent, None, None, {})
    assert entry.differs == ["model=ridge,rf", f"dataset.path=/a/{'b' * 80}.csv"]
    assert (entry.metric, entry.objective, entry.winner) == ("", None, None)
