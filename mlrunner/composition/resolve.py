"""Resolve Hydra's nodes into plain values, saying in one sentence what does not resolve."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mlrunner.core.build import Group
from mlrunner.core.errors import ConfigError, nearest


def plain(node: DictConfig, key: str) -> Group:
    """Resolve one group of Hydra's config into plain values.

    Raises:
        ConfigError: When an interpolation leads nowhere.
    """
    with resolving(key, [str(name) for name in node]):
        found = OmegaConf.to_container(node[key], resolve=True)
    if not isinstance(found, dict):
        raise ConfigError(f"{key}={found!r} is not an option; choose one of conf/{key}/.")
    return {str(name): value for name, value in found.items()}


@contextmanager
def resolving(key: str, known: list[str]) -> Iterator[None]:
    """Say in one sentence which interpolation leads nowhere.

    Args:
        key: What is being resolved, for errors that do not tell their own key.
        known: The names at the top of the composition.

    Raises:
        ConfigError: When one does.
    """
    try:
        yield
    except OmegaConfBaseException as error:
        told, at = str(error).splitlines()[0].rstrip("."), error.full_key or key
        absent = re.fullmatch("Interpolation key '(.*)' not found", told)
        if absent is None:
            raise ConfigError(f"{at} cannot be resolved: {told}; correct what is between ${{ and }}.") from error
        name = absent[1]
        raise ConfigError(
            f"{at} refers to ${{{name}}}, but the composition has no key {name}; correct it.{nearest(name, known)}"
        ) from error


def merged(cfg: DictConfig, values: dict[str, Any]) -> DictConfig:
    """Replace values, in a copy."""
    found = OmegaConf.merge(cfg, values)
    return found if isinstance(found, DictConfig) else cfg
