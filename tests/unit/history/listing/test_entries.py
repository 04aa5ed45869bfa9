"""Runs as rows of a table."""

from __future__ import annotations

import pytest

from mlrunner.history.listing.columns import select_columns
from tests.support.entries import cell_text, make_entry


def test_blueprint_is_an_override() -> None:
    fields = {"params": {"blueprint": "true"}, "tags": {"mlrunner.overrides": '["model=rf"]'}}
    assert make_entry(**fields).document()["differs"] == ["blueprint=true", "model=rf"]
    assert select_columns("differs", False)[0].exact(make_entry(**fields)) == "blueprint=true model=rf"


@pytest.mark.parametrize(
    ("status", "tags", "text"),
    [
        ("FINISHED", {}, "finished"),
        ("KILLED", {}, "killed"),
        ("KILLED", {"mlrunner.trial_number": "1", "mlrunner.zenml.run": "search-0-1"}, "pruned"),
        ("KILLED", {"mlrunner.trial_number": "1", "mlrunner.zenml.run": "ridge-0"}, "killed"),
        ("RUNNING", {}, "running"),
    ],
)
def test_status(status: str, tags: dict[str, str], text: str) -> None:
    assert cell_text("status", make_entry(status=status, tags=tags)) == text
