"""Batch prediction is one step."""

from __future__ import annotations


def test_steps(shapes: dict[str, dict[str, list[str]]]) -> None:
    assert shapes["inference"] == {"predict": []}
