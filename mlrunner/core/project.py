"""Where things are: the code, the files that come with it, and the project of the user."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
CODE = PACKAGE.parent  # folder that `mlrunner` is imported from: the checkout, or site-packages
RESOURCES = PACKAGE if (PACKAGE / "conf").is_dir() else CODE  # a wheel carries `conf/` and `data/` in the package
CONF = RESOURCES / "conf"
OUTPUT = ".mlrunner"  # folder of the stores, which marks a project without `conf/`


def find_project(folder: Path) -> Path:
    """Find the project of a folder: the nearest one upwards with `conf/` of mlrunner's kind, or else with `.mlrunner/`.

    Args:
        folder: Absolute path, mostly the current folder; it is the project itself when none is found.
    """
    upwards = (folder, *folder.parents)
    projects = (place for place in upwards if is_project_conf(place / "conf"))
    stores = (place for place in upwards if (place / OUTPUT).is_dir())
    return next(projects, None) or next(stores, folder)


def is_project_conf(conf: Path) -> bool:
    """Check whether a folder holds configuration files of mlrunner, and not of another program."""
    return conf == CONF
