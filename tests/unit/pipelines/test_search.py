"""Searches of this process, which their pipeline finds by the name of the study."""

from __future__ import annotations

import pytest

from pipelines.search import DRIVERS, search


def test_pipeline_runs_only_searches_of_this_process() -> None:
    with pytest.raises(KeyError, match="another study"):
        search.entrypoint("another study")
    assert DRIVERS == {}
