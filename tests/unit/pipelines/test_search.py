"""Searches of this process, which their pipeline finds by the name of the study."""

from __future__ import annotations

from typing import Any


def test_pipeline_runs_only_searches_of_this_process(described: dict[str, Any]) -> None:
    assert described["refusal"] == "'another study'"
    assert described["drivers"] == []
