"""Storages of Optuna studies, and the processes that work on them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest
from filelock import FileLock
from optuna.storages import InMemoryStorage, JournalStorage, RDBStorage

from mlrunner.core.errors import ConfigError, MlrunnerError, StoreError
from mlrunner.core.machine import identify_machine
from mlrunner.tracking import studies
from mlrunner.tracking.patient_storage import PatientStorage
from mlrunner.tracking.records import journal_path
from tests.support.sweeps import SERVICES, STORAGES, close_all, finish_all, open_study, run_together, start_queue

HINT = (
    "correct it (sqlite:///file.db, postgresql+psycopg://, mysql+pymysql://, redis://, a file.journal), or leave it "
    "out."
)
ELSEWHERE = "elsewhere/id/boot/pid:[4026531836]"
CONTAINER = f"{identify_machine().rpartition('/')[0]}/pid:[4026539999]"  # same host name, machine and boot
UNREACHABLE = "postgresql+psycopg://me:swordfish@127.0.0.1:1/db"


@pytest.fixture(autouse=True)
def _close_studies() -> Iterator[None]:
    yield
    close_all()


def get_refusal(error: type[MlrunnerError], address: Any, home: Path) -> str:
    with pytest.raises(error) as caught:
        studies.open_storage(address, home, "any")
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("fine", "fine.journal"),
        ("2026-11-25/17-43-06-708940", "2026-11-25_17-43-06-708940.journal"),
        ("../../up", ".._.._up.journal"),
        ("with space", "with space.journal"),
    ],
)
def test_the_default_storage_is_a_journal_in_the_project(name: str, file: str, tmp_path: Path) -> None:
    assert journal_path(tmp_path, name) == tmp_path / ".mlrunner" / "studies" / file
    study = open_study(None, tmp_path, name)
    assert study.study_name == name
    assert [path.name for path in (tmp_path / ".mlrunner" / "studies").glob("*.journal")] == [file]


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("{home}/deep/er/own.journal", JournalStorage),
        ("{home}/own.log", JournalStorage),
        ("sqlite:///{home}/own.db", RDBStorage),
        ({"_target_": "optuna.storages.InMemoryStorage"}, InMemoryStorage),
    ],
    ids=["journal", "log", "sqlite", "target"],
)
def test_a_storage_is_opened_by_its_address(address: Any, kind: type, tmp_path: Path) -> None:
    address = address.format(home=tmp_path) if isinstance(address, str) else address
    storage = studies.open_storage(address, tmp_path, "any")
    assert isinstance(storage, kind)
    if isinstance(storage, RDBStorage):
        storage.engine.dispose()


@pytest.mark.parametrize(
    ("error", "address", "why"),
    [
        (ConfigError, "myproject", "Could not parse SQLAlchemy URL from given URL string"),
        (ConfigError, "foo://x", "Can't load plugin: sqlalchemy.dialects:foo"),
        (
            ConfigError,
            "mysql://root@127.0.0.1/test",
            "Failed to import DB access module for the specified storage URL. Please install appropriate one",
        ),
        (StoreError, "sqlite:////nowhere/at/all.db", "(sqlite3.OperationalError) unable to open database file"),
    ],
    ids=["no address", "no dialect", "no driver", "no folder"],
)
def test_an_unknown_storage_is_refused(error: type[MlrunnerError], address: str, why: str, tmp_path: Path) -> None:
    assert get_refusal(error, address, tmp_path) == f"hydra.sweeper.storage={address} does not open: {why}; {HINT}"


@pytest.mark.filterwarnings("ignore:JournalRedisBackend is experimental")
@pytest.mark.parametrize(
    "address", [UNREACHABLE, "mysql+pymysql://me:swordfish@127.0.0.1:1/db", "redis://:swordfish@127.0.0.1:1"]
)
def test_an_unreachable_server_is_named_without_its_password(address: str, tmp_path: Path) -> None:
    message = get_refusal(StoreError, address, tmp_path)
    assert message.startswith(f"hydra.sweeper.storage={address.replace('swordfish', '***')} does not open: ")
    assert "swordfish" not in message
    assert "refused" in message
    assert "\n" not in message


def test_an_unknown_storage_class_is_refused(tmp_path: Path) -> None:
    assert "nope.Storage" in get_refusal(ConfigError, {"_target_": "nope.Storage"}, tmp_path)


@pytest.mark.services
def test_redis_opens_without_a_warning(tmp_path: Path) -> None:
    database = SERVICES["redis"]("")
    address = next(database)
    try:
        open_study(address, tmp_path, "any")
    finally:
        list(database)


@pytest.mark.parametrize("kind", ["journal", "sqlite"])
def test_a_study_is_created_once_by_several_threads(kind: str, tmp_path: Path) -> None:
    """The tables of a new database too."""
    address = None if kind == "journal" else f"sqlite:///{tmp_path}/new.db"
    ids = run_together(4, lambda _: open_study(address, tmp_path, "one")._study_id)
    assert len(set(ids)) == 1


@pytest.mark.services
@pytest.mark.filterwarnings("ignore:JournalRedisBackend is experimental")
@pytest.mark.parametrize("kind", SERVICES)
def test_a_service_stores_a_study(kind: str, tmp_path: Path) -> None:
    database = SERVICES[kind](f"mlrunner_studies_{uuid4().hex[:8]}")
    address = next(database)
    try:
        first = open_study(address, tmp_path, "kept")
        taken = finish_all(start_queue(first, 3), first)
        first.set_user_attr("folder", "/sweep é")
        again = open_study(address, tmp_path, "kept")
        assert [(trial.number, trial.params) for trial in again.get_trials()] == taken
        assert again.user_attrs["folder"] == "/sweep é"
        storage = STORAGES[id(again)][1]
        assert isinstance(storage, PatientStorage)
        assert isinstance(storage.storage, JournalStorage) is (kind == "redis")
    finally:
        close_all()
        list(database)


def test_the_folder_of_a_study(tmp_path: Path) -> None:
    study = open_study(None, tmp_path, "day/time")
    assert studies.read_study_folder("day/time", tmp_path) is None
    study.set_user_attr("folder", "/multirun/day/time")
    assert studies.read_study_folder("day/time", tmp_path) == "/multirun/day/time"


def test_a_process_is_described() -> None:
    process = studies.describe_process()
    assert (process["machine"], process["pid"]) == (identify_machine(), os.getpid())
    assert process["born"] == psutil.Process().create_time()
    assert process["seen"] == pytest.approx(time.time(), abs=5)


@pytest.mark.parametrize(
    ("changes", "missed", "alive"),
    [
        ({}, 1000, True),
        ({"pid": 2**22 + 7}, 0, False),
        ({"born": 1.0}, 0, False),
        ({"machine": ELSEWHERE, "pid": 2**22 + 7}, 3.9, True),
        ({"machine": CONTAINER, "pid": 2**22 + 7}, 3.9, True),
        ({"machine": CONTAINER}, 4, False),
    ],
    ids=["this process", "no process", "reused number", "other host", "container of the same name", "lost"],
)
@pytest.mark.parametrize("silence", [1000, -1000])
def test_the_process_of_a_session_is_alive(changes: dict[str, Any], missed: float, alive: bool, silence: float) -> None:
    """By the heartbeats that the caller missed, and not by two clocks."""
    process = {**studies.describe_process(), "seen": time.time() - silence, **changes}
    assert studies.is_alive(process, missed) is alive


def test_an_unknown_session_is_not_alive() -> None:
    assert not studies.is_alive(None)


def test_a_zombie_is_not_alive() -> None:
    """In a container the first process often waits for no child."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        born = psutil.Process(process.pid).create_time()
        description = {**studies.describe_process(), "pid": process.pid, "born": born}
        assert studies.is_alive(description)
        process.kill()
        deadline = time.monotonic() + 60
        while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not studies.is_alive(description)
    finally:
        process.kill()
        process.wait()


def test_only_sqlite_needs_a_lock(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/studies.db"
    assert isinstance(studies.lock_storage(studies.open_storage(url, tmp_path, "any")), FileLock)
    assert isinstance(studies.lock_storage(studies.open_storage(None, tmp_path, "any")), nullcontext)
