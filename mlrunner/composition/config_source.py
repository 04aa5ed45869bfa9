"""Where a configuration is read from: `conf/`, and what `-cn`, `-cp`, `-cd` and `hydra.searchpath` name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from mlrunner.composition.hydra_private import make_flag_parser
from mlrunner.core.overrides import split_flags

CONFIG, SEARCH_PATH = "config", "hydra.searchpath="


@dataclass(frozen=True)
class ConfigSource:
    """Folders and files that a composition is read from.

    Args:
        name: Name of the primary configuration, as `-cn` sets it.
        path: Folder instead of `conf/`, as `-cp` sets it; None for `conf/`.
        folders: Further folders, as `-cd` and `hydra.searchpath` name them: paths or URLs like `pkg://module`.
    """

    name: str = CONFIG
    path: str | None = None
    folders: tuple[str, ...] = ()


def read_config_source(words: Iterable[str]) -> ConfigSource:
    """Read the source of a command line, which Hydra has parsed before, from its flags and overrides."""
    flags, overrides = split_flags(words)
    parsed, _ = make_flag_parser().parse_known_args(flags)
    folders = [*([parsed.config_dir] if parsed.config_dir else []), *_read_search_path(overrides)]
    return ConfigSource(parsed.config_name or CONFIG, parsed.config_path, tuple(map(str, folders)))


def _read_search_path(overrides: list[str]) -> list[object]:
    """Return what `hydra.searchpath=[…]` lists; nothing where it is wrong, which Hydra tells."""
    try:
        texts = [text for text in overrides if text.startswith(SEARCH_PATH)]
        values = [override.value() for override in OverridesParser.create().parse_overrides(texts)]
    except HydraException:
        return []
    return [folder for value in values if isinstance(value, list) for folder in value]
