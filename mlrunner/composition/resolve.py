"""Resolve interpolations, with one sentence for each that cannot be resolved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mlrunner.composition.deployment_name import register_resolver
from mlrunner.core.build import Group
from mlrunner.core.errors import ConfigError, first_line, nearest


def resolve_group(node: DictConfig, key: str) -> Group:
    """Resolve a config group into plain values.

    Raises:
        ConfigError: When an interpolation cannot be resolved, or the key holds no group.
    """
    register_resolver()
    with explain_resolution(key, [str(name) for name in node]):
        group = node[key]
        if not isinstance(group, DictConfig):
            raise ConfigError(f"{key}={group} is not an option; choose one of conf/{key}/.")
        values: Any = OmegaConf.to_container(group, resolve=True)
    return {str(name): value for name, value in values.items()}


def is_resolved(plain: Any) -> bool:
    """Check whether an unresolved value is a group that holds no interpolation, so that it is the resolved one."""
    return isinstance(plain, dict) and not _interpolates(plain)


def _interpolates(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(_interpolates, value.values() if isinstance(value, dict) else value))
    return isinstance(value, str) and "${" in value


@contextmanager
def explain_resolution(key: str, known: list[str]) -> Iterator[None]:
    """Convert an error of resolution into one sentence.

    Args:
        key: Key that is resolved, for errors that have no key of their own.
        known: Names at the top of the composition.

    Raises:
        ConfigError: When the block raises an error of resolution.
    """
    try:
        yield
    except OmegaConfBaseException as error:
        reason, full_key = first_line(error), error.full_key or key
        missing = re.fullmatch("Interpolation key '(.*)' not found", reason)
        if missing is None:
            raise ConfigError(
                f"{full_key} cannot be resolved: {reason}; correct what is between ${{ and }}."
            ) from error
        name = missing[1]
        raise ConfigError(
            f"{full_key} refers to ${{{name}}}, but the composition has no key {name}; correct it."
            f"{nearest(name, known)}"
        ) from error


def merge_values(cfg: DictConfig, values: dict[str, Any]) -> DictConfig:
    """Return a copy of a configuration with other values."""
    merged = OmegaConf.merge(cfg, values)
    assert isinstance(merged, DictConfig)
    return merged
