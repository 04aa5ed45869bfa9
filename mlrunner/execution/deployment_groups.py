"""The gate and the deployer of a deployment: those of the run, and what the command changes of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from omegaconf import OmegaConf

from mlrunner.composition.compose import compose_config
from mlrunner.composition.resolve import resolve_group
from mlrunner.core.build import Group
from mlrunner.core.errors import ConfigError
from mlrunner.core.overrides import get_key

OVERRIDABLE = ("gate", "deployer")  # groups of the run that a deployment may replace
ACCEPTED = (*OVERRIDABLE, "stack")
OPTION = re.compile(r"[\w-]+(/[\w-]+)*")
RECORDED_KEYS = ("dataset", "cleaning", "split", "objective", "seed")  # always those of the run


def split_key(override: str) -> list[str]:
    """Split the key of an override into its parts."""
    return get_key(override).split(".")


def check_overrides(overrides: list[str]) -> None:
    """Refuse overrides of other groups.

    Raises:
        ConfigError: When there is one.
    """
    for text in overrides:
        if split_key(text)[0] not in ACCEPTED or "=" not in text:
            raise ConfigError(
                f"'{text}' cannot be overridden for a deployment; {', '.join(ACCEPTED)} can, such as "
                "gate=threshold gate.threshold=0.8 deployer=local."
            )


def choose_groups(overrides: list[str], params: Mapping[str, str], recorded: dict[str, Any]) -> dict[str, Group]:
    """Resolve the gate of the run, and its kind of deployer by today's files: a store sets no address.

    Args:
        overrides: Overrides of gate, deployer and stack.
        params: Parameters of the run, with the options that it chose.
        recorded: Configuration of the run.

    Raises:
        ConfigError: When the run names an option that no file has.
    """
    replaced = {split_key(text)[0] for text in overrides if len(split_key(text)) == 1}
    options = {group: params.get(group, "none") for group in OVERRIDABLE if group not in replaced}
    for group, option in options.items():
        if not OPTION.fullmatch(option):  # a path would read a file of anybody
            raise ConfigError(f"The run's {group}={option} is no option of conf/{group}/; add {group}=... of yours.")
    if options.get("deployer") == "none":
        options["deployer"] = "local"
    cfg = compose_config([*(f"{group}={option}" for group, option in options.items()), *overrides])
    OmegaConf.set_struct(cfg, False)
    for key in RECORDED_KEYS:
        cfg[key] = recorded[key]
    groups = {group: resolve_group(cfg, group) for group in OVERRIDABLE}
    if "gate" not in replaced and "gate" in params:
        overridden = {".".join(split_key(text)) for text in overrides}
        groups["gate"] = _merge(groups["gate"], recorded["gate"], "gate", overridden)
    return groups


def _merge(composed: Any, recorded: Any, key: str, overridden: set[str]) -> Any:
    """Take the recorded value of each key, and the composed value of overridden and new keys."""
    if key in overridden:
        return composed
    if not (isinstance(composed, dict) and isinstance(recorded, dict)):
        return recorded
    return {
        name: _merge(composed.get(name), recorded.get(name, composed.get(name)), f"{key}.{name}", overridden)
        for name in {**recorded, **composed}
    }
