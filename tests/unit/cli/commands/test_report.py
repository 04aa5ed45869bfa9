"""`mlrunner report` in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlrunner.cli.commands import report as verb
from mlrunner.core.errors import ConfigError, StoreError
from mlrunner.history.report import publishing
from tests.support.mlflow_home import MlflowHome
from tests.support.reports import ListStore, break_write, make_run


def test_unreadable_artifact_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied", "/artifacts/x")

    record = make_run(tmp_path)
    monkeypatch.setattr(verb, "gather_material", refuse)
    with pytest.raises(StoreError, match=r"^Cannot read /artifacts/x for the report \(Permission denied\)\.$"):
        verb._write(record, ListStore(record), tmp_path, None)


def test_output_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    record = make_run(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"^Cannot write .*/file/mine\.html \(.*\); name another file with -o\.$"):
        verb._write(record, ListStore(record), tmp_path, tmp_path / "file" / "mine.html")


def test_store_of_an_override(mlflow_home: MlflowHome, capsys: pytest.CaptureFixture[str]) -> None:
    run_id, file = mlflow_home.add_run(), mlflow_home.home / "mine.html"
    stack = ["stack=mlflow_server", f"stack.tracking_uri={mlflow_home.client.tracking_uri}"]
    assert verb.main([*stack, run_id[:8], "-o", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}\n"
    assert run_id in file.read_text()


def test_two_names_are_refused() -> None:
    with pytest.raises(ConfigError, match="takes one sweep or run, got 2"):
        verb.main(["a", "b"])


def test_report_is_kept_if_mlflow_refuses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record = make_run(tmp_path)
    monkeypatch.setattr(publishing, "log_report", break_write)
    file = verb._write(record, ListStore(record), tmp_path, tmp_path / "mine.html")
    assert file.read_text().endswith("</html>")
    message = "The report was not logged to MLflow (OSError: no space at postgresql://me:***@host); it is in"
    assert " ".join(capsys.readouterr().err.split()).startswith(message)


def test_the_flag_that_a_refused_data_set_names_exists() -> None:
    assert verb._parser().parse_args(["latest", "--trust"]).trust
