"""The steps of a run, and of the refit that a reproduction of a winner repeats."""

from __future__ import annotations

Shapes = dict[str, dict[str, list[str]]]


def test_steps_of_a_run(shapes: Shapes) -> None:
    assert list(shapes["training"]) == ["ingest", "clean", "divide", "train", "evaluate", "gate", "deploy"]
    assert shapes["training"]["train"] == ["divide", "ingest"]
    assert shapes["training"]["evaluate"] == ["divide", "train"]


def test_refit_has_other_steps_after_the_split(shapes: Shapes) -> None:
    assert list(shapes["refit"]) == ["ingest", "clean", "divide", "refit", "judge", "gate", "deploy"]
    assert shapes["refit"]["judge"] == ["divide", "refit"]
