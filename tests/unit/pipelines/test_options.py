"""The options that all pipelines have."""

from __future__ import annotations

from typing import Any


def test_pipelines_switch_off_what_mlflow_records(described: dict[str, Any]) -> None:
    off, fail_fast = [False] * 4, "fail_fast"
    assert described["options"] == {
        "training": [*off, False, fail_fast],
        "deployment": [*off, False, fail_fast],
        "inference": [*off, False, fail_fast],
        "search": [*off, True, described["options"]["search"][-1]],
    }


def test_annotations_are_types(described: dict[str, Any]) -> None:
    assert described["texts"] == []  # under `from __future__ import annotations`, ZenML resolves 105 texts in each run
