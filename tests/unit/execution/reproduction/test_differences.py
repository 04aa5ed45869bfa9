"""Changes of code, data and packages since a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlrunner.execution.reproduction import differences
from mlrunner.execution.reproduction.checkout import VERB
from mlrunner.tracking import provenance
from mlrunner.tracking.records import Record
from mlrunner.tracking.records.sqlite_store import SqliteStore
from tests.support.git_project import make_project


def test_only_changes_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_project(tmp_path / "project")
    (project / VERB).write_text("# changed\n")
    (project / "unknown").touch()
    monkeypatch.setenv("MLRUNNER_PROJECT", str(project))
    provenance.read_git.cache_clear()
    (tmp_path / "environment").mkdir()
    git = provenance.read_git()
    provenance.read_git.cache_clear()
    texts = {"git.json": json.dumps(git), "requirements.txt": provenance.list_packages(), "dirty.diff": git["diff"]}
    record = Record("a" * 32, "n", "FINISHED", 0, 1, "e", str(tmp_path), {}, {}, {})

    def compare(**changed: str) -> list[str]:
        for name, text in {**texts, **{name.replace("_", "."): text for name, text in changed.items()}}.items():
            (tmp_path / "environment" / name).write_text(text)
        return list(differences.list_code_differences(record, SqliteStore(tmp_path / "absent")))

    other = "diff --git a/other.py b/other.py\n+x\n"
    assert compare() == []
    assert compare(dirty_diff=git["diff"] + other) == ["Uncommitted changes: other.py then, none now."]
    assert compare(dirty_diff=git["diff"].replace("changed", "edited")) == [
        f"Uncommitted changes in {VERB} have changed."
    ]
    assert compare(git_json=json.dumps({**git, "status": "?? unknown\n?? gone"})) == [
        "Untracked files: gone then, none now."
    ]
    provenance.read_git.cache_clear()


def test_source_files_are_compared_with_the_recorded_ones() -> None:
    then = {"a": "1", "of.the.first": "2"}
    assert list(differences.compare_sources(then, {"a": "1"})) == []
    assert list(differences.compare_sources(then, {"a": "0", "b": "3"})) == ["Source files: changed a; not recorded b."]
