"""Compose the project's configuration without running anything: the only module that opens Hydra on `conf/`."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir, initialize_config_module
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from mlrunner.composition.config_source import CONFIG, ConfigSource
from mlrunner.composition.deployment_name import register_resolver
from mlrunner.composition.hydra_private import apply_value_overrides, read_files_once
from mlrunner.core.errors import ConfigError
from mlrunner.core.project import CONF_URL
from mlrunner.core.typed_overrides import prepare_override
from mlrunner.core.uris import has_scheme
from mlrunner.tracking.records.snapshot import Snapshot, make_snapshot

VERSION, PACKAGE = "1.3", "pkg://"
COMPOSE_ERRORS = (HydraException, OmegaConfBaseException, ValueError)  # what composing raises for a user's mistake


@contextmanager
def open_hydra(source: ConfigSource | None = None) -> Iterator[GlobalHydra]:
    """Open Hydra on `conf/` or on another source, and restore the Hydra that was open before."""
    source = source or ConfigSource()
    register_resolver()
    before = copy.copy(GlobalHydra.instance().hydra)
    GlobalHydra.instance().clear()
    try:
        with _initialize(source.path or CONF_URL):
            hydra = GlobalHydra.instance()
            if source.folders and hydra.hydra is not None:
                loader: Any = hydra.config_loader()
                places = loader.get_search_path()
                for folder in source.folders:
                    url = folder if has_scheme(folder) else f"file://{Path(folder).absolute()}"
                    places.prepend("command-line", url, SearchPathQuery(provider="schema"))
                hydra.hydra.config_loader = type(loader)(places)
            yield hydra
    finally:
        GlobalHydra.instance().hydra = before


def _initialize(place: str) -> AbstractContextManager[None]:
    """Open Hydra on a folder, a `file://` URL or a `pkg://` URL."""
    if place.startswith(PACKAGE):
        return initialize_config_module(place.removeprefix(PACKAGE), version_base=VERSION)
    return initialize_config_dir(place.removeprefix("file://"), version_base=VERSION)


def compose_config(overrides: Sequence[str] = ()) -> DictConfig:
    """Compose the configuration.

    Raises:
        HydraException: When a choice or a key does not exist.
    """
    with open_hydra():
        return compose(CONFIG, [prepare_override(text) for text in overrides])


class ConfigComposer:
    """Composer that reads each configuration file once."""

    def __init__(self, loader: Any) -> None:
        read_files_once(loader)
        self._loader = loader

    def compose(self, overrides: Sequence[str]) -> Snapshot:
        """Compose the configuration.

        Raises:
            ConfigError: When a choice or a key does not exist.
        """
        quoted = [prepare_override(text) for text in overrides]
        try:
            cfg = self._loader.load_configuration(CONFIG, quoted, run_mode=RunMode.RUN)
        except COMPOSE_ERRORS as error:
            raise ConfigError(f"{' '.join(overrides)} does not compose: {' '.join(str(error).split())}") from error
        hydra = {"hydra": {"runtime": {"choices": OmegaConf.to_container(cfg.hydra.runtime.choices)}}}
        with open_dict(cfg):
            del cfg["hydra"]
        return make_snapshot(resolve_partially(cfg), OmegaConf.to_container(cfg), hydra, list(overrides))

    def set(self, raw: dict[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
        """Set values in a composed configuration, as the last step of Hydra's own composition does.

        Args:
            raw: Configuration with unresolved interpolations.
            overrides: Overrides of values, not of choices.

        Raises:
            ConfigError: When a key does not exist.
        """
        cfg = OmegaConf.create(copy.deepcopy(raw))
        OmegaConf.set_struct(cfg, True)
        try:
            apply_value_overrides(self._loader, OverridesParser.create().parse_overrides(list(overrides)), cfg)
        except COMPOSE_ERRORS as error:
            raise ConfigError(f"{' '.join(overrides)} cannot be set: {' '.join(str(error).split())}") from error
        values: dict[str, Any] = OmegaConf.to_container(cfg)  # type: ignore[assignment]
        return values


@contextmanager
def open_composer(folders: Sequence[str] = ()) -> Iterator[ConfigComposer]:
    """Open a composer on `conf/`.

    Args:
        folders: Further folders of configuration files, as `-cd` names them; a folder that does not exist is left out.
    """
    with open_hydra(ConfigSource(folders=tuple(folder for folder in folders if Path(folder).is_dir()))) as hydra:
        yield ConfigComposer(hydra.config_loader())


def resolve_partially(cfg: DictConfig) -> dict[str, Any]:
    """Resolve the interpolations of a configuration; one that refers to a missing value stays as it is."""
    try:
        values = OmegaConf.to_container(cfg, resolve=True)
    except OmegaConfBaseException:
        values = {str(key): _resolve_value(cfg, str(key)) for key in cfg}
    return {str(key): value for key, value in values.items()} if isinstance(values, dict) else {}


def _resolve_value(cfg: DictConfig, key: str) -> Any:
    try:
        node = cfg[key]
    except OmegaConfBaseException:
        raw: Any = OmegaConf.to_container(cfg)
        return raw[key]
    if isinstance(node, DictConfig):
        return resolve_partially(node)
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node
