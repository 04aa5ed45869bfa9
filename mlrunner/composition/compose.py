"""Compose today's configuration files without running anything, and set values in what was composed."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra import initialize_config_dir
from hydra._internal.config_repository import CachingConfigRepository
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from mlrunner.composition.override_syntax import written
from mlrunner.core.errors import ConfigError
from mlrunner.core.overrides import quote_option
from mlrunner.tracking.records.snapshot import Frozen, frozen

FAULTS = (HydraException, OmegaConfBaseException, ValueError)  # what a composition that cannot be raises


class Composing:
    """Hydra on the project's configuration and further folders of it; each file is read once."""

    def __init__(self, loader: Any, folders: Sequence[str]) -> None:
        loader.repository = ReadOnce(loader.repository)
        self._loader = loader
        places = [f"file://{folder}" for folder in folders]
        self._search = [f"hydra.searchpath={written(places)}"] if places else []

    def compose(self, overrides: Sequence[str]) -> Frozen:
        """Compose.

        Args:
            overrides: As they are typed.

        Raises:
            ConfigError: When there is no such choice or key.
        """
        told = [quote_option(text) for text in overrides]
        try:
            cfg = self._loader.load_configuration("config", [*self._search, *told], run_mode=RunMode.RUN)
        except FAULTS as error:
            raise ConfigError(f"{' '.join(overrides)} does not compose: {' '.join(str(error).split())}") from error
        hydra = {"hydra": {"runtime": {"choices": OmegaConf.to_container(cfg.hydra.runtime.choices)}}}
        with open_dict(cfg):
            del cfg["hydra"]
        return frozen(resolved(cfg), OmegaConf.to_container(cfg), hydra, list(overrides))

    def set(self, raw: dict[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
        """Set values in a composition, as Hydra does after it has composed.

        Args:
            raw: Interpolations unresolved.
            overrides: Of values, not of choices.

        Raises:
            ConfigError: When a key is not there.
        """
        cfg = OmegaConf.create(copy.deepcopy(raw))
        OmegaConf.set_struct(cfg, True)
        try:
            self._loader._apply_overrides_to_config(OverridesParser.create().parse_overrides(list(overrides)), cfg)
        except FAULTS as error:
            raise ConfigError(f"{' '.join(overrides)} cannot be set: {' '.join(str(error).split())}") from error
        found: dict[str, Any] = OmegaConf.to_container(cfg)  # type: ignore[assignment]
        return found


@contextmanager
def composing(folders: Sequence[str] = ()) -> Iterator[Composing]:
    """Open Hydra on `conf/`, beside whatever else of Hydra is open.

    Args:
        folders: More folders of configuration, as `-cd` names them.
    """
    before = copy.copy(GlobalHydra.instance().hydra)
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(Path(os.environ["MLRUNNER_PROJECT"]) / "conf"), version_base="1.3"):
            hydra: Any = GlobalHydra.instance().hydra
            yield Composing(hydra.config_loader, [folder for folder in folders if Path(folder).is_dir()])
    finally:
        GlobalHydra.instance().hydra = before


def resolved(cfg: DictConfig) -> dict[str, Any]:
    """Resolve what resolves; a value that does not, because it is not set yet, stays as it is."""
    try:
        found = OmegaConf.to_container(cfg, resolve=True)
    except OmegaConfBaseException:
        found = {str(key): _resolved(cfg, str(key)) for key in cfg}
    return {str(key): value for key, value in found.items()} if isinstance(found, dict) else {}


def _resolved(cfg: DictConfig, key: str) -> Any:
    try:
        node = cfg[key]
    except OmegaConfBaseException:
        return cfg._get_node(key)._value()  # type: ignore[union-attr]
    if isinstance(node, DictConfig):
        return resolved(node)
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node


class ReadOnce(CachingConfigRepository):
    """The configuration files as each was first read; Hydra copies its repository for every composition."""

    def __deepcopy__(self, memo: dict[int, Any]) -> ReadOnce:
        return self

    def load_config(self, config_path: str) -> Any:
        """Give a copy, for Hydra merges other files into what it is given."""
        return copy.deepcopy(super().load_config(config_path))
