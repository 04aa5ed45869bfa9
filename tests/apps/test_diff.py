"""`mlrunner diff` on real runs, its numbers beside those of MLflow's own client."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from mlrunner.composition.compose import open_composer
from mlrunner.history.diff.structure import equal_values
from mlrunner.history.diff.value_overrides import without_ignored
from tests.support.front_door import CommandResult, front_door
from tests.support.recorded import Recorded

pytestmark = pytest.mark.slow
Diff = Callable[..., CommandResult]


@pytest.fixture(scope="module")
def diff(recorded: Recorded) -> Diff:
    return lambda *arguments, **options: front_door(recorded.home, "diff", *arguments, **options)


def mlflow_run(recorded: Recorded, outcome: dict[str, Any]) -> Run:
    return MlflowClient(f"sqlite:///{recorded.home}/.mlrunner/mlflow.db").get_run(outcome["run_id"])


@pytest.fixture(scope="module")
def two(recorded: Recorded, diff: Diff) -> Any:
    result = diff(recorded.single["run_id"], recorded.folds["run_id"][:8], "--json")
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_choices_equal_those_of_mlflow(recorded: Recorded, two: dict[str, Any]) -> None:
    first, second = (mlflow_run(recorded, run).data.params for run in (recorded.single, recorded.folds))
    options = {change["key"]: [value["value"] for value in change["values"]] for change in two["choices"]}
    assert {key: options[key] for key in ("model", "split")} == {
        "model": [first["model"], second["model"]],
        "split": [first["split"], second["split"]],
    }
    assert [change["key"] for change in two["choices"] if change["follows"]] == ["features@model.features"]


def test_scores_equal_those_of_mlflow(recorded: Recorded, two: dict[str, Any]) -> None:
    first, second = (mlflow_run(recorded, run).data.metrics for run in (recorded.single, recorded.folds))
    scores = {score["name"]: score for score in two["scores"]}
    expected = {name for name in {*first, *second} if "/" in name and not name.endswith("_std")}
    assert set(scores) - {"fit_seconds", "score_seconds"} == expected
    for name in expected:
        assert scores[name]["values"] == [first.get(name), second.get(name)]
        if name in first and name in second:
            assert scores[name]["differences"] == [second[name] - first[name]]
    assert scores["test/r2"]["noise"][0] > 0
    assert scores["test/r2"]["verdicts"][0] in ("better", "worse", "within noise")


def test_overrides_compose_the_second_run(recorded: Recorded, two: dict[str, Any]) -> None:
    (diff,) = two["lines"]
    assert diff["exact"]
    assert diff["change"] == ["model=rf", "split=kfold", *diff["change"][2:]]
    with open_composer() as hydra:
        composed = hydra.compose(diff["command"])
    import yaml

    saved = Path(recorded.folds["folder"], ".hydra", "config.yaml").read_text()
    first, second = (without_ignored(config) for config in (composed.raw or {}, yaml.safe_load(saved)))
    assert equal_values(first, second)


def test_equal_parts_are_left_out(two: dict[str, Any]) -> None:
    assert two["data"] == two["code"] == two["environment"] == []
    assert two["moved"] == [[]]


def test_terminal_shows_changes_and_the_command(recorded: Recorded, diff: Diff) -> None:
    result = diff(recorded.single["run_id"], recorded.folds["run_id"])
    assert result.code == 0
    for text in ("~ model", "ridge", "rf", "from model (--all)", "verdict", "A becomes B with", "B is"):
        assert text in result.out
    command = shlex.split(result.out.splitlines()[-1])
    assert command[0] == "mlrunner"
    assert "model=rf" in command


def test_other_data(recorded: Recorded, diff: Diff) -> None:
    document = json.loads(diff(recorded.single["run_id"], recorded.classes["run_id"], "--json").out)
    hashes = [mlflow_run(recorded, run).data.tags["mlrunner.data_hash"] for run in (recorded.single, recorded.classes)]
    data = {change["key"]: change["values"] for change in document["data"]}
    assert data["data.fingerprint"] == [{"value": data_hash[:12]} for data_hash in hashes]
    assert data["data.rows"][1] == {"value": 178}  # of the wine data set


def test_sweeps_are_compared_by_their_winners(recorded: Recorded, diff: Diff) -> None:
    search = "/".join(Path(recorded.search["folder"]).parts[-2:])
    grid = "/".join(Path(recorded.grid[0]["folder"]).parent.parts[-2:])
    document = json.loads(diff(grid, search, "--json").out)
    ids = [recorded.grid[0]["run_id"], recorded.search["winner"]["run_id"]]
    assert [side["run_id"] for side in document["sides"]] == ids
    runs = next(change for change in document["search"] if change["key"] == "runs.FINISHED")
    assert [value["value"] for value in runs["values"]] == [2, 6]
    space = {change["key"]: change["values"][1]["value"] for change in document["search"]}
    assert space["sampler"]["_target_"].startswith("optuna.samplers.")
    assert space["goal"] == {"r2": "maximize"}


def test_trial_and_composition(recorded: Recorded, diff: Diff) -> None:
    search = "/".join(Path(recorded.search["folder"]).parts[-2:])
    trial = next(trial for trial in recorded.search["trials"] if "model=rf" in trial["name"])
    document = json.loads(diff(f"{search}/{trial['job']}", "--json", "--", "model=rf", "dataset=diabetes").out)
    assert document["lines"][0]["exact"]
    assert set(document["lines"][0]["command"]) == {"model=rf", "dataset=diabetes"}
    assert all(change["key"].startswith("model.estimator.") for change in document["values"] if not change["follows"])


@pytest.mark.parametrize(("second", "code"), [("single", 0), ("folds", 1)])
def test_exit_code_as_of_git_diff(recorded: Recorded, diff: Diff, second: str, code: int) -> None:
    result = diff(recorded.single["run_id"], getattr(recorded, second)["run_id"], "--exit-code", "--md")
    assert result.code == code
    assert ("### values" in result.out) == bool(code)


def test_three_sides(recorded: Recorded, diff: Diff) -> None:
    ids = [run["run_id"] for run in (recorded.single, recorded.folds, recorded.classes)]
    result = diff(*ids, "--md")
    assert "|  | A | B | C |" in result.out
    assert "C is" in result.out


def test_folder_and_its_yaml_are_the_run(recorded: Recorded, diff: Diff) -> None:
    folder = recorded.single["folder"]
    document = json.loads(diff(folder, f"{folder}/.hydra/config.yaml", "--json").out)
    assert document["values"] == document["choices"] == []
    assert document["lines"][0]["change"] == []


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["latest", "nothing"], "No run matches 'nothing'"),
        (["latest", "--", "model=rff"], "model=rff is not an option"),
        (["latest", "--", "--multirun", "model=rf"], "--multirun is not an override"),
        (["latest", "model=rf"], "like mlrunner diff latest -- model=rf"),
    ],
)
def test_mistakes_are_one_sentence(diff: Diff, arguments: list[str], text: str) -> None:
    result = diff(*arguments)
    assert result.code == 2
    assert text in result.err
    assert "Traceback" not in result.err
