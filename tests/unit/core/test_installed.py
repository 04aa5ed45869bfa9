"""Packages of modules, compared with the standard library's slower way."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import Distribution, packages_distributions
from pathlib import Path

import pytest

from mlrunner.core import installed
from mlrunner.core.installed import list_packages


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder that modules are imported from."""
    monkeypatch.syspath_prepend(tmp_path)
    installed._packages_by_module.cache_clear()
    yield tmp_path
    installed._packages_by_module.cache_clear()


def install(folder: Path, name: str, file: str, text: str) -> Distribution:
    """Write the metadata of a package, with one file beside its name."""
    metadata = folder / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (metadata / file).write_text(text)
    return Distribution.at(metadata)


def test_every_installed_module_is_of_the_packages_that_python_finds() -> None:
    assert {module: list_packages(module) for module in installed._packages_by_module()} == packages_distributions()


def test_only_the_first_part_of_a_name_counts() -> None:
    assert list_packages("sklearn.svm") == ["scikit-learn"]
    assert list_packages("no_such.module") == []


def test_several_packages_of_one_module_are_all_listed(folder: Path) -> None:
    install(folder, "ours-a", "RECORD", "shared/a.py,sha256=x,1\nours-a-1.0.dist-info/RECORD,,\n")
    install(folder, "ours-b", "RECORD", "shared/b.py,,\nalone.py,,\n")
    install(folder, "ours-c", "top_level.txt", "shared\n")
    assert sorted(list_packages("shared")) == ["ours-a", "ours-b", "ours-c"]
    assert list_packages("alone") == ["ours-b"]


@pytest.mark.parametrize(
    ("file", "text", "modules"),
    [
        ("RECORD", "one.py,,\ntwo/x/y.py,,\ndata/table.csv,,\n", {"one", "two"}),
        ("RECORD", "stub.pyi,,\nlib.so,,\n", set()),
        ("top_level.txt", "one\ntwo\n", {"one", "two"}),
        ("INSTALLER", "uv\n", set()),
    ],
    ids=["files", "no source", "declared", "unknown"],
)
def test_modules_of_a_package(file: str, text: str, modules: set[str], tmp_path: Path) -> None:
    assert installed._list_modules(install(tmp_path, "ours", file, text)) == modules
