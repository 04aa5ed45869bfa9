"""The steps that make rows, which every pipeline with rows begins with."""

from __future__ import annotations

import pytest

Shapes = dict[str, dict[str, list[str]]]


@pytest.mark.parametrize("name", ["training", "refit", "deployment"])
def test_pipeline_begins_with_the_rows(name: str, shapes: Shapes) -> None:
    first = dict(list(shapes[name].items())[:3])
    assert first == {"ingest": [], "clean": ["ingest"], "divide": ["clean"]}
