"""Checks before a store is opened."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlrunner.core.errors import ConfigError, StoreError
from mlrunner.groups.stack import LocalStack
from mlrunner.groups.stack.preflight import (
    NEEDED_BYTES,
    describe_shared,
    prepare_folder,
    refuse_file_store,
    refuse_full_disk,
    warn_of_shared,
)

LOCAL = LocalStack(name="local_stack", tracking_uri="sqlite:////db", artifacts="/files")


def test_folder_is_created_once_and_marked(tmp_path: Path) -> None:
    assert prepare_folder(tmp_path / "new") == prepare_folder(tmp_path / "new") == tmp_path / "new/.mlrunner"
    assert (tmp_path / "new/.mlrunner/home").read_text() == str(tmp_path / "new")


def test_a_moved_project_is_followed(tmp_path: Path) -> None:
    prepare_folder(tmp_path / "old")
    (tmp_path / "old").rename(tmp_path / "new")
    assert (prepare_folder(tmp_path / "new") / "home").read_text() == str(tmp_path / "new")


def test_incomplete_mark_is_accepted(tmp_path: Path) -> None:
    (prepare_folder(tmp_path) / "home").write_text("")
    prepare_folder(tmp_path)


def test_home_that_cannot_be_created_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"Cannot write .*file/\.mlrunner \(Not a directory\); set MLRUNNER_HOME"):
        prepare_folder(tmp_path / "file")


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 1 MB."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"mounting a small disk needs root: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_refused_with_the_numbers(tiny_disk: Path) -> None:
    with pytest.raises(StoreError, match=r"1 MB are free at .*, 50 MB are needed; free some, or set MLRUNNER_HOME"):
        refuse_full_disk(tiny_disk / "not/yet/there")
    with pytest.raises(StoreError, match="No disk space"):
        LOCAL.activate(tiny_disk)


def test_disk_with_space_is_accepted(tmp_path: Path) -> None:
    assert NEEDED_BYTES == 50 * 2**20
    refuse_full_disk(tmp_path / "not/yet/there")


@pytest.mark.parametrize("uri", ["file:./mlruns", "file:///tmp/mlruns", "./mlruns", "mlruns", "/tmp/mlruns"])
def test_folder_is_refused_as_a_store(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=rf"stack\.tracking_uri={uri} is a folder.*MLFLOW_ALLOW_FILE_STORE=true"):
        refuse_file_store(uri)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    refuse_file_store(uri)


@pytest.mark.parametrize("uri", ["sqlite:////db", "http://m", "https://m", "postgresql://u:p@h/db", "databricks"])
def test_databases_and_servers_are_accepted(uri: str) -> None:
    refuse_file_store(uri)


def test_a_folder_that_others_can_change_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """L11 of the attack findings."""
    own = tmp_path / "own"
    assert describe_shared(own) is None
    own.mkdir(mode=0o700)
    link = tmp_path / "link"
    link.symlink_to(own)
    assert describe_shared(link) == f"is a link to {own}"
    warn_of_shared(own)
    assert capsys.readouterr().err == ""
    own.chmod(0o777)
    warn_of_shared(own)
    words = f"mlrunner: {own} can be written by every user of this machine, so its runs and models may be another's"
    assert " ".join(capsys.readouterr().err.split()).startswith(words)
