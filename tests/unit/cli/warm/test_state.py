"""What a command and the warm process must have in common."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from types import ModuleType

import pytest

from mlrunner.cli.warm import state


def test_a_description_survives_json() -> None:
    described = state.describe_process()
    assert json.loads(json.dumps(described)) == described


@pytest.mark.parametrize(
    ("name", "is_different"),
    [("OMP_NUM_THREADS", True), ("MPLBACKEND", True), ("PWD", False), ("MLRUNNER_HOME", False), ("SHLVL", False)],
)
def test_only_variables_that_imports_may_read_count(
    name: str, is_different: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state.describe_process()
    monkeypatch.setenv(name, "7")
    assert (state.describe_process() != before) == is_different


def test_the_default_of_a_variable_counts_as_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    before = state.describe_process()
    monkeypatch.setenv("OMP_WAIT_POLICY", "passive")
    assert state.describe_process() == before


def test_a_limit_counts() -> None:
    before, limits = state.describe_process(), resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, limits[1]))
    changed = state.describe_process()
    resource.setrlimit(resource.RLIMIT_CORE, limits)
    assert (changed == before) == (limits[0] == 0)


def test_an_edited_module_changes_the_stamps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("edited")
    module.__file__ = str(tmp_path / "edited.py")
    Path(module.__file__).write_text("A = 1")
    monkeypatch.setitem(sys.modules, "edited", module)
    before = state.stamp_code()
    assert state.stamp_code() == before
    Path(module.__file__).write_text("A = 12")
    assert state.stamp_code() != before


@pytest.mark.parametrize(("mode", "is_private"), [(0o700, True), (0o750, False), (0o701, False)])
def test_a_folder_of_others_is_not_private(mode: int, is_private: bool, tmp_path: Path) -> None:
    tmp_path.chmod(mode)
    assert state.is_private(tmp_path) == is_private


def test_a_link_and_a_missing_folder_are_not_private(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert not state.is_private(tmp_path / "link")
    assert not state.is_private(tmp_path / "missing")
