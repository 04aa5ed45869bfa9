"""Where the study of a search is, and whether a process works on it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest

from mlrunner.tracking import studies, study_lookup
from mlrunner.tracking.records import FOLDER_TAG, STUDY_TAG, Record, journal_path
from mlrunner.tracking.studies import SESSION
from tests.support.records import make_run, make_sweep

Search = Callable[[Any], Record]


@pytest.fixture
def search(tmp_path: Path) -> Search:
    """Make the parent of a search whose folder records its storage."""

    def make(storage: Any) -> Record:
        content = {"hydra": {"runtime": {"cwd": str(tmp_path)}, "sweeper": {"storage": storage}}}
        folder = tmp_path / "multirun" / "s"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "multirun.yaml").write_text(json.dumps(content))
        (parent,) = make_sweep("s", status="RUNNING", **{STUDY_TAG: "day/s", FOLDER_TAG: str(folder)})
        return parent

    return make


def test_search_is_running_while_one_of_its_processes_is(search: Search, tmp_path: Path) -> None:
    parent = search(None)
    study = optuna.create_study(study_name="day/s", storage=studies.open_storage(None, tmp_path, "day/s"))
    study.set_user_attr("folder", "multirun/x")
    assert not study_lookup.is_search_running(parent, tmp_path)
    study.set_user_attr(f"{SESSION}:dead", {**studies.describe_process(), "born": 0})
    assert not study_lookup.is_search_running(parent, tmp_path)
    study.set_user_attr(f"{SESSION}:me", studies.describe_process())
    assert study_lookup.is_search_running(parent, tmp_path)


@pytest.mark.parametrize(
    ("silence", "more", "running"),
    [(3600, {}, True), (-3600, {}, True), (3600, {"closed": True}, False), (studies.DAY + 1, {}, False)],
    ids=["slow clock", "fast clock", "closed", "another day"],
)
def test_search_of_another_machine_is_running_whatever_its_clock_says(
    silence: float, more: dict[str, Any], running: bool, search: Search, tmp_path: Path
) -> None:
    """Or `mlrunner prune` here would remove what runs there."""
    parent = search(None)
    study = optuna.create_study(study_name="day/s", storage=studies.open_storage(None, tmp_path, "day/s"))
    process = {**studies.describe_process(), "machine": "elsewhere", "seen": time.time() - silence, **more}
    study.set_user_attr(f"{SESSION}:far", process)
    assert study_lookup.is_search_running(parent, tmp_path) is running


@pytest.mark.parametrize("storage", [None, "studies.journal", "sqlite:///studies.db", "sqlite+pysqlite:///a.db?x=1"])
def test_missing_storage_is_not_created(storage: str | None, search: Search, tmp_path: Path) -> None:
    parent = search(storage)
    assert study_lookup.load_study(parent, tmp_path) is None
    assert not study_lookup.is_search_running(parent, tmp_path)
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["multirun.yaml"]


@pytest.mark.parametrize(
    ("setting", "address"),
    [
        (None, None),
        ("studies.journal", "{}/studies.journal"),
        ("sqlite:///studies.db?timeout=9", "sqlite:///{}/studies.db?timeout=9"),
        ("sqlite:////else/where.db", "sqlite:////else/where.db"),
        ("postgresql://ada@host/studies", "postgresql://ada@host/studies"),
        ({"_target_": "mine.Storage"}, {"_target_": "mine.Storage"}),
    ],
)
def test_path_of_a_storage_is_relative_to_the_first_working_folder(
    setting: Any, address: Any, search: Search, tmp_path: Path
) -> None:
    expected = address.format(tmp_path) if isinstance(address, str) else address
    assert study_lookup.read_storage_setting(search(setting), tmp_path) == expected


def test_run_without_a_folder_has_no_storage(search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    search("sqlite:///x.db")
    monkeypatch.chdir(tmp_path)
    assert study_lookup.read_storage_setting(make_run("a", tags={FOLDER_TAG: None}), tmp_path) is None


def test_a_folder_that_the_store_names_elsewhere_is_not_read(search: Search, tmp_path: Path) -> None:
    parent = search({"_target_": "mine.Storage"})
    other = tmp_path / "home"
    other.mkdir()
    assert study_lookup.read_storage_setting(parent, other) is None
    assert study_lookup.load_study(parent, other) is None
    assert study_lookup.is_search_running(parent, other)


@pytest.mark.parametrize("storage", [{"_target_": "os._exit", "_args_": [9]}, "postgresql://ada@127.0.0.1:1/studies"])
def test_search_may_be_running_if_its_storage_cannot_be_read(storage: Any, search: Search, tmp_path: Path) -> None:
    parent = search(storage)  # a class is not even built
    assert study_lookup.load_study(parent, tmp_path) is None
    assert study_lookup.is_search_running(parent, tmp_path)


class TestDelete:
    def test_study_in_a_database_is_deleted_by_its_name(self, search: Search, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path}/studies.db"
        for name in ("mine", "other"):
            optuna.create_study(study_name=name, storage=url)
        parent = search(url)
        for _ in range(2):  # the second time it is missing
            study_lookup.delete_study(parent, "mine", tmp_path)
            assert optuna.get_all_study_names(url) == ["other"]

    def test_journal_is_deleted_with_its_lock(self, search: Search, tmp_path: Path) -> None:
        journal = journal_path(tmp_path, "day/s")
        journal.parent.mkdir(parents=True)
        journal.write_text("")
        journal.with_name(f"{journal.name}.lock").write_text("")
        study_lookup.delete_study(search(None), "day/s", tmp_path)
        assert list(journal.parent.iterdir()) == []

    @pytest.mark.parametrize(
        "storage", [None, "studies.journal", "sqlite:///studies.db", "sqlite+pysqlite:///a.db?x=1"]
    )
    def test_missing_storage_is_not_created(self, storage: str | None, search: Search, tmp_path: Path) -> None:
        study_lookup.delete_study(search(storage), "day/s", tmp_path)
        assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["multirun.yaml"]
