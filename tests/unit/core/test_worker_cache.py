"""What a machine has received for trials is removed when it was not used for days."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlrunner.core.worker_cache import UNUSED_SECONDS, cache_folder, list_unused, mark_used, remove_entry


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert list_unused() == []
    return cache_folder("tables"), cache_folder("code")


def test_a_folder_of_this_user_alone(folders: tuple[Path, Path], tmp_path: Path) -> None:
    for folder in folders:
        assert folder.is_relative_to(tmp_path)
        assert folder.stat().st_mode & 0o077 == 0


def test_entries_that_no_trial_has_used_for_days(folders: tuple[Path, Path]) -> None:
    tables, code = folders
    names = ("old", "new", "used")
    paths = [*(tables / f"{name}.arrow" for name in names), *(code / name for name in names), tables / "lock"]
    for path in paths:
        path.mkdir() if path.parent == code else path.write_text("x")
        if path.stem != "new":
            os.utime(path, (0, path.stat().st_mtime - UNUSED_SECONDS - 1))
    (code / "used" / "module.py").touch()
    for path in (tables / "used.arrow", code / "used"):
        mark_used(path)
    unused = list_unused()
    assert unused == [code / "old", tables / "old.arrow"]
    for path in unused:
        remove_entry(path)
        remove_entry(path)  # another worker was faster
        mark_used(path)
    assert list_unused() == []
    assert sorted(path.name for path in (*tables.iterdir(), *code.iterdir())) == sorted(
        ["new.arrow", "used.arrow", "lock", "new", "used"]
    )


def test_a_folder_that_is_a_link_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "of_others" / "code" / "old").mkdir(parents=True)
    os.utime(tmp_path / "of_others" / "code" / "old", (0, 0))
    (tmp_path / f"mlrunner-{os.getuid()}").symlink_to(tmp_path / "of_others")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert list_unused() == []
    assert not cache_folder("code").is_relative_to(tmp_path / f"mlrunner-{os.getuid()}")
