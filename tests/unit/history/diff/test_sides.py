"""Sides of a comparison: files, compositions, searches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlrunner.core.errors import ConfigError
from mlrunner.history.diff.sides import compose_side, read_file, read_run
from mlrunner.tracking.records.record import BEST_TAG, SWEEP_TAG, TRIAL_TAG
from tests.support.mlflow_home import MlflowHome


@pytest.mark.parametrize(
    "words", [["-cd", "{}"], ["--config-dir", "{}"], ["--config-dir={}"], ["-cd={}"], ["seed=1", "-cd", "{}"]]
)
def test_configuration_folder(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine.yaml").write_text("defaults: [ridge]\nname: mine\n")
    snapshot = compose_side([*[word.format(tmp_path) for word in words], "model=mine"]).snapshot
    assert (snapshot.config["model"]["name"], snapshot.sources) == ("mine", (str(tmp_path),))


def test_description_of_a_search(mlflow_home: MlflowHome) -> None:
    params = {"sampler._target_": "optuna.samplers.TPESampler", "goal.r2": "maximize", "space/x": "1,2", "study": "s"}
    sweep = {SWEEP_TAG: "day/time"}
    parent = mlflow_home.add_run(**sweep)
    for key, value in params.items():
        mlflow_home.client.log_param(parent, key, value)
    trials = [mlflow_home.add_run(**sweep, **{TRIAL_TAG: str(number)}) for number in range(2)]
    mlflow_home.client.set_tag(parent, BEST_TAG, trials[0])
    mlflow_home.client.log_text(trials[0], "seed: 1", "config.yaml")
    (record,) = mlflow_home.store.read_runs([parent])
    side = read_run("label", record, mlflow_home.store)
    assert side.search == {
        "sampler": {"_target_": "optuna.samplers.TPESampler"},
        "goal": {"r2": "maximize"},
        "space": {"x": "1,2"},
        "runs": {"FINISHED": 2},
    }


@pytest.mark.parametrize(
    ("status", "ending"),
    [("FINISHED", ""), ("FAILED", ", which failed"), ("KILLED", ", which was killed or pruned")],
)
def test_name_says_that_a_run_did_not_finish(status: str, ending: str, mlflow_home: MlflowHome) -> None:
    run_id = mlflow_home.add_run(status=status)
    mlflow_home.client.log_text(run_id, "seed: 1", "config.yaml")
    (record,) = mlflow_home.store.read_runs([run_id])
    assert read_run("label", record, mlflow_home.store).name == f"{record.name} ({run_id[:8]}){ending}"


@pytest.mark.parametrize(
    ("text", "message"), [("- 1\n", "contains no keys"), ("a: [\n", "cannot be read as YAML"), (None, "does not exist")]
)
def test_file_without_keys_is_refused(text: str | None, message: str, tmp_path: Any) -> None:
    file = tmp_path / "a.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_file(file)


def test_interpolations_of_a_file_are_resolved_if_possible(tmp_path: Any) -> None:
    (tmp_path / "a.yaml").write_text("seed: 3\nsplit: {seed: '${seed}'}\nother: '${absent}'\n")
    config = read_file(tmp_path / "a.yaml").snapshot.config
    assert config == {"seed": 3, "split": {"seed": 3}, "other": "${absent}"}
