"""`mlrunner prune` in this process."""

from __future__ import annotations

import pytest

from mlrunner.cli.commands import prune
from tests.support.mlflow_home import MlflowHome


def test_store_without_runs_stays_unchanged(
    mlflow_home: MlflowHome, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLRUNNER_HOME", str(mlflow_home.home))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_home.client.tracking_uri)
    assert prune.main(["--older", "1d", "--yes"]) == 0
    assert capsys.readouterr().out == "Nothing would be removed.\n"
    assert not (mlflow_home.home / ".mlrunner").exists()
