"""Compose a recorded configuration with the paths and the stack of this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from mlrunner.composition.compose import open_composer
from mlrunner.composition.keys import PLACES
from mlrunner.core.errors import ConfigError
from mlrunner.tracking.records import separate_stack_overrides
from mlrunner.tracking.records.snapshot import Snapshot

LOCAL_KEYS = (*PLACES, "stack", "gate", "deployer", "executor", "output")  # keys whose values are those of this machine
RECORDED_GROUPS = ("dataset", "cleaning", "split", "model", "experiment", "sweep")  # today's files are not read
BASE_OVERRIDES = ("gate=none", "deployer=none", *(f"~{group}" for group in RECORDED_GROUPS))
OVERRIDABLE_KEYS = ("dataset.path", "dataset.url", "threads")  # may differ on this machine, as may the stack
REDACTED = "***"


def compose_seeds(snapshot: Snapshot, overrides: Sequence[str], repeats: int) -> list[DictConfig]:
    """Compose one configuration for each seed: the recorded one, with the values of this machine.

    Args:
        snapshot: Recorded configuration.
        overrides: Overrides of the stack and of `OVERRIDABLE_KEYS`.
        repeats: Number of seeds.

    Raises:
        ConfigError: When an override is not possible, or a secret is missing.
    """
    _check_overrides(overrides)
    others, stack = separate_stack_overrides(overrides)
    raw = dict(snapshot.raw or {})
    with open_composer() as hydra:
        today = hydra.compose([*stack, *BASE_OVERRIDES]).raw or {}
        raw |= {name: today[name] for name in LOCAL_KEYS}
        raw["dataset"] = locate_data(raw["dataset"], snapshot.cwd)
        raw = hydra.set(raw, others)
    _check_secrets(raw)
    first: Any = OmegaConf.create(raw)
    OmegaConf.set_struct(first, True)
    more = [OmegaConf.merge(first, {"seed": int(first.seed) + number}) for number in range(1, repeats)]
    return [first, *[cfg for cfg in more if isinstance(cfg, DictConfig)]]


def locate_data(dataset: dict[str, Any], cwd: str | None) -> dict[str, Any]:
    """Resolve a relative `path` in the folder where the run was launched, if it still exists there.

    Args:
        dataset: Configuration of the data set.
        cwd: Folder where the run was launched; None when it is unknown.
    """
    path = dataset.get("path")
    if not isinstance(path, str) or "://" in path or "${" in path or Path(path).is_absolute():
        return dataset
    if cwd is None or Path(cwd) == Path.cwd():
        return dataset
    return {**dataset, "path": str(Path(cwd) / path)} if any(Path(cwd).glob(path)) else dataset


def _check_overrides(overrides: Sequence[str]) -> None:
    for text in overrides:
        key = text.partition("=")[0]
        if "=" not in text or (key not in OVERRIDABLE_KEYS and key != "stack" and not key.startswith("stack.")):
            raise ConfigError(
                f"'{text}' cannot be overridden in a reproduction; {', '.join(OVERRIDABLE_KEYS)} and stack=... can. "
                "To run it with other settings, start a new run."
            )


def _check_secrets(raw: dict[str, Any]) -> None:
    """Check that no secret is missing, since secrets are not recorded."""
    for key, value in raw["dataset"].items():
        if isinstance(value, str) and REDACTED in value:
            raise ConfigError(f"dataset.{key} holds a secret, which is not recorded; set dataset.{key}=...")
