"""Where a configuration is read from: `conf/`, and what `-cn`, `-cp`, `-cd` and `hydra.searchpath` name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from mlrunner.composition.hydra_private import make_flag_parser
from mlrunner.core.overrides import split_flags
from mlrunner.core.project import CONF, CONF_URL, PRIMARY
from mlrunner.core.terminal import relative_path

CONFIG, SEARCH_PATH = PRIMARY, "hydra.searchpath="


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


def read_config_flags(hydra: Mapping[str, Any]) -> tuple[str, ...]:
    """Read the flags `-cp`, `-cn` and `-cd` of a composition, each with its value; empty without them.

    Args:
        hydra: Node `hydra` of the composition, as Hydra made it or as `multirun.yaml` keeps it.
    """
    return tuple(_list_flags(hydra))


def _list_flags(hydra: Mapping[str, Any]) -> Iterator[str]:
    for source in hydra.get("runtime", {}).get("config_sources", ()):
        path, is_package = str(source["path"]), source.get("schema") == "pkg"
        url = f"{source.get('schema')}://{path}"
        if source["provider"] == "main" and url != CONF_URL and (is_package or not _is_ours(Path(path))):
            yield from ("-cp", url if is_package else path)  # Hydra takes it relative to our code
        elif source["provider"] == "command-line":
            yield from ("-cd", relative_path(path))
    name = hydra.get("job", {}).get("config_name") or CONFIG
    if name != CONFIG:
        yield from ("-cn", str(name))


def _is_ours(folder: Path) -> bool:
    """Check whether a folder is `conf/`, or was it before the project was moved."""
    return folder.resolve() == CONF.resolve() or (folder.name == CONF.name and not folder.exists())


def _read_search_path(overrides: list[str]) -> list[object]:
    """Return what `hydra.searchpath=[…]` lists; nothing where it is wrong, which Hydra tells."""
    try:
        texts = [text for text in overrides if text.startswith(SEARCH_PATH)]
        values = [override.value() for override in OverridesParser.create().parse_overrides(texts)]
    except HydraException:
        return []
    return [folder for value in values if isinstance(value, list) for folder in value]
