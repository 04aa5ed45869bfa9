"""Builders of gates and of their inputs."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from mlrunner.composition.resolve import resolve_group
from mlrunner.core.build import build
from mlrunner.core.column_roles import Task
from mlrunner.groups.gate import Gate, GateInputs

Compose = Callable[[list[str]], DictConfig]


COMPOSED: dict[tuple[str, ...], DictConfig] = {}


def compose_gate(compose: Compose, *overrides: str, task: Task = "regression") -> Any:
    """Build a gate; the options are composed once, and values of keys set in a copy."""
    chosen = (f"dataset.task={task}", *(text for text in overrides if not text.startswith(("gate.", "+gate."))))
    if chosen not in COMPOSED:
        COMPOSED[chosen] = compose(list(chosen))
    cfg = copy.deepcopy(COMPOSED[chosen])
    for override in OverridesParser.create().parse_overrides([text for text in overrides if text not in chosen]):
        OmegaConf.update(cfg, override.key_or_group, override.value(), force_add=True)
    return build(resolve_group(cfg, "gate"), "gate", Gate)


OTHER_GATE_HINT = "deploy with another gate, such as gate=threshold"


def make_inputs(name: str = "", rows: str = "rows", problem: str | None = None, **metrics: float) -> GateInputs:
    return GateInputs({f"test/{metric}": value for metric, value in metrics.items()}, rows, name, problem)


def make_champion(**metrics: float) -> GateInputs:
    return make_inputs("olist/2", **metrics)
