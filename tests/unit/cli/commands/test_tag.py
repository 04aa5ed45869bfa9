"""`mlrunner tag`."""

from __future__ import annotations

import pytest

from mlrunner.cli.commands import tag
from mlrunner.core.errors import ConfigError
from mlrunner.tracking.records.record import INVALID_TAG
from tests.support.front_door import PROJECT
from tests.support.mlflow_home import MlflowHome


def test_a_run_is_tagged_and_the_tag_is_removed(
    mlflow_home: MlflowHome, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLRUNNER_HOME", str(mlflow_home.home))
    monkeypatch.setenv("MLRUNNER_PROJECT", str(PROJECT))
    run_id = mlflow_home.add_run()
    assert tag.main([run_id, "invalid=[alive] leaks"]) == 0
    assert capsys.readouterr().out == f"{run_id[:8]}: invalid is [alive] leaks\n"
    assert mlflow_home.client.get_run(run_id).data.tags[INVALID_TAG] == "[alive] leaks"
    assert tag.main([run_id, "invalid="]) == 0
    assert capsys.readouterr().out == f"{run_id[:8]}: invalid is removed\n"
    assert INVALID_TAG not in mlflow_home.client.get_run(run_id).data.tags


@pytest.mark.parametrize("words", [[], ["latest"], ["latest", "invalid"]])
def test_a_run_and_a_tag_are_needed(words: list[str]) -> None:
    with pytest.raises(ConfigError, match=r'like (mlrunner tag latest )?invalid="the target leaks"'):
        tag.main(words)
