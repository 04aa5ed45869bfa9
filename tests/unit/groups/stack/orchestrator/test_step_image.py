"""Content of the image that steps run in; `tests/apps/test_orchestrators.py` builds it and runs steps in it."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

from packaging.requirements import Requirement

from mlrunner.core.containers.pins import Target
from mlrunner.groups.stack.orchestrator import step_image

BOOKWORM = Target("3.11.2", "x86_64", (2, 36))


def test_what_mlrunner_needs_is_pinned_to_what_is_installed_here() -> None:
    pins = step_image.pin_packages([], BOOKWORM)
    names = {Requirement(pin).name for pin in pins}
    assert {"zenml", "mlflow", "scikit-learn", "pandas", "pyarrow", "sqlmodel", "xgboost-cpu", "docker"} <= names
    assert {"mlrunner", "pytest", "ruff", "streamlit", "ray", "distributed"}.isdisjoint(names)
    assert f"pandas=={importlib.metadata.version('pandas')}" in pins
    assert "pytest" in {Requirement(pin).name for pin in step_image.pin_packages(["pytest"], BOOKWORM)}


def test_the_code_is_whole_and_knows_its_version(tmp_path: Path) -> None:
    step_image._copy_code(tmp_path)
    assert (tmp_path / "mlrunner" / "steps" / "fitting.py").is_file()
    assert next(tmp_path.rglob("pipelines/training.py")).is_file()
    assert not list(tmp_path.rglob("__pycache__"))
    (installed,) = importlib.metadata.distributions(name="mlrunner", path=[str(tmp_path)])
    assert installed.version == importlib.metadata.version("mlrunner")


def test_the_name_of_an_image_follows_names_and_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c").write_text("2")
    digest = step_image._digest(tmp_path)
    assert digest == step_image._digest(tmp_path)
    (tmp_path / "b" / "c").write_text("3")
    assert digest != (changed := step_image._digest(tmp_path))
    (tmp_path / "b" / "c").rename(tmp_path / "b" / "d")
    assert step_image._digest(tmp_path) not in (digest, changed)
