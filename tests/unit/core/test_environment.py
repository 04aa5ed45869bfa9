"""Environment variables are typed, and a block leaves them as it found them."""

import os
import sys
from pathlib import Path

import pytest

from mlrunner.core import environment
from mlrunner.core.errors import ConfigError
from mlrunner.core.project import RESOURCES


def test_the_home_is_the_project_unless_it_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("MLRUNNER_HOME", "MLRUNNER_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "mine" / ".mlrunner").mkdir(parents=True)
    (tmp_path / "mine" / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "mine" / "deep")
    assert environment.home() == environment.project() == tmp_path / "mine"
    monkeypatch.setenv("MLRUNNER_PROJECT", "..")
    assert environment.home() == environment.project() == tmp_path / "mine"
    monkeypatch.setenv("MLRUNNER_HOME", "elsewhere")
    environment.set_home(tmp_path / "a" / "..")
    assert environment.home() == tmp_path.resolve()


def test_the_environment_is_prepared_for_the_configuration_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("MLRUNNER_RESOURCES", "MLRUNNER_VERBOSE", "HYDRA_FULL_ERROR", "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, "before")
    monkeypatch.setattr("sys.path", [*sys.path])
    monkeypatch.setenv("MLRUNNER_PROJECT", str(tmp_path))
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path / "." / "home"))
    environment.prepare_environment(verbose=True)
    assert environment.is_verbose()
    assert environment.has_full_errors()
    assert os.environ["MLRUNNER_RESOURCES"] == str(RESOURCES)
    assert os.environ["MLRUNNER_HOME"] == str(tmp_path / "home")
    assert os.environ["OMP_WAIT_POLICY"] == "before"  # the user's own choice


def test_the_project_and_the_current_folder_come_last_in_the_import_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("MLRUNNER_PROJECT", "MLRUNNER_HOME", "MLRUNNER_VERBOSE", "HYDRA_FULL_ERROR"):
        monkeypatch.setenv(name, str(tmp_path))
    (tmp_path / "here").mkdir()
    monkeypatch.setattr("sys.path", [str(tmp_path / "here"), "first", str(tmp_path), "second"])
    monkeypatch.chdir(tmp_path / "here")
    environment.prepare_environment(verbose=False)
    assert sys.path == ["first", "second", str(tmp_path), str(tmp_path / "here")]
    assert not environment.is_verbose()


def test_a_project_that_is_no_folder_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MLRUNNER_PROJECT", str(tmp_path / "absent"))
    with pytest.raises(
        ConfigError, match=r"MLRUNNER_PROJECT=.*absent is not a folder; name the folder of your project"
    ):
        environment.prepare_environment(verbose=False)


def test_trusted_names_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLRUNNER_TRUSTED", " mine, env:SECRET ,,")
    assert environment.trusted_names() == ["mine", "env:SECRET"]


def test_a_process_keeps_to_its_first_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLRUNNER_STACK", "-")
    monkeypatch.delenv("MLRUNNER_STACK")
    assert not environment.has_stack()
    assert environment.claim_stack("one")
    assert environment.claim_stack("one")
    assert not environment.claim_stack("two")


def test_a_grid_hands_its_jobs_the_common_overrides_and_the_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLRUNNER_SHARED_OVERRIDES", "MLRUNNER_PARENT_RUN"):
        monkeypatch.setenv(name, "-")
        monkeypatch.delenv(name)
    assert environment.grid_overrides() == ()
    environment.share_grid(["seed=1"], "run")
    assert (environment.grid_overrides(), environment.grid_parent()) == (("seed=1",), "run")
    assert environment.leave_grid() == "run"
    assert environment.leave_grid() is None


def test_temporary_variables_are_restored_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPT", "before")
    monkeypatch.delenv("ADDED", raising=False)

    def fail() -> None:
        with environment.temporary_variables(KEPT="within", ADDED="within"):
            assert environment.child_environment(ADDED="more").items() >= {"KEPT": "within", "ADDED": "more"}.items()
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert (environment.variable("KEPT"), environment.variable("ADDED")) == ("before", None)


def test_defaults_replace_no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPT", "before")
    monkeypatch.setenv("ADDED", "-")
    monkeypatch.delenv("ADDED")
    environment.set_defaults({"KEPT": "after", "ADDED": "after"})
    assert (environment.variable("KEPT"), environment.variable("ADDED")) == ("before", "after")


def test_the_python_path_names_each_folder_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["b", "", "c"]))
    assert environment.python_path(["a", "b"], [Path("c"), "d"]) == os.pathsep.join(["a", "b", "c", "d"])
