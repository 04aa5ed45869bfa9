"""The steps that deploy a saved model, and the last steps of every pipeline with a model."""

from __future__ import annotations

Shapes = dict[str, dict[str, list[str]]]


def test_steps(shapes: Shapes) -> None:
    assert list(shapes["deployment"]) == ["ingest", "clean", "divide", "load", "score", "gate", "deploy"]
    assert shapes["deployment"]["load"] == []
    assert shapes["deployment"]["score"] == ["divide", "ingest", "load"]


def test_gate_comes_before_the_deployment(shapes: Shapes) -> None:
    for name, scores, model in (("training", "evaluate", "train"), ("refit", "judge", "refit")):
        assert shapes[name]["gate"] == sorted(["ingest", "divide", scores, model])
        assert shapes[name]["deploy"] == sorted(["gate", scores, model])
