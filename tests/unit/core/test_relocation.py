"""A project that was moved, renamed or copied."""

from __future__ import annotations

import base64
import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from mlrunner.core.errors import StoreError
from mlrunner.core.relocation import PathRewriter, follow_move, read_mark


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dir: /tmp/Öl x/p/d", "dir: /b c/d"),
        ("/tmp/Öl x/p", "/b c"),
        ("file:///tmp/%C3%96l%20x/p/q", "file:///b%20c/q"),
        ("sqlite:////tmp/Öl x/p/a.db", "sqlite:////b c/a.db"),
        (json.dumps("/tmp/Öl x/p/a"), '"/b c/a"'),
        ("dir: /tmp/Öl\n  x/p/d", "dir: /b c/d"),  # as YAML breaks a line
        ("/tmp/Öl x/p2", "/tmp/Öl x/p2"),
        ("/home/tmp/Öl x/p", "/home/tmp/Öl x/p"),
    ],
)
def test_the_folder_is_replaced_as_a_whole(text: str, expected: str) -> None:
    assert PathRewriter("/tmp/Öl x/p", "/b c").rewrite(text) == expected


def test_what_was_rewritten_stays() -> None:
    paths = PathRewriter("/a", "/a/b")
    text = paths.rewrite("/a /a/x file:///a/x")
    assert text == paths.rewrite(text) == "/a/b /a/b/x file:///a/b/x"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with a record, a model's file, a database and a deployment."""
    home = tmp_path / "old"
    files = {
        "multirun/1/.hydra/hydra.yaml": f"dir: {home}/multirun/1\n",
        ".mlrunner/artifacts/models/m-1/data.json": f'["{home}"]',
        ".mlrunner/deployments/model/state.json": f'{{"folder": "{home}/.mlrunner"}}',
        ".mlrunner/home": str(home),
    }
    for name, text in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    (home / "multirun/1/.hydra/hydra.yaml").chmod(0o600)
    with closing(sqlite3.connect(home / ".mlrunner/mlflow.db")) as database, database:
        database.execute('CREATE TABLE "my runs" (uri TEXT, size INTEGER)')
        database.execute('INSERT INTO "my runs" VALUES (?, 7), (NULL, 8)', (f"file://{home}/.mlrunner/a",))
    return home


def test_a_moved_project_names_its_new_place(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = project.rename(project.parent / "new place")
    follow_move(new)
    assert f"{new} was at {project} before" in capsys.readouterr().err
    record = new / "multirun/1/.hydra/hydra.yaml"
    assert record.read_text() == f"dir: {new}/multirun/1\n"
    assert record.stat().st_mode & 0o777 == 0o600
    assert json.loads((new / ".mlrunner/deployments/model/state.json").read_text()) == {"folder": f"{new}/.mlrunner"}
    assert str(project) in (new / ".mlrunner/artifacts/models/m-1/data.json").read_text()  # rows of a table, perhaps
    with closing(sqlite3.connect(new / ".mlrunner/mlflow.db")) as database:
        rows = database.execute('SELECT * FROM "my runs"').fetchall()
    assert rows == [(f"{(new / '.mlrunner/a').as_uri()}", 7), (None, 8)]
    assert read_mark(new) == str(new)
    follow_move(new)
    assert capsys.readouterr().err == ""


def test_a_copy_leaves_the_deployments_to_the_original(project: Path) -> None:
    copy = Path(shutil.copytree(project, project.parent / "copy"))
    follow_move(copy)
    assert not (copy / ".mlrunner/deployments/model/state.json").exists()
    assert (project / ".mlrunner/deployments/model/state.json").exists()
    assert read_mark(project) == str(project)


def test_settings_in_base64_are_rewritten(project: Path) -> None:
    def encode(folder: Path) -> bytes:
        return base64.b64encode(json.dumps({"runtime": f"{folder}/.mlrunner/s", "port": 1}).encode())

    other = b"eyes, but no base64"
    with closing(sqlite3.connect(project / ".mlrunner/zenml.db")) as database, database:
        database.execute("CREATE TABLE service (config BLOB)")
        database.executemany("INSERT INTO service VALUES (?)", [(encode(project),), (other,)])
    new = project.rename(project.parent / "new")
    follow_move(new)
    with closing(sqlite3.connect(new / ".mlrunner/zenml.db")) as database:
        assert database.execute("SELECT config FROM service").fetchall() == [(encode(new),), (other,)]


def test_servers_of_a_moved_project_end(project: Path) -> None:
    command = [sys.executable, "-c", "input()", f"{project}/.mlrunner/deployments/a"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as server:
        follow_move(project.rename(project.parent / "new"))
        assert server.wait(timeout=20) != 0


def test_without_stores_nothing_is_written(tmp_path: Path) -> None:
    follow_move(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_cannot_be_changed_is_a_sentence(project: Path) -> None:
    (project / ".mlrunner/mlflow.db").write_text("no database, but long enough to be read as one" * 50)
    new = project.rename(project.parent / "new")
    with pytest.raises(StoreError, match=f"{new} was moved from {project}, and its stores cannot be changed to say so"):
        follow_move(new)
    assert read_mark(new) == str(project)
