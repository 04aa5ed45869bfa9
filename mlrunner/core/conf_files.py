"""The files of `conf/`: those of the project come before those of mlrunner, as on Hydra's search path."""

from __future__ import annotations

from pathlib import Path

from mlrunner.core.environment import project
from mlrunner.core.project import conf_folders


def list_folders() -> tuple[Path, ...]:
    """Return the folders of configuration files; of two files with one name, the first one counts."""
    return conf_folders(project())


def is_group(name: str) -> bool:
    """Check whether a key is a config group, like `model` or `hydra/job_logging`."""
    return any((folder / name).is_dir() for folder in list_folders())


def list_options(group: str) -> list[str]:
    """Return the names of a group's options."""
    return sorted({file.stem for folder in list_folders() for file in (folder / group).glob("*.yaml")})


def find_file(name: str) -> Path | None:
    """Find a configuration file.

    Args:
        name: Name without the suffix, like `model/rf`.
    """
    files = (folder / f"{name}.yaml" for folder in list_folders())
    return next((file for file in files if file.is_file()), None)
