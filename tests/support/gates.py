"""Builders of gates and of their inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from omegaconf import DictConfig

from mlrunner.composition.resolve import resolve_group
from mlrunner.core.build import build
from mlrunner.core.column_roles import Task
from mlrunner.groups.gate import Gate, GateInputs

Compose = Callable[[list[str]], DictConfig]


def compose_gate(compose: Compose, *overrides: str, task: Task = "regression") -> Any:
    return build(resolve_group(compose([f"dataset.task={task}", *overrides]), "gate"), "gate", Gate)


OTHER_GATE_HINT = "deploy with another gate, such as gate=threshold"


def make_inputs(name: str = "", rows: str = "rows", problem: str | None = None, **metrics: float) -> GateInputs:
    return GateInputs({f"test/{metric}": value for metric, value in metrics.items()}, rows, name, problem)


def make_champion(**metrics: float) -> GateInputs:
    return make_inputs("olist/2", **metrics)
