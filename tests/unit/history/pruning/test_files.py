"""Which files on this machine belong to a run, and which cached files to no run."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from mlrunner.core.worker_cache import cache_folder
from mlrunner.history.pruning.files import (
    DATABASE,
    artifact_folders,
    own_folder,
    total_size,
    unused_cache,
    used_folders,
)
from mlrunner.tracking.records import FOLDER_TAG, MODEL_TAG, Record
from tests.support.records import make_cache, make_run, make_sweep


@pytest.fixture(autouse=True)
def temporary(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set the folder of temporary files, in which this machine keeps what it receives as a worker."""
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def run_in(folder: Path | str | None) -> Record:
    return make_run("a", tags={FOLDER_TAG: None if folder is None else str(folder)})


class TestOwnFolder:
    @pytest.fixture
    def home(self, tmp_path: Path) -> Path:
        (tmp_path / "multirun" / "day" / "a" / ".hydra").mkdir(parents=True)
        return tmp_path

    def test_folder_of_no_other_run(self, home: Path) -> None:
        folder = home / "multirun" / "day" / "a"
        assert own_folder(run_in(folder), home, set()) == folder
        assert own_folder(run_in(folder), home, used_folders([run_in(folder)])) is None
        assert own_folder(run_in(folder), home, used_folders([run_in(folder / ".hydra")])) is None
        assert own_folder(run_in(folder), home, used_folders([run_in(folder.parent / "ab")])) == folder

    def test_nothing_outside_of_multirun(self, home: Path) -> None:
        (home / "elsewhere").mkdir()
        for folder in (home, home / "multirun", home / "elsewhere", Path("/"), home / "multirun" / ".." / "elsewhere"):
            assert own_folder(run_in(folder), home, set()) is None

    def test_links_are_not_removed(self, home: Path) -> None:
        outside, inside = home / "outside", home / "multirun" / "day" / "link"
        (outside / "b").mkdir(parents=True)
        inside.symlink_to(outside)
        (home / "multirun" / "day" / "twin").symlink_to(home / "multirun" / "day" / "a")
        for folder in (inside, inside / "b", home / "multirun" / "day" / "twin"):
            assert own_folder(run_in(folder), home, set()) is None

    @pytest.mark.parametrize("way", ["way/day/a", "multirun/day/../day/a", "multirun/day/a/", "way/day/x/../a"])
    def test_links_above_are_resolved(self, way: str, home: Path) -> None:
        (home / "way").symlink_to(home / "multirun")
        folder, run = home / "multirun" / "day" / "a", run_in(f"{home}/{way}")
        assert own_folder(run, home, set()) == folder
        assert own_folder(run, home, used_folders([run_in(folder)])) is None
        assert own_folder(run_in(folder), home, used_folders([run])) is None

    def test_missing_folder(self, home: Path) -> None:
        assert own_folder(run_in(home / "multirun" / "day" / "b"), home, set()) is None
        assert own_folder(run_in(None), home, set()) is None


def test_artifact_folders_of_run_and_model() -> None:
    run = make_run("a", tags={MODEL_TAG: "models:/m-1"})
    assert artifact_folders(run) == (Path("/store") / run.run_id, Path("/store/models/m-1"))
    (parent,) = make_sweep("s", **{MODEL_TAG: "models:/m-1"})
    assert artifact_folders(parent) == (Path("/store") / parent.run_id,)


@pytest.mark.parametrize(
    ("prefix", "folder"), [("file:///a%20b", "/a b"), ("/a", "/a"), ("s3://a", None), ("mlflow-artifacts:/1", None)]
)
def test_artifact_folders_are_on_this_machine(prefix: str, folder: str | None) -> None:
    run = make_run("a")
    run = replace(run, artifact_uri=f"{prefix}/{run.run_id}/artifacts")
    assert artifact_folders(run) == (() if folder is None else (Path(folder) / run.run_id,))
    assert artifact_folders(replace(run, artifact_uri="")) == ()


def test_size_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "x").write_bytes(b"0" * 1000)
    (tmp_path / "a" / "b" / "y").write_bytes(b"0" * 500)
    (tmp_path / "far").write_bytes(b"0" * 10_000)
    (tmp_path / "a" / "link").symlink_to(tmp_path)
    assert 1500 <= total_size(tmp_path / "a") < 2000
    assert total_size(tmp_path / "nothing") == 0


def test_old_tables_are_unused(tmp_path: Path) -> None:
    folder = make_cache(tmp_path, 3, 2)
    assert unused_cache(tmp_path) == {folder: 10}


def test_what_a_worker_received_and_did_not_use_for_days_is_unused(tmp_path: Path, temporary: Path) -> None:
    old, new = (cache_folder("tables") / f"{name}.arrow" for name in ("old", "new"))
    for file in (old, new):
        file.write_bytes(b"rows")
    os.utime(old, (0, 0))
    assert old.is_relative_to(temporary)
    assert unused_cache(tmp_path) == {old: 4}


def test_young_table_may_still_be_written(tmp_path: Path) -> None:
    make_cache(tmp_path, 3, 0.1)
    assert unused_cache(tmp_path) == {}


def test_only_outputs_of_steps_that_nothing_uses_are_unused(tmp_path: Path) -> None:
    """F1 of the peers' findings: what a user saved or registered is never removed."""
    (tmp_path / DATABASE).parent.mkdir(parents=True)
    kinds = ("step_output", "manual", "preexisting", "external", "step_output", "step_output", "step_output")
    ours, theirs = '{"module": "mlrunner.steps.materializers"}', '{"module": "zenml.materializers"}'
    with sqlite3.connect(tmp_path / DATABASE) as store:
        store.execute("CREATE TABLE artifact_version (id, uri, save_type, created, materializer)")
        rows = [(number, f"/{number}", kind, "2020-01-01", ours) for number, kind in enumerate(kinds)]
        rows.append((7, "/7", "step_output", "2020-01-01", theirs))  # of a pipeline of the user's own
        store.executemany("INSERT INTO artifact_version VALUES (?, ?, ?, ?, ?)", rows)
        store.execute("CREATE TABLE step_run_output_artifact AS SELECT 4 artifact_id")
        store.execute("CREATE TABLE step_run_input_artifact AS SELECT 5 artifact_id")
        store.execute("CREATE TABLE model_versions_artifacts AS SELECT 6 artifact_version_id")
    store.close()
    assert unused_cache(tmp_path) == {Path("/0"): 0}


def test_database_of_another_version_is_ignored(tmp_path: Path) -> None:
    assert unused_cache(tmp_path) == {}
    (tmp_path / DATABASE).parent.mkdir(parents=True)
    sqlite3.connect(tmp_path / DATABASE).close()
    assert unused_cache(tmp_path) == {}
