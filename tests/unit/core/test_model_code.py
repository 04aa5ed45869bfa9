"""The copied part of the package is complete: a saved model and its server import nothing else of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mlrunner.core import model_code
from mlrunner.core.model_code import copy_model_code

IMPORT_ALL = """
import importlib, pkgutil, sys
sys.path.insert(0, sys.argv[1])
import mlrunner
for module in pkgutil.walk_packages(mlrunner.__path__, "mlrunner."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(mlrunner.__file__, *(name for name in sys.modules if name.startswith("mlrunner.")), sep="\\n")
"""


def test_every_copied_module_imports_without_the_rest(tmp_path: Path) -> None:
    package = copy_model_code(tmp_path)
    command = [sys.executable, "-P", "-c", IMPORT_ALL, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    where, *modules = done.stdout.split()
    assert where == str(package / "__init__.py")
    assert {
        "mlrunner.groups.features.encoders",
        "mlrunner.groups.model.raw_input",
        "mlrunner.groups.strategy",
        "mlrunner.serving.model",
    } <= {*modules}


def test_the_copy_is_a_small_part_of_the_package(tmp_path: Path) -> None:
    package = copy_model_code(tmp_path)
    assert {path.name for path in package.iterdir()} == {"__init__.py", "core", "groups", "serving"}
    assert not list(package.rglob("__pycache__"))


def test_the_copy_of_a_read_only_package_can_be_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = copy_model_code(tmp_path)
    for path in (installed, *installed.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o222)
    monkeypatch.setattr(model_code, "PACKAGE", installed)
    (target := tmp_path / "target").mkdir()
    package = copy_model_code(target)
    assert [path for path in (package, *package.rglob("*")) if not path.stat().st_mode & 0o200] == []
    for folder in (installed, *installed.rglob("*/")):
        folder.chmod(0o700)  # pytest removes it
