"""The part of this package that a saved model needs, for MLflow's `code_paths` and for images of model servers."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

from mlrunner.core.project import PACKAGE

READING_KEY = "mlrunner_reading"  # of the metadata that MLflow saves with a model
# What a pipeline's classes, and the server that loads it, import; `groups/__init__.py` and ours come with them.
PARTS = ("core", "serving", "groups/cleaning", "groups/features", "groups/model", "groups/strategy.py")


def copy_model_code(target: Path) -> Path:
    """Copy the modules that a saved model needs.

    Args:
        target: Existing folder that receives the package.

    Returns:
        The folder of the copied package, `target/mlrunner`.
    """
    package = target / PACKAGE.name
    for name in ("__init__.py", "groups/__init__.py"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PACKAGE / name, package / name)
    for name in PARTS:
        source = PACKAGE / name
        if source.is_dir():
            shutil.copytree(source, package / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, package / name)
    for path in (package, *package.rglob("*")):  # MLflow removes its copy, also where site-packages is read-only
        path.chmod(path.stat().st_mode | stat.S_IWUSR)
    return package
