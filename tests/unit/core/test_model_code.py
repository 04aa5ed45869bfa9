"""The copied part of the package is complete: a saved model and its server import nothing else of it."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from pathlib import Path

from mlrunner.core.model_code import copy_model_code


def test_every_copied_module_imports_without_the_rest(tmp_path: Path) -> None:
    package = copy_model_code(tmp_path)
    names = [
        module.name for module in pkgutil.walk_packages([str(package)], "mlrunner.") if "__main__" not in module.name
    ]
    assert {"mlrunner.groups.features.encoders", "mlrunner.groups.model.raw_input", "mlrunner.serving.model"} <= {
        *names
    }
    code = f"import sys, importlib; sys.path.insert(0, {str(tmp_path)!r})\nfor name in {names}: importlib.import_module(name)\n"
    code += "import mlrunner; print(mlrunner.__file__)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, str(package / "__init__.py")), done.stderr


def test_the_copy_is_a_small_part_of_the_package(tmp_path: Path) -> None:
    package = copy_model_code(tmp_path)
    assert {path.name for path in package.iterdir()} == {"__init__.py", "core", "groups", "serving"}
    assert not list(package.rglob("__pycache__"))
