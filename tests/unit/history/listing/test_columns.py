"""The cells of a table of runs."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from mlrunner.history.listing.columns import format_age
from tests.support.entries import cell_text, make_entry


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "model=rf max_depth=3"),
        ({"name": "default"}, "default"),
        ({"tags": {"mlrunner.overrides": '["model=rf", "dataset.path=/a/b/c.csv"]'}}, "model=rf path=c.csv"),
        ({"tags": {"mlrunner.overrides": '["model.estimator.alpha=0.123456789"]'}}, "alpha=0.1235"),
        ({"tags": {"mlrunner.overrides": '["dataset.path=s3://bucket/day/*.csv"]'}}, "path=*.csv"),
        ({"tags": {"mlrunner.overrides": '["seed=1", "model=rf"]'}}, "model=rf seed=1"),
        ({"tags": {"mlrunner.overrides": "[]"}, "name": "default"}, "default"),
        ({"tags": {"mlrunner.overrides": '["model=rf"]', "mlrunner.winner_of": "b"}}, "winner model=rf"),
        (
            {"tags": {"mlrunner.overrides": '["model=rf"]', "mlrunner.invalid": "[alive] leaks"}},
            "invalid ([alive] leaks) model=rf",
        ),
        ({"params": {"tracking.name": "mine"}, "name": "mine"}, "mine"),
        ({"params": {"blueprint": "true"}, "tags": {"mlrunner.overrides": '["model=rf"]'}}, "blueprint model=rf"),
        (
            {"tags": {"mlrunner.overrides": '["dataset=csv", "dataset.path=/a/b.csv", "model=rf", "seed=1"]'}},
            "model=rf seed=1 dataset=csv path=b.csv",
        ),
        ({"name": "alpha=1,~features,model=[a,b]"}, "alpha=1 ~features model=[a,b]"),
        ({"name": "another program's", "tags": {}}, "another program's"),
        ({"name": "two\nlines\x1b[2J", "tags": {}}, "two lines [2J"),
    ],
)
def test_overrides_are_shortened(fields: dict[str, Any], expected: str) -> None:
    assert cell_text("differs", make_entry(**fields)) == expected


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(5, "5 s ago"), (600, "10 min ago"), (7200, "2 h ago"), (172_800, "2 d ago"), (9e6, r"\d{4}-\d\d-\d\d")],
)
def test_age(seconds: float, text: str) -> None:
    assert re.fullmatch(text, format_age(int((time.time() - seconds) * 1000)))


def test_running_run_has_empty_cells() -> None:
    entry = make_entry(status="RUNNING", end=None, metrics={})
    assert [cell_text(name, entry) for name in ("took", "end", "objective", "test", "spread")] == ["-"] * 5
    assert entry.document()["seconds"] is None
