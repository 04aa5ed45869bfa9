"""Code version, packages and user, read from git repositories that are made for the test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

import mlrunner
from mlrunner.tracking import provenance

AUTHOR = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")


def git(folder: Path, *arguments: str) -> str:
    process = subprocess.run(["git", *AUTHOR, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return process.stdout.strip()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in place of the checkout."""
    monkeypatch.setenv("MLRUNNER_PROJECT", str(tmp_path))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    provenance.read_git.cache_clear()
    yield tmp_path
    provenance.read_git.cache_clear()


@pytest.fixture
def repository(project: Path) -> Path:
    """A repository of one commit on the branch `trunk`."""
    git(project, "init", "--initial-branch=trunk")
    (project / "conf.yaml").write_text("seed: 0\n")
    git(project, "add", ".")
    git(project, "commit", "--message=first")
    return project


def test_distributions_of_every_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "old.egg-info").write_text("Metadata-Version: 1.0\nName: old\nVersion: 0.1\n\nVersion: not this\n")
    (tmp_path / "wheel-2.0.dist-info").mkdir()
    (tmp_path / "wheel-2.0.dist-info" / "METADATA").write_text("Name: Wheel\nVersion: 2.0\n\nName: nor this\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert provenance.list_packages.__wrapped__().splitlines()[1:] == ["old==0.1", "Wheel==2.0"]


def test_clean_repository(repository: Path) -> None:
    assert provenance.read_git() == {"commit": git(repository, "rev-parse", "HEAD"), "branch": "trunk"}


@pytest.mark.parametrize("is_staged", [False, True], ids=["edited", "staged"])
def test_changed_repository(repository: Path, is_staged: bool) -> None:
    (repository / "conf.yaml").write_text("seed: 1\n")
    if is_staged:
        git(repository, "add", ".")
    diff = provenance.read_git()["diff"]
    assert diff.startswith("diff --git a/conf.yaml b/conf.yaml\n")
    assert diff.endswith("-seed: 0\n+seed: 1\n")


def test_diff_can_be_applied(repository: Path) -> None:
    (repository / "conf.yaml").write_text("seed: 1\n")
    git(repository, "config", "color.ui", "always")
    diff = provenance.read_git()["diff"]
    git(repository, "checkout", "--", ".")
    subprocess.run(["git", "apply"], cwd=repository, input=diff, text=True, check=True)
    assert (repository / "conf.yaml").read_text() == "seed: 1\n"


def test_diff_in_another_encoding(repository: Path) -> None:
    (repository / "conf.yaml").write_bytes("name: é\n".encode("latin-1"))
    assert provenance.read_git()["diff"].endswith("+name: \ufffd\n")


def test_detached_head(repository: Path) -> None:
    git(repository, "checkout", "--detach")
    assert provenance.read_git() == {"commit": git(repository, "rev-parse", "HEAD"), "branch": "HEAD"}


def test_git_runs_once(repository: Path) -> None:
    before = dict(provenance.read_git())
    (repository / "conf.yaml").write_text("seed: 1\n")
    assert provenance.read_git() == before


@pytest.mark.parametrize("name", ["no-repository", "no-commit", "no-folder"])
def test_outside_of_git(name: str, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "no-commit":
        git(project, "init")
    if name == "no-folder":
        monkeypatch.setenv("MLRUNNER_PROJECT", str(project / "absent"))
    assert provenance.read_git() == {}
    tags = provenance.source_tags()
    assert "mlflow.source.git.commit" not in tags
    assert "mlflow.source.git.branch" not in tags
    assert tags["mlrunner.git.dirty"] == "false"


def test_without_the_git_program(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    assert provenance.read_git() == {}


@pytest.mark.parametrize(("seed", "dirty"), [(0, "false"), (1, "true")], ids=["clean", "dirty"])
def test_tags(repository: Path, seed: int, dirty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ada")
    (repository / "conf.yaml").write_text(f"seed: {seed}\n")
    tags = provenance.source_tags()
    assert tags.pop("mlrunner.process").split()[1] == str(os.getpid())
    assert tags == {
        "mlflow.user": "ada",
        "mlflow.source.name": "mlrunner",
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": git(repository, "rev-parse", "HEAD"),
        "mlflow.source.git.branch": "trunk",
        "mlrunner.version": mlrunner.__version__,
        "mlrunner.git.dirty": dirty,
    }


def test_packages_are_listed_as_requirements() -> None:
    first, *lines, last = provenance.list_packages().split("\n")
    assert first == f"# Python {sys.version.split()[0]}"
    assert last == ""
    assert f"pandas=={metadata.version('pandas')}" in lines
    assert lines == sorted(lines, key=lambda line: line.partition("==")[0].lower())
