"""A file that cannot be written is explained in one sentence."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from mlrunner.core.errors import ConfigError, StoreError
from mlrunner.core.failed_writes import explain_failed_write, explain_full_disk


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    return tmp_path


def system_error(number: int, file: Path | None = None) -> OSError:
    return OSError(number, os.strerror(number), None if file is None else str(file))


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_home_that_cannot_be_written_is_named(number: int, home: Path) -> None:
    known = explain_failed_write(system_error(number, home / ".mlrunner"))
    assert isinstance(known, StoreError)
    assert str(known) == (
        f"Cannot write {home / '.mlrunner'} ({os.strerror(number)}); set MLRUNNER_HOME to a folder that you may write."
    )


def test_a_folder_with_a_long_name_is_explained_by_its_key() -> None:
    known = explain_failed_write(system_error(errno.ENAMETOOLONG, Path("/home/multirun/day/time/dataset.ignore=[a,b]")))
    assert isinstance(known, ConfigError)
    assert str(known).endswith("for example 'hydra.sweep.subdir=${hydra.job.num}'.")


@pytest.mark.parametrize(
    "error",
    [
        system_error(errno.ENOSPC, Path("/tmp/x")),
        RuntimeError("database or disk is full"),
        RuntimeError("The following failures occurred while downloading:\n[Errno 28] No space left on device"),
    ],
    ids=["file", "store", "copies by MLflow"],
)
def test_a_full_disk_is_explained(error: Exception, home: Path) -> None:
    known = explain_failed_write(error)
    assert isinstance(known, StoreError)
    assert str(known).startswith("No disk space left while writing ")
    assert str(home) in str(known)
    assert str(explain_full_disk(error)) == str(known)


@pytest.mark.parametrize(
    "error",
    [system_error(errno.EACCES, Path("/etc/other")), system_error(errno.EACCES), ValueError("ours"), KeyError("x")],
    ids=["other file", "no file", "value", "key"],
)
def test_other_errors_are_not_explained(error: Exception) -> None:
    assert explain_failed_write(error) is None
