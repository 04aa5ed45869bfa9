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

from mlrunner.composition.compose import composing
from mlrunner.history.diff import choices
from mlrunner.history.diff.structure import same
from tests.support.front_door import Ran, front_door
from tests.support.recorded import Recorded

pytestmark = pytest.mark.slow
Diff = Callable[..., Ran]


@pytest.fixture(scope="module")
def diff(recorded: Recorded) -> Diff:
    return lambda *arguments, **options: front_door(recorded.home, "diff", *arguments, **options)


def mlflow_run(recorded: Recorded, outcome: dict[str, Any]) -> Run:
    return MlflowClient(f"sqlite:///{recorded.home}/.mlrunner/mlflow.db").get_run(outcome["run_id"])


@pytest.fixture(scope="module")
def two(recorded: Recorded, diff: Diff) -> Any:
    done = diff(recorded.single["run_id"], recorded.folds["run_id"][:8], "--json")
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_the_choices_come_with_the_options_that_mlflow_has(recorded: Recorded, two: dict[str, Any]) -> None:
    one, other = (mlflow_run(recorded, run).data.params for run in (recorded.single, recorded.folds))
    found = {change["key"]: [value["value"] for value in change["values"]] for change in two["choices"]}
    assert {key: found[key] for key in ("model", "split")} == {
        "model": [one["model"], other["model"]],
        "split": [one["split"], other["split"]],
    }
    assert [change["key"] for change in two["choices"] if change["follows"]] == ["features@model.features"]


def test_every_score_and_difference_is_that_of_mlflow(recorded: Recorded, two: dict[str, Any]) -> None:
    one, other = (mlflow_run(recorded, run).data.metrics for run in (recorded.single, recorded.folds))
    told = {score["name"]: score for score in two["scores"]}
    expected = {name for name in {*one, *other} if "/" in name and not name.endswith("_std")}
    assert set(told) - {"fit_seconds", "score_seconds"} == expected
    for name in expected:
        assert told[name]["values"] == [one.get(name), other.get(name)]
        if name in one and name in other:
            assert told[name]["differences"] == [other[name] - one[name]]
    assert told["test/r2"]["noise"][0] > 0
    assert told["test/r2"]["verdicts"][0] in ("better", "worse", "within noise")


def test_the_line_run_composes_the_second_run_exactly(recorded: Recorded, two: dict[str, Any]) -> None:
    (line,) = two["lines"]
    assert line["exact"]
    assert line["change"] == ["model=rf", "split=kfold", *line["change"][2:]]
    with composing() as hydra:
        composed = hydra.compose(line["command"])
    import yaml

    kept = Path(recorded.folds["folder"], ".hydra", "config.yaml").read_text()
    assert same(choices.told(composed.raw or {}), choices.told(yaml.safe_load(kept)))


def test_what_did_not_change_is_not_shown(two: dict[str, Any]) -> None:
    assert two["data"] == two["code"] == two["environment"] == []
    assert two["moved"] == [[]]


def test_a_person_sees_what_changed_and_the_command(recorded: Recorded, diff: Diff) -> None:
    done = diff(recorded.single["run_id"], recorded.folds["run_id"])
    assert done.code == 0
    for told in ("~ model", "ridge", "rf", "follow from model", "verdict", "A becomes B with", "B is"):
        assert told in done.out
    command = shlex.split(done.out.splitlines()[-1])
    assert command[0] == "mlrunner"
    assert "model=rf" in command


def test_other_data_are_told_with_what_they_are(recorded: Recorded, diff: Diff) -> None:
    found = json.loads(diff(recorded.single["run_id"], recorded.classes["run_id"], "--json").out)
    hashes = [mlflow_run(recorded, run).data.tags["mlrunner.data_hash"] for run in (recorded.single, recorded.classes)]
    data = {change["key"]: change["values"] for change in found["data"]}
    assert data["data.fingerprint"] == [{"value": one[:12]} for one in hashes]
    assert data["data.rows"][1] == {"value": 178}  # of the wine data set


def test_sweeps_are_compared_by_their_winners_and_what_they_searched(recorded: Recorded, diff: Diff) -> None:
    search = "/".join(Path(recorded.search["folder"]).parts[-2:])
    grid = "/".join(Path(recorded.grid[0]["folder"]).parent.parts[-2:])
    found = json.loads(diff(grid, search, "--json").out)
    ids = [recorded.grid[0]["run_id"], recorded.search["winner"]["run_id"]]
    assert [side["run_id"] for side in found["sides"]] == ids
    runs = next(change for change in found["search"] if change["key"] == "runs.FINISHED")
    assert [value["value"] for value in runs["values"]] == [2, 6]
    searched = {change["key"]: change["values"][1]["value"] for change in found["search"]}
    assert searched["sampler"]["_target_"].startswith("optuna.samplers.")
    assert searched["goal"] == {"r2": "maximize"}


def test_a_trial_and_a_composition_that_was_not_run(recorded: Recorded, diff: Diff) -> None:
    search = "/".join(Path(recorded.search["folder"]).parts[-2:])
    trial = next(one for one in recorded.search["trials"] if "model=rf" in one["name"])
    found = json.loads(diff(f"{search}/{trial['job']}", "--json", "--", "model=rf", "dataset=diabetes").out)
    assert found["lines"][0]["exact"]
    assert found["lines"][0]["command"] == ["dataset=diabetes", "model=rf"] or set(found["lines"][0]["command"]) == {
        "model=rf",
        "dataset=diabetes",
    }
    assert all(change["key"].startswith("model.estimator.") for change in found["values"] if not change["follows"])


@pytest.mark.parametrize(("second", "code"), [("single", 0), ("folds", 1)])
def test_the_exit_code_is_that_of_git(recorded: Recorded, diff: Diff, second: str, code: int) -> None:
    done = diff(recorded.single["run_id"], getattr(recorded, second)["run_id"], "--exit-code", "--md")
    assert done.code == code
    assert ("### values" in done.out) == bool(code)


def test_three_sides_have_a_column_each(recorded: Recorded, diff: Diff) -> None:
    ids = [one["run_id"] for one in (recorded.single, recorded.folds, recorded.classes)]
    done = diff(*ids, "--md")
    assert "|  | A | B | C |" in done.out
    assert "C is" in done.out


def test_a_folder_and_its_yaml_are_the_run_itself(recorded: Recorded, diff: Diff) -> None:
    folder = recorded.single["folder"]
    found = json.loads(diff(folder, f"{folder}/.hydra/config.yaml", "--json").out)
    assert found["values"] == found["choices"] == []
    assert found["lines"][0]["change"] == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "needs two sides"),
        (["latest"], "needs two sides"),
        (["latest", "nothing"], "'nothing' is no run"),
        (["latest", "nowhere.yaml"], "does not exist"),
        (["latest", "--", "model=rff"], "model=rff is not an option"),
        (["latest", "--", "-cd"], "-cd names nothing, which is no folder"),
        (["latest", "--", "--multirun", "model=rf"], "--multirun is no override; behind -- stand overrides"),
        (["latest", "model=rf"], "behind --, like mlrunner diff latest -- model=rf"),
        (["latest", "latest", "--json", "--md"], "not allowed with"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(diff: Diff, arguments: list[str], told: str) -> None:
    done = diff(*arguments)
    assert done.code == 2
    assert told in done.err
    assert "Traceback" not in done.err
