"""Tags that are set after a run has ended."""

from __future__ import annotations

import pytest

from mlrunner.core.errors import ConfigError
from mlrunner.history.tagging import parse_tags, tag_run
from mlrunner.tracking.records import SWEEP_TAG, TRIAL_TAG
from mlrunner.tracking.records.record import INVALID_TAG
from tests.support.mlflow_home import MlflowHome


@pytest.mark.parametrize(
    ("words", "tags"),
    [
        (["invalid=it leaks: a=b"], {"invalid": "it leaks: a=b"}),
        (["invalid="], {"invalid": ""}),
        (["team = x ", "invalid= y"], {"team": "x", "invalid": "y"}),
    ],
)
def test_words_become_tags(words: list[str], tags: dict[str, str]) -> None:
    assert parse_tags(words) == tags


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["invalid"], "'invalid' is not a tag; write NAME=VALUE, like invalid="),
        (["=x"], "'=x' is not a tag"),
        ([], "mlrunner tag needs a tag: NAME=VALUE"),
    ],
)
def test_other_words_are_refused(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_tags(words)
    assert str(refused.value).startswith(message)


def test_a_tag_is_set_and_removed(mlflow_home: MlflowHome) -> None:
    run_id = mlflow_home.add_run()
    for tags, expected in (
        ({"invalid": "it leaks", "team": "x"}, {INVALID_TAG: "it leaks", "team": "x"}),
        ({"invalid": ""}, {"team": "x"}),
        ({"invalid": ""}, {"team": "x"}),  # it is not there any more
    ):
        assert [run.run_id for run in tag_run(run_id, mlflow_home.home, tags)] == [run_id]
        stored = mlflow_home.client.get_run(run_id).data.tags
        assert {name: stored[name] for name in (INVALID_TAG, "team") if name in stored} == expected


def test_a_sweep_tags_its_runs(mlflow_home: MlflowHome) -> None:
    parent = mlflow_home.add_run(**{SWEEP_TAG: "day/time"})
    trial = mlflow_home.add_run(**{SWEEP_TAG: "day/time", TRIAL_TAG: "0"})
    other = mlflow_home.add_run(**{SWEEP_TAG: "day/other", TRIAL_TAG: "0"})
    assert [run.run_id for run in tag_run(parent, mlflow_home.home, {"invalid": "it leaks"})] == [parent, trial]
    assert INVALID_TAG not in mlflow_home.client.get_run(other).data.tags


@pytest.mark.parametrize("name", ["mlrunner.invalid", "mlflow.runName"])
def test_a_reserved_tag_is_refused(name: str, mlflow_home: MlflowHome) -> None:
    with pytest.raises(ConfigError, match=f"{name}= is a tag of "):
        tag_run(mlflow_home.add_run(), mlflow_home.home, {name: "x"})
