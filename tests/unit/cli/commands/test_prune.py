"""`mlrunner prune` in this process."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from mlrunner.cli.commands import prune
from mlrunner.core.errors import ConfigError, StoreError
from tests.support.mlflow_home import MlflowHome


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param([], "needs a condition", id="nothing"),
        pytest.param(["--where", " "], "--where is empty", id="empty filter"),
        pytest.param(["--where", "metrics.r2 >"], "--where cannot be read", id="no filter"),
        pytest.param(["--older", "soon"], "--older=soon", id="no age"),
        pytest.param(["--status", "lost"], "'lost' is not an MLflow status", id="no status"),
    ],
)
def test_mistakes_are_one_sentence(
    arguments: list[str], sentence: str, mlflow_home: MlflowHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLRUNNER_HOME", str(mlflow_home.home))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_home.client.tracking_uri)
    mlflow_home.add_run()
    with pytest.raises(ConfigError) as caught:
        prune.main(arguments)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_store_without_runs_stays_unchanged(
    mlflow_home: MlflowHome, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLRUNNER_HOME", str(mlflow_home.home))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_home.client.tracking_uri)
    assert prune.main(["--older", "1d", "--yes"]) == 0
    assert capsys.readouterr().out == "Nothing would be removed.\n"
    assert not (mlflow_home.home / ".mlrunner").exists()


def test_two_prunes_at_once_are_refused(tmp_path: Path) -> None:
    (tmp_path / ".mlrunner").mkdir()
    with (
        FileLock(tmp_path / ".mlrunner" / prune.LOCK_FILE),
        pytest.raises(StoreError, match="Another mlrunner prune"),
        prune.exclusive(tmp_path),
    ):
        pass
