"""Errors of libraries and of the file system become one sentence, when the user can correct them."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hydra.errors import HydraException
from omegaconf.errors import ConfigKeyError

from mlrunner.composition.error_translation import translate
from mlrunner.core.errors import ConfigError, DataError, MlrunnerError, ProblemsError, StoreError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    return tmp_path


def system_error(number: int, file: Path | None = None) -> OSError:
    return OSError(number, os.strerror(number), None if file is None else str(file))


def test_our_own_error_is_its_own_translation() -> None:
    error = DataError("no rows")
    assert translate(error, []) is error


def test_an_error_of_hydra_is_explained_by_the_overrides() -> None:
    known = translate(HydraException("Could not find 'model/rfx'"), ["-v", "model=rfx", "seeed=1"])
    assert isinstance(known, ProblemsError)
    assert [problem.split()[0] for problem in known.problems] == ["model=rfx", "seeed"]


def test_the_names_of_a_verb_are_no_overrides() -> None:
    known = translate(ConfigKeyError("broken\n  twice"), ["deploy", "latest", "gate=none"])
    assert isinstance(known, ConfigError)
    assert str(known) == "broken twice"


def test_several_values_are_for_a_grid_or_a_search() -> None:
    remedies = {"": "add --multirun.", "--cfg job": "name one of them.", "hydra.mode=MULTIRUN": None}
    for words, remedy in remedies.items():
        known = translate(HydraException("several values"), ["model=rf,ridge", *words.split()])
        assert str(known).rpartition("; ")[2] == (remedy or "several values")
    known = translate(AssertionError("Unexpected type"), ["+hydra.sweeper.params.size='zip(a=1)'"])
    assert str(known) == "hydra.sweeper.params.size='zip(a=1)': only a search takes such ranges; add sweep=optuna."


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_home_that_cannot_be_written_is_named(number: int, home: Path) -> None:
    known = translate(system_error(number, home / ".mlrunner"), [])
    assert isinstance(known, StoreError)
    assert str(known) == (
        f"Cannot write {home / '.mlrunner'} ({os.strerror(number)}); set MLRUNNER_HOME to a folder that you may write."
    )


def test_a_folder_with_a_long_name_is_explained_by_its_key() -> None:
    known = translate(system_error(errno.ENAMETOOLONG, Path("/home/multirun/day/time/dataset.ignore=[a,b]")), [])
    assert isinstance(known, ConfigError)
    assert str(known).endswith("for example 'hydra.sweep.subdir=${hydra.job.num}'.")


@pytest.mark.parametrize(
    "error",
    [system_error(errno.ENOSPC, Path("/tmp/x")), RuntimeError("database or disk is full")],
    ids=["file", "store"],
)
def test_a_full_disk_is_explained(error: Exception, home: Path) -> None:
    known = translate(error, [])
    assert isinstance(known, StoreError)
    assert str(known).startswith("No disk space left while writing ")
    assert str(home) in str(known)


@pytest.mark.parametrize(
    "error",
    [system_error(errno.EACCES, Path("/etc/other")), system_error(errno.EACCES), ValueError("ours"), KeyError("x")],
    ids=["other file", "no file", "value", "key"],
)
def test_other_errors_are_not_translated(error: Exception) -> None:
    known: MlrunnerError | None = translate(error, [])
    assert known is None
