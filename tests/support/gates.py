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


def composed(compose: Compose, *overrides: str, task: Task = "regression") -> Any:
    return build(resolve_group(compose([f"dataset.task={task}", *overrides]), "gate"), "gate", Gate)


ANOTHER = "deploy with another gate, such as gate=threshold"


def scored(name: str = "", rows: str = "rows", problem: str | None = None, **metrics: float) -> GateInputs:
    return GateInputs({f"test/{metric}": value for metric, value in metrics.items()}, rows, name, problem)


def deployed(**metrics: float) -> GateInputs:
    return scored("olist/2", **metrics)
