"""Where the configuration of another machine's search is on this one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlrunner.composition.config_source import read_config_flags
from mlrunner.core.errors import ConfigError
from mlrunner.search.foreign_config import find_sources

DAY = "2026-12-01/09-30-00-123456"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = tmp_path / "project"
    (project / "inner").mkdir(parents=True)
    monkeypatch.setenv("MLRUNNER_PROJECT", str(project))
    monkeypatch.chdir(project / "inner")
    return project


def make_hydra(path: object, cwd: str = "/there", provider: str = "command-line", **job: str) -> dict[str, Any]:
    source = {"provider": provider, "schema": "file", "path": str(path)}
    package = {"provider": "hydra", "schema": "pkg", "path": "hydra.conf"}
    return {"runtime": {"cwd": cwd, "config_sources": [package, source]}, "job": job}


def read_flags(hydra: dict[str, Any]) -> tuple[str, ...]:
    return read_config_flags(find_sources(hydra, DAY))


@pytest.mark.parametrize(
    ("stored", "cwd", "here"),
    [
        ("/there/team", "/there", "team"),
        ("/there/team", "/there/inner", "team"),  # typed in a folder of the project
        ("/there/inner/team", "/there/inner", "inner/team"),
    ],
)
def test_a_folder_of_the_project(stored: str, cwd: str, here: str, project: Path) -> None:
    (project / here).mkdir()
    flag, folder = read_flags(make_hydra(stored, cwd))
    assert (flag, Path(folder).resolve()) == ("-cd", project / here)
    assert read_flags(make_hydra(stored, cwd, "main")) == ("-cp", str(project / here))


def test_a_folder_elsewhere_is_used_unless_others_can_write_to_it(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir(mode=0o755)
    assert read_flags(make_hydra(folder)) == ("-cd", str(folder))
    folder.chmod(0o777)
    with pytest.raises(ConfigError) as caught:
        read_flags(make_hydra(folder))
    assert str(caught.value) == (
        f"{DAY} was started with -cd {folder}, which is outside of your project, and others can write to it; copy the "
        f"folder into your project, or type the command of {DAY} with its hydra.sweeper.study_name."
    )
    (project / "link").symlink_to(folder)
    with pytest.raises(ConfigError, match="outside of your project"):
        read_flags(make_hydra(project / "link"))


def test_a_folder_that_is_not_here_is_a_sentence(project: Path) -> None:
    for stored, cwd, place in (("/there/team", "/there", project / "team"), ("/x/team", "/there/a", "/x/team")):
        with pytest.raises(ConfigError) as caught:
            read_flags(make_hydra(stored, cwd))
        assert str(caught.value) == (
            f"{DAY} was started with -cd {stored}, which is not on this machine; copy the folder to {place}, or type "
            f"the command of {DAY} with its hydra.sweeper.study_name."
        )


@pytest.mark.usefixtures("project")
def test_conf_is_that_of_this_machine() -> None:
    assert read_flags(make_hydra("/there/conf", provider="main")) == ()


def test_the_name_of_the_configuration(project: Path) -> None:
    (project / "team").mkdir()
    flags = read_flags(make_hydra("/there/team", config_name="inner/other"))
    assert flags[2:] == ("-cn", "inner/other")
    for name in ("../other", "/etc/x", "a b", "--shell"):
        with pytest.raises(ConfigError, match="comes from the run and names no configuration"):
            read_flags(make_hydra("/there/team", config_name=name))


@pytest.mark.parametrize("hydra", [{}, {"runtime": 1, "job": []}, {"runtime": {"config_sources": [1, {}]}}])
@pytest.mark.usefixtures("project")
def test_a_document_without_sources(hydra: dict[str, Any]) -> None:
    assert read_flags(hydra) == ()
