"""Removing studies, and the lock of a home; whole removals are in `tests/apps/test_prune.py`."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from filelock import FileLock

from mlrunner.core.errors import StoreError
from mlrunner.history.pruning.removal import LOCK_FILE, delete_study, exclusive
from mlrunner.tracking.records import FOLDER_TAG, journal_path
from tests.support.records import make_sweep


def test_study_in_a_database_is_deleted_by_its_name(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/studies.db"
    (tmp_path / ".mlrunner").mkdir()
    (tmp_path / "multirun.yaml").write_text(f"hydra: {{sweeper: {{storage: '{url}'}}}}")
    for name in ("mine", "other"):
        optuna.create_study(study_name=name, storage=url)
    (parent,) = make_sweep("s", **{FOLDER_TAG: str(tmp_path)})
    for _ in range(2):  # the second time it is missing
        delete_study(parent, "mine", tmp_path)
        assert optuna.get_all_study_names(url) == ["other"]


def test_journal_is_deleted_with_its_lock(tmp_path: Path) -> None:
    journal = journal_path(tmp_path, "day/s")
    journal.parent.mkdir(parents=True)
    journal.write_text("")
    journal.with_name(f"{journal.name}.lock").write_text("")
    (parent,) = make_sweep("s")
    delete_study(parent, "day/s", tmp_path)
    assert list(journal.parent.iterdir()) == []


@pytest.mark.parametrize("storage", [None, "studies.journal", "sqlite:///studies.db", "sqlite+pysqlite:///a.db?x=1"])
def test_missing_storage_is_not_created(storage: str | None, tmp_path: Path) -> None:
    (tmp_path / "multirun.yaml").write_text(
        f"hydra: {{runtime: {{cwd: '{tmp_path}'}}, sweeper: {{storage: {storage or 'null'}}}}}"
    )
    (parent,) = make_sweep("s", **{FOLDER_TAG: str(tmp_path)})
    delete_study(parent, "day/s", tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["multirun.yaml"]


def test_two_prunes_at_once_are_refused(tmp_path: Path) -> None:
    (tmp_path / ".mlrunner").mkdir()
    with (
        FileLock(tmp_path / ".mlrunner" / LOCK_FILE),
        pytest.raises(StoreError, match="Another mlrunner prune"),
        exclusive(tmp_path),
    ):
        pass
