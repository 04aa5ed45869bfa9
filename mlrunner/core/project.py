"""Where things are: the code, the files that come with it, and the project of the user."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from mlrunner.core.errors import ConfigError

PACKAGE = Path(__file__).resolve().parent.parent
CODE = PACKAGE.parent  # folder that `mlrunner` is imported from: the checkout, or site-packages
RESOURCES = PACKAGE if (PACKAGE / "conf").is_dir() else CODE  # a wheel carries `conf/` and `data/` in the package
CONF = RESOURCES / "conf"
CONF_URL = "pkg://mlrunner.conf" if RESOURCES == PACKAGE else f"file://{CONF}"  # as Hydra's search path names it
PIPELINES = "mlrunner.pipelines" if RESOURCES == PACKAGE else "pipelines"  # which a wheel carries
PRIMARY, OWN = "mlrunner", "config"  # the primary configuration, and the file that says what differs in a project
OUTPUT = ".mlrunner"  # folder of the stores, which marks a project without `conf/`
OVERRIDE = "override "


def load_pipelines(name: str) -> Any:
    """Import a module of the pipelines.

    Args:
        name: Name of the module, such as `training`.
    """
    return importlib.import_module(f"{PIPELINES}.{name}")


def find_project(folder: Path) -> Path:
    """Find the project of a folder: the nearest one upwards with `conf/` of mlrunner's kind, or else with `.mlrunner/`.

    Args:
        folder: Absolute path, mostly the current folder; it is the project itself when none is found.
    """
    upwards = (folder, *folder.parents)
    projects = (place for place in upwards if is_project_conf(place / "conf"))
    stores = (place for place in upwards if (place / OUTPUT).is_dir())
    return next(projects, None) or next(stores, folder)


@cache
def conf_folders(project: Path) -> tuple[Path, ...]:
    """Return the folders of configuration files, the first of which wins: that of a project, and ours."""
    own = project / "conf"
    return (own, CONF) if own != CONF and is_project_conf(own) else (CONF,)


def is_project_conf(conf: Path) -> bool:
    """Check whether a folder holds configuration files of mlrunner, and not of another program.

    It has folders of our groups or a `config.yaml` that names mostly our groups and keys. A `config.yaml` that chooses
    options without `override`, as that of another program does, may name nothing else.
    """
    if conf == CONF or not conf.is_dir():
        return conf == CONF
    known = _known_names()
    has_groups = any(next((conf / name).glob("*.yaml"), None) is not None for name in known)
    file = conf / f"{OWN}.yaml"
    if not file.is_file():
        return has_groups and next(conf.glob("*.yaml"), None) is None
    config = _read(file)
    if config is None:
        return has_groups
    chosen, named = set(_list_choices(config, False)), {*config, *_list_choices(config, True)} - {"defaults", "hydra"}
    if chosen:
        return chosen | named <= known
    return has_groups or 2 * len(named & known) >= len(named)


def refuse_search_path(conf: Path) -> None:
    """Refuse a search path of a project's own: Hydra takes it from the primary configuration, which is ours.

    Raises:
        ConfigError: When `config.yaml` sets it.
    """
    hydra = (_read(file := conf / f"{OWN}.yaml") or {}).get("hydra")
    if isinstance(hydra, dict) and "searchpath" in hydra:
        raise ConfigError(
            f"{file} sets hydra.searchpath, which Hydra reads from its primary configuration only; take it out there, "
            "and give it to each command, like 'hydra.searchpath=[file:///team/conf]' or -cd /team/conf, or link those "
            f"files into {conf}."
        )


@cache
def _known_names() -> set[str]:
    """Return our groups and keys."""
    groups = {folder.name for folder in CONF.iterdir() if folder.is_dir() and folder.name != "hydra"}
    keys = re.findall(r"^(\w+):", (CONF / f"{PRIMARY}.yaml").read_text(encoding="utf-8"), re.MULTILINE)
    return groups | {*keys} - {"defaults", "hydra"}


def _read(file: Path) -> dict[str, Any] | None:
    """Read a `config.yaml`; None when it cannot be read, which Hydra explains."""
    import yaml  # which the processes that serve models do not need

    try:
        config = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return None
    return config if isinstance(config, dict) else {}


def _list_choices(config: dict[str, Any], overrides: bool) -> Iterator[str]:
    """List the groups in a defaults list: those that `override`, or those that choose anew."""
    for item in config.get("defaults") or ():
        name = str(next(iter(item), "")) if isinstance(item, dict) else ""
        if name and name.startswith(OVERRIDE) == overrides:
            yield name.removeprefix(OVERRIDE).strip().lstrip("/").partition("@")[0].partition("/")[0]
