"""Searches through the front door: recorded, and traceable from the best trial to the model."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
import yaml

from tests.support.front_door import UNSAVED, CommandResult, Runner, export_variables, front_door, run_program
from tests.support.stores import open_store

pytestmark = pytest.mark.slow
ZENML = """
import json, sys
from zenml.client import Client
client = Client()
run = client.get_pipeline_run(sys.argv[1])
steps = []
for step in client.list_run_steps(pipeline_run_id=run.id, size=100, sort_by="asc:created", hydrate=True):
    outputs = {name: versions[0].load() for name, versions in step.outputs.items() if name == "scores"}
    inputs = {name: [version.uri for version in versions] for name, versions in step.inputs.items()}
    steps.append({"name": step.spec.source.attribute, "status": str(step.status), "inputs": inputs,
                  "parameters": json.loads(json.dumps(step.config.parameters, default=str)), **outputs})
    if step.spec.source.attribute == "trial":  # what the steps of all trials share
        scores = step.outputs["scores"][0]
        steps[-1]["common"] = [
            step.config.model_copy(update={"parameters": {}}).model_dump_json(), scores.artifact.name, scores.type,
            step.spec.model_copy(update={"invocation_id": "", "parameter_spec": None}).model_dump_json(),
            step.docstring, step.source_code, str(scores.materializer), str(scores.data_type), scores.save_type,
            str(scores.artifact_store_id), len(scores.content_hash), step.run_metadata]
print(json.dumps({"pipeline": run.pipeline.name, "status": str(run.status), "steps": steps}))
"""
DIABETES = ("dataset=diabetes", "output=json")


@pytest.fixture(scope="module")
def families(mlrunner: Runner) -> Any:
    """A search over three model families, one trial at a time, so that it is the same each time."""
    result: CommandResult = mlrunner(
        "sweep=optuna", "model=xgboost,rf,ridge", *DIABETES, "hydra.sweeper.n_trials=9", "hydra.sweeper.n_jobs=1",
        "hydra/sweeper/pruner=median", "hydra.sweeper.pruner.n_startup_trials=2", "tracking.plots=true",
    )  # fmt: skip
    assert result.code == 0, result.err
    return result.json


def zenml_search(home: Path, parent: str) -> Any:
    """What ZenML itself says of the run of a search, asked as a user would after `eval "$(mlrunner env)"`."""
    name = open_store(home).get_run(parent).data.tags["mlrunner.zenml.run"]
    result = run_program(home, ZENML, name, **export_variables(home))
    assert result.code == 0, result.err
    return json.loads(result.out.splitlines()[-1])


def children(home: Path, parent: str) -> list[Any]:
    """The MLflow runs of a search, the winner's refit among them."""
    client = open_store(home)
    experiment = client.get_run(parent).info.experiment_id
    return list(client.search_runs([experiment], f"tags.mlflow.parentRunId = '{parent}'", max_results=1000))


def test_the_path_from_the_best_trial_to_the_model_is_provable(families: Any, session_home: Path) -> None:
    number, folder = families["best_trial_number"], Path(families["best_job_dir"])
    assert 0 < number < 8, "the best trial shall be neither the first nor the last"
    assert folder == Path(families["folder"]) / str(number)
    overrides = yaml.safe_load((folder / ".hydra" / "overrides.yaml").read_text())
    assert overrides == families["best_overrides"]
    client = open_store(session_home)
    run = client.get_run(families["best_mlflow_run_id"])
    assert run.data.tags["mlrunner.trial_number"] == str(number)
    assert run.data.tags["mlrunner.folder"] == str(folder)
    assert run.data.metrics["r2"] == families["best_value"]
    winner = client.get_run(families["winner"]["run_id"])
    assert winner.data.tags["mlrunner.winner_of"] == run.info.run_id
    assert winner.data.tags["mlrunner.model"] == families["winner"]["model_uri"]
    assert winner.data.params["model.estimator._target_"] == run.data.params["model.estimator._target_"]
    assert winner.data.metrics["validation/r2"] == families["best_value"]
    assert families["winner"]["columns"]["left_out"] == {"target": "target"}
    model = client.get_logged_model(families["winner"]["model_uri"].removeprefix("models:/"))
    assert (model.status, model.source_run_id) == ("READY", winner.info.run_id)


def test_the_model_is_the_best_composition_fitted_on_train_and_validation(families: Any, session_home: Path) -> None:
    from sklearn.datasets import load_diabetes

    mlflow.set_tracking_uri(f"sqlite:///{session_home}/.mlrunner/mlflow.db")
    model = mlflow.sklearn.load_model(families["winner"]["model_uri"])
    config = yaml.safe_load((Path(families["best_job_dir"]) / ".hydra" / "config.yaml").read_text())["model"]
    estimator = model.steps[-1][1]
    searched = {name: value for name, value in config["estimator"].items() if name in families["best_params"]}
    assert {name: estimator.get_params()[name] for name in searched} == searched
    raw = load_diabetes(as_frame=True).frame.drop(columns="target")
    assert len(model.predict(raw)) == len(raw)


def test_no_trial_has_read_the_test_rows(families: Any, session_home: Path) -> None:
    runs = children(session_home, families["parent_run_id"])
    trials = [run for run in runs if "mlrunner.winner_of" not in run.data.tags]
    assert len(trials) == 9
    assert [name for run in trials for name in run.data.metrics if name.startswith("test/")] == []
    assert math.isfinite(families["winner"]["metrics"]["test/r2"])


def test_each_trial_is_a_composition_with_its_folder_and_its_child(families: Any, session_home: Path) -> None:
    runs = {run.data.tags["mlrunner.trial_number"]: run for run in children(session_home, families["parent_run_id"])}
    for trial in families["trials"]:
        folder = Path(trial["folder"])
        assert {path.name for path in (folder / ".hydra").iterdir()} == {"config.yaml", "hydra.yaml", "overrides.yaml"}
        config = yaml.safe_load((folder / ".hydra" / "config.yaml").read_text())
        run = open_store(session_home).get_run(trial["run_id"])
        assert run.data.tags["mlrunner.trial_number"] == str(trial["job"])
        assert run.data.params["model.name"] == config["model"]["name"]
        assert run.info.status == {"FINISHED": "FINISHED", "PRUNED": "KILLED"}[trial["status"]]
        assert run.inputs.dataset_inputs[0].dataset.name == "diabetes"
    assert len(runs) == 9


def test_only_the_chosen_models_own_keys_are_sampled(families: Any) -> None:
    own = {"xgboost": "learning_rate", "rf": "min_samples_leaf", "ridge": "alpha"}
    seen = set()
    for trial in families["trials"]:
        overrides = yaml.safe_load((Path(trial["folder"]) / ".hydra" / "overrides.yaml").read_text())
        model = next(text for text in overrides if text.startswith("model=")).partition("=")[2]
        keys = {text.partition("=")[0].rpartition(".")[2] for text in overrides}
        assert [own[name] in keys for name in own] == [name == model for name in own]
        seen.add(model)
    assert seen == set(own)


def test_the_parent_holds_space_best_and_pictures(families: Any, session_home: Path, tmp_path: Path) -> None:
    client = open_store(session_home)
    parent = client.get_run(families["parent_run_id"])
    assert parent.info.status == "FINISHED"
    assert parent.data.tags["mlrunner.best_run_id"] == families["best_mlflow_run_id"]
    assert parent.data.tags["mlrunner.winner_run_id"] == families["winner"]["run_id"]
    assert parent.data.metrics["r2"] == families["best_value"]
    assert parent.data.params["space/rf/model.estimator.max_depth"] == "null,4,8,16,32"
    folder = Path(client.download_artifacts(parent.info.run_id, "", str(tmp_path)))
    assert {"space.yaml", "multirun.yaml", "optimization_results.yaml", "trials.csv"} <= {
        path.name for path in folder.iterdir()
    }
    assert "optimization_history.png" in {path.name for path in (folder / "plots").iterdir()}


def test_the_folder_of_the_sweep_has_the_official_keys_and_ours(families: Any) -> None:
    folder = Path(families["folder"])
    summary = yaml.safe_load((folder / "optimization_results.yaml").read_text())
    assert summary["name"] == "optuna"
    for name in ("best_params", "best_value", "best_trial_number", "best_job_dir", "best_mlflow_run_id"):
        assert summary[name] == families[name]
    assert summary["best_overrides"] == families["best_overrides"]
    assert all(not key.startswith(("rf:", "ridge:", "xgboost:")) for key in summary["best_params"])
    assert yaml.safe_load((folder / "multirun.yaml").read_text())["hydra"]["sweeper"]["n_trials"] == 9
    table = pd.read_csv(folder / "trials.csv")
    assert sorted(table["number"]) == list(range(9))


def test_zenml_holds_one_run_with_a_step_a_trial(families: Any, session_home: Path) -> None:
    run = zenml_search(session_home, families["parent_run_id"])
    trials = {step["parameters"]["number"]: step for step in run["steps"] if step["name"] == "trial"}
    names = [step["name"] for step in run["steps"]]
    assert [name for name in names if name != "trial"] == [
        "ingest", "clean", "divide", "refit", "judge", "gate", "deploy",
    ]  # fmt: skip
    first, *others = trials.values()  # ZenML has run the first one's, and the others are written like it
    assert [step["common"] for step in others] == [first["common"]] * 8
    outcomes = {trial["job"]: trial for trial in families["trials"]}
    assert set(trials) == set(outcomes) == set(range(9))
    for number, step in trials.items():
        outcome = outcomes[number]
        if outcome["status"] == "FINISHED":
            assert step["scores"]["r2"] == outcome["objective"]
        assert sorted(step["inputs"]) == ["scored", "train"]
        assert f"model={step['parameters']['model_config']['name']}" in outcome["name"]
        assert {text.partition("=")[0] for text in step["parameters"]["overrides"]} >= {"dataset", "model"}


def test_the_same_command_gives_the_same_trials(families: Any, mlrunner: Runner) -> None:
    again = mlrunner(
        "sweep=optuna", "model=xgboost,rf,ridge", *DIABETES, "hydra.sweeper.n_trials=5", "hydra.sweeper.n_jobs=1",
        "hydra/sweeper/pruner=median", "hydra.sweeper.pruner.n_startup_trials=2", *UNSAVED,
    ).json  # fmt: skip
    assert again["study_name"] != families["study_name"]
    assert again["folder"] != families["folder"]
    nine, five = (
        {trial["job"]: (trial["name"], trial["objective"]) for trial in summary["trials"]}
        for summary in (families, again)
    )
    assert five == {job: nine[job] for job in range(5)}


def test_a_search_for_two_things_gives_a_front(mlrunner: Runner) -> None:
    result = mlrunner(
        "sweep=multi_objective", "dataset=wine", "model=ridge,rf", "hydra.sweeper.n_trials=5", "output=json",
        "tracking.log_model=false",
    )  # fmt: skip
    assert result.code == 0, result.err
    summary = result.json
    assert summary["metrics"] == ["accuracy", "fit_seconds"]
    assert summary["directions"] == ["maximize", "minimize"]
    scores = {trial["job"]: (trial["objective"], -trial["fit_seconds"]) for trial in summary["trials"]}
    front = {trial["number"] for trial in summary["solutions"]}
    beaten = {
        number
        for number, trial in scores.items()
        if any(a >= trial[0] and b >= trial[1] and (a, b) != trial for a, b in scores.values())
    }
    assert front == set(scores) - beaten
    assert summary["winner"]["model_uri"] is None


def test_repeats_average_over_seeds_and_the_seed_is_not_in_the_space(mlrunner: Runner, session_home: Path) -> None:
    result = mlrunner(
        "sweep=optuna", *DIABETES, "model=ridge", "cleaning=none,preprocess", "hydra.sweeper.repeats=3",
        "hydra.sweeper.n_trials=3", "hydra.sweeper.direction=minimize", "objective.metric=rmse", *UNSAVED,
    )  # fmt: skip
    assert result.code == 0, result.err
    summary = result.json
    assert [key for key in summary["best_params"] if "seed" in key] == []
    best = summary["trials"][0]
    scores = json.loads((Path(best["folder"]) / "trial_result.json").read_text())["scores"]
    assert len(set(scores)) == 3
    assert best["objective"] == pytest.approx(sum(scores) / 3)
    assert best["metrics"]["validation/rmse_std"] > 0
    assert best["objective"] == min(trial["objective"] for trial in summary["trials"])
    assert open_store(session_home).get_run(best["run_id"]).data.metrics["rmse"] == best["objective"]


def test_a_launcher_of_hydras_runs_the_trials_and_says_what_it_cannot(mlrunner: Runner) -> None:
    result = mlrunner(
        "sweep=optuna", "dataset=diabetes", "model=ridge", "split=kfold", "hydra.sweeper.n_trials=2",
        "hydra/launcher=submitit_local", *UNSAVED,
    )  # fmt: skip
    assert result.code == 0, result.err
    assert "hydra/launcher=submitit_local runs 2 trials at a time and waits for all of them; it cannot pr" in result.err
    assert sum(line.startswith("✓") for line in result.out.splitlines()) == 2
    assert "which is" in result.out  # more or not more than the noise of the folds


def test_a_plan_starts_nothing(tmp_path: Path) -> None:
    result = front_door(
        tmp_path, "sweep=grid", "dataset=wine", "model=ridge,rf", "cleaning=none,preprocess", "split=80_20,kfold",
        "hydra.sweeper.exclude=['model=rf,split=kfold']", "hydra.sweeper.dry_run=true",
    )  # fmt: skip
    assert result.code == 0, result.err
    assert "6 trials of 8 combinations" in result.out
    assert "model=ridge cleaning=none split=80_20" in result.out.replace("'", "")
    assert "Nothing was started" in result.out
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        (["model.estimator.alpha=-3,1"], "model.estimator: The 'alpha' parameter"),
        (["hydra.sweeper.storage=sqlit:///a.db"], "hydra.sweeper.storage=sqlit:///a.db"),
        (
            ["hydra.sweeper.search_space={model.estimator.alpha:{low:1,high:2}}"],
            "hydra.sweeper.params",
        ),
    ],
    ids=["impossible-value", "storage", "search-space"],
)
def test_mistakes_are_reported_before_the_first_trial(arguments: list[str], key: str, tmp_path: Path) -> None:
    result = front_door(tmp_path, "sweep=optuna", "dataset=diabetes", "model=ridge", *UNSAVED, *arguments)
    assert result.code == 2, result.out + result.err
    assert key in result.err
    assert "Traceback" not in result.err
    assert not list(tmp_path.glob("multirun/*/*/0"))


def test_the_winner_is_better_than_the_default_on_rows_that_no_trial_has_read(mlrunner: Runner) -> None:
    default = mlrunner(*DIABETES, "model=xgboost", *UNSAVED).json
    summary = mlrunner(
        "sweep=optuna", *DIABETES, "model=xgboost", "hydra.sweeper.n_trials=8", "hydra.sweeper.n_jobs=1",
        "split=kfold", "split.folds=3", *UNSAVED,
    ).json  # fmt: skip
    assert summary["winner"]["metrics"]["test/r2"] > default["metrics"]["test/r2"]


def test_the_winner_of_folds_by_time_is_the_run_of_its_overrides(mlrunner: Runner) -> None:
    """Trials score the same windows as a run, and the refit trains on the same window before the test."""
    split = "split=rolling", "split.folds=3", "split.gap=7D"
    rolling = "dataset.rows=400", "model=ridge", *split, "output=json", *UNSAVED
    summary = mlrunner(
        "sweep=optuna", *rolling, "hydra.sweeper.n_trials=3", "hydra/sweeper/pruner=median", "hydra.sweeper.n_jobs=1"
    ).json
    found = summary["best_overrides"][-2:]  # alpha and low_cardinality
    alone, winner = mlrunner(*rolling, *found).json["metrics"], summary["winner"]["metrics"]
    names = ("cv/r2", "cv/r2_std", "test/r2", "train/r2")
    assert {name: winner[name] for name in names} == pytest.approx({name: alone[name] for name in names})
    assert summary["trials"][0]["objective"] == pytest.approx(alone["r2"])
