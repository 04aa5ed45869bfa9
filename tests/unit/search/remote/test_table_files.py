"""Tables are found on a shared disk, or among those that this machine has received."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlrunner.search.remote.table_files import MissingTablesError, digest_file, find_tables, list_tables, store_table
from tests.support.trials import Data, family_settings


def test_a_table_is_read_where_it_is_or_where_it_was_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    data = Data(tmp_path / "files")
    task, train = data.task(family_settings("ridge"), folds=True), data.files["train"]
    assert list_tables(task) == [train, data.files["folds"]]
    assert find_tables(task, {}) == task
    content, digest = Path(train).read_bytes(), digest_file(train)
    Path(train).unlink()
    for digests in ({}, {train: digest}):
        with pytest.raises(MissingTablesError) as caught:
            find_tables(task, digests)
        assert caught.value.paths == [train]
    store_table(digest, content)
    store_table(digest, b"another worker's copy is not written again")
    repeat = find_tables(task, {train: digest}).repeats[0]
    assert (Path(repeat.train).read_bytes(), repeat.validation, repeat.folds) == (content, "", data.files["folds"])


def test_a_table_that_no_trial_has_used_for_days_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    data = Data(tmp_path / "files")
    task, train = data.task(family_settings("ridge")), data.files["train"]
    used = digest_file(train)
    for digest in (used, "unused"):
        store_table(digest, Path(train).read_bytes())
    folder = next(tmp_path.glob("mlrunner-*")) / "tables"
    for file in folder.glob("*.arrow"):
        os.utime(file, (0, 0))
    Path(train).unlink()
    find_tables(task, {train: used})
    store_table("another", b"content")
    assert sorted(file.name for file in folder.iterdir()) == sorted(["another.arrow", f"{used}.arrow", "lock"])
