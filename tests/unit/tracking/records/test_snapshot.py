"""Composition and provenance, as a run's files have them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mlrunner.tracking.records import DATA_TAG, Record
from mlrunner.tracking.records.record import BRANCH_TAG, COMMIT_TAG, PARENT_TAG
from mlrunner.tracking.records.snapshot import Provenance, Snapshot, make_snapshot, read_provenance, read_snapshot
from mlrunner.tracking.records.sqlite_store import SqliteStore
from tests.support.run_stores import SearchableRuns

HYDRA = """
hydra:
  runtime:
    cwd: /work
    choices: {model: rf, features@model.features: full, gate: null, hydra/launcher: basic}
    config_sources:
    - {path: /project/conf, schema: file, provider: main}
    - {path: /mine, schema: file, provider: command-line}
    - {path: mine.conf, schema: pkg, provider: command-line}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "config.yaml": "seed: 1\n",
        ".hydra/config.yaml": "seed: ${oc.env:SEED}\n",
        ".hydra/hydra.yaml": HYDRA,
        ".hydra/overrides.yaml": "- model=rf\n- seed=1\n",
        "environment/git.json": json.dumps({"commit": "c1", "branch": "trunk", "status": " M a.py\n?? new.py\n?? b"}),
        "environment/dirty.diff": "diff --git\n",
        "environment/code.json": json.dumps({"mlrunner.groups.split": "digest"}),
        "environment/requirements.txt": "# Python 3.11.4\nnumpy==2.1.0\nscikit-learn==1.6.0\n",
        "data.json": json.dumps({"fingerprint": "f1", "rows": 10}),
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def record(folder: Path, runs: SearchableRuns) -> Record:
    return replace(runs.ours.search(limit=1)[0], artifact_uri=str(folder), tags={DATA_TAG: "f1"})


def test_read_snapshot(record: Record) -> None:
    assert read_snapshot(record) == Snapshot(
        config={"seed": 1},
        raw={"seed": "${oc.env:SEED}"},
        choices={"model": "rf", "features@model.features": "full"},
        overrides=("model=rf", "seed=1"),
        sources=("/mine",),
        cwd="/work",
    )


def test_snapshot_without_hydra_files() -> None:
    assert make_snapshot({"seed": 1}, None, None, None) == Snapshot({"seed": 1})


def test_read_provenance(record: Record, tmp_path: Path) -> None:
    assert read_provenance(record, SqliteStore(tmp_path / "no.db")) == Provenance(
        data={"fingerprint": "f1", "rows": 10},
        sources={"mlrunner.groups.split": "digest"},
        commit="c1",
        branch="trunk",
        dirty="diff --git\n",
        untracked=("new.py", "b"),
        python="3.11.4",
        packages={"numpy": "2.1.0", "scikit-learn": "1.6.0"},
    )


def test_tags_come_before_files_and_other_data_are_ignored(record: Record, tmp_path: Path) -> None:
    changed = replace(record, tags={DATA_TAG: "f2", COMMIT_TAG: "c2", BRANCH_TAG: "main"})
    provenance = read_provenance(changed, SqliteStore(tmp_path / "no.db"))
    assert (provenance.commit, provenance.branch, provenance.data) == ("c2", "main", {})


def test_trial_has_the_provenance_of_its_sweep(record: Record, runs: SearchableRuns, tmp_path: Path) -> None:
    class Sweep(SqliteStore):
        def find_first(self, where: str, sort: object = ()) -> Record | None:
            del sort
            return record if record.run_id in where else None

    trial = replace(record, artifact_uri=str(tmp_path / "trial"), tags={DATA_TAG: "f1", PARENT_TAG: record.run_id})
    assert read_provenance(trial, Sweep(runs.ours.file)) == read_provenance(record, runs.ours)
