"""Configuration folders and the configuration's name of a search that another machine began."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlrunner.composition.config_source import read_config_flags
from mlrunner.core import environment
from mlrunner.core.errors import ConfigError

FOLDER_FLAGS = ("-cd", "-cp")
NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*")


def find_sources(hydra: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Find the configuration of a search on this machine: in the project, else where it was.

    Args:
        hydra: Node `hydra` of its `multirun.yaml`, from a store.
        place: DAY/TIME of the search, for messages.

    Returns:
        Nodes `runtime` and `job` of the same form, with folders of this machine.

    Raises:
        ConfigError: When a folder is not here, or may be of someone else.
    """
    job, runtime = (value if isinstance(value := hydra.get(key), dict) else {} for key in ("job", "runtime"))
    sources = [source for source in runtime.get("config_sources") or () if isinstance(source, dict)]
    name = job.get("config_name")
    if name is not None and not NAME.fullmatch(str(name)):
        raise ConfigError(f"-cn {name} comes from the run and names no configuration.")
    moved = [_move(source, str(runtime.get("cwd", "")), place) for source in sources]
    return {"runtime": {"config_sources": moved}, "job": {"config_name": name}}


def _move(source: dict[str, Any], cwd: str, place: str) -> dict[str, Any]:
    source = {key: str(source.get(key, "")) for key in ("provider", "schema", "path")}
    flags = read_config_flags({"runtime": {"config_sources": [source]}})
    if not flags or source["schema"] != "file":
        return source
    return {**source, "path": str(_find_folder(flags[0], source["path"], cwd, place))}


def _find_folder(flag: str, stored: str, cwd: str, place: str) -> Path:
    advice = f"or type the command of {place} with its hydra.sweeper.study_name"
    candidates = list(_list_candidates(stored, cwd))
    found = next((folder for folder in candidates if folder.is_dir()), None)
    if found is None:
        raise ConfigError(
            f"{place} was started with {flag} {stored}, which is not on this machine; copy the folder to "
            f"{candidates[0]}, {advice}."
        )
    if not _is_inside(found, environment.project()) and not _is_own(found):
        raise ConfigError(
            f"{place} was started with {flag} {stored}, which is outside of your project, and others can write to it; "
            f"copy the folder into your project, {advice}."
        )
    return found


def _list_candidates(stored: str, cwd: str) -> Iterator[Path]:
    """List where a folder may be: relative to the project and to the current folder, as it was there, and as it was."""
    if Path(stored).is_absolute() and Path(cwd).is_absolute():
        relative = os.path.relpath(stored, cwd)
        for folder in (environment.project(), Path.cwd()):
            if _is_inside(inside := folder / relative, environment.project()):
                yield inside.resolve()
    yield Path(stored)


def _is_inside(folder: Path, project: Path) -> bool:
    return folder.resolve().is_relative_to(project.resolve())


def _is_own(folder: Path) -> bool:
    """Check that only this user and root can write to a folder: the store, which others write to, names it."""
    state = folder.resolve().stat()
    return state.st_uid in (0, os.getuid()) and not state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
