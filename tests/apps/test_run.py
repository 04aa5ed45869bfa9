"""Whole runs through the front door, looked at in the real MLflow and ZenML stores."""

from __future__ import annotations

import functools
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
import yaml
from mlflow import MlflowClient

from tests.conftest import PROJECT, Ran, Runner, environment, front_door

pytestmark = pytest.mark.slow
STEPS = ["ingest", "clean", "divide", "train", "evaluate", "gate", "deploy"]
ZENML = """
import json, sys
from zenml.client import Client
run = Client().get_pipeline_run(sys.argv[1])
steps = {name: {"status": str(step.status), "outputs": sorted(step.outputs)} for name, step in run.steps.items()}
print(json.dumps({"pipeline": run.pipeline.name, "stack": run.stack.name, "steps": steps}))
"""


def store(home: Path) -> MlflowClient:
    """The MLflow store of a home."""
    return MlflowClient(f"sqlite:///{home}/.mlrunner/mlflow.db")


@functools.cache
def exported(home: Path) -> dict[str, str]:
    """What `mlrunner env` exports; the same for every run of a home."""
    lines = front_door(home, "env").out.splitlines()
    return dict(line.removeprefix("export ").split("=", 1) for line in lines)


def zenml_run(home: Path, name: str) -> Any:
    """What ZenML itself says of a run, asked as a user would after `eval "$(mlrunner env)"`."""
    command = [sys.executable, "-c", ZENML, name]
    variables = environment(home, **exported(home))
    done = subprocess.run(command, capture_output=True, text=True, env=variables, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def statuses(home: Path, outcome: dict[str, Any]) -> dict[str, str]:
    """ZenML's status of each step of a run."""
    return {name: step["status"] for name, step in zenml_run(home, outcome["pipeline_run"])["steps"].items()}


@pytest.fixture(scope="module")
def ridge(mlrunner: Runner) -> Any:
    """One finished run of the embedded data."""
    done: Ran = mlrunner("model=ridge", "output=json")
    assert done.code == 0, done.err
    return done.json


def test_a_run_says_what_it_found(ridge: Any) -> None:
    assert ridge["status"] == "FINISHED"
    assert ridge["metric"] == "r2"
    assert ridge["objective"] == ridge["metrics"]["validation/r2"]
    assert {f"{part}/{name}" for part in ("train", "validation", "test") for name in ("r2", "rmse", "mae")} <= set(
        ridge["metrics"]
    )
    assert 0 < ridge["fit_seconds"] < ridge["seconds"]


def test_mlflow_holds_the_whole_run(ridge: Any, session_home: Path) -> None:
    client = store(session_home)
    run = client.get_run(ridge["run_id"])
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "model=ridge"
    assert run.data.params["model"] == "ridge"
    assert run.data.params["model.estimator.alpha"] == "1.0"
    assert run.data.metrics["validation/r2"] == ridge["objective"]
    assert run.inputs.dataset_inputs[0].dataset.name == "olist (synthetic)"
    tags = {"mlrunner.config_hash", "mlrunner.data_hash", "mlrunner.zenml.run", "mlrunner.gate.decision", "mlflow.user"}
    assert tags <= set(run.data.tags)
    assert run.data.tags["mlflow.source.git.commit"]


def test_artifacts_hold_config_environment_and_pictures(ridge: Any, session_home: Path) -> None:
    folder = Path(store(session_home).get_run(ridge["run_id"]).info.artifact_uri.removeprefix("file://"))
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["model"]["estimator"]["_target_"] == "sklearn.linear_model.Ridge"
    assert "scikit-learn==" in (folder / "environment/requirements.txt").read_text()
    assert {path.name for path in (folder / ".hydra").iterdir()} == {"config.yaml", "hydra.yaml", "overrides.yaml"}
    pictures = {path.name for path in (folder / "plots").iterdir()}
    assert pictures == {"predicted_vs_actual.png", "feature_importance.png"}


def test_the_saved_model_answers_raw_rows(ridge: Any, session_home: Path) -> None:
    mlflow.set_tracking_uri(f"sqlite:///{session_home}/.mlrunner/mlflow.db")
    model = mlflow.pyfunc.load_model(ridge["model_uri"])
    table = pd.read_csv(PROJECT / "data" / "olist_synthetic.csv.gz", nrows=50)
    raw = table[model.metadata.signature.inputs.input_names()]
    raw = raw.astype(dict.fromkeys(raw.select_dtypes("integer"), "float64"))  # as JSON bodies are read
    whole = model.predict(raw)
    assert len(whole) == 50
    assert whole == pytest.approx([float(model.predict(raw.iloc[[row]])[0]) for row in range(50)])
    required = [column.name for column in model.metadata.signature.inputs if column.required]
    assert "price" in required
    assert "review_score" not in model.metadata.signature.inputs.input_names()
    assert model.predict(raw[required]) == pytest.approx(whole)
    assert mlflow.sklearn.load_model(ridge["model_uri"]).predict(table) == pytest.approx(whole)


def test_zenml_holds_seven_named_steps(ridge: Any, session_home: Path) -> None:
    run = zenml_run(session_home, ridge["pipeline_run"])
    assert run["pipeline"] == "training"
    assert run["stack"] == "local_stack"
    assert list(run["steps"]) == STEPS
    assert run["steps"]["divide"]["outputs"] == ["folds", "test", "train", "validation"]
    assert run["steps"]["train"]["outputs"] == ["model"]


def test_the_same_composition_finds_its_data_steps_in_the_cache_and_the_same_numbers(
    ridge: Any, mlrunner: Runner, session_home: Path
) -> None:
    again = mlrunner("model=ridge", "output=json").json
    told = statuses(session_home, again)
    assert [told[step] for step in STEPS] == ["cached"] * 3 + ["completed"] * 4
    assert again["metrics"] == ridge["metrics"]


def test_another_cleaning_reuses_the_table_only(ridge: Any, mlrunner: Runner, session_home: Path) -> None:
    del ridge
    told = statuses(session_home, mlrunner("model=ridge", "cleaning=dates", "output=json").json)
    assert [told[step] for step in STEPS[:3]] == ["cached", "completed", "completed"]


def test_text_output_names_what_ran_and_where_to_look(ridge: Any, mlrunner: Runner, session_home: Path) -> None:
    del ridge
    shown = mlrunner("model=ridge").out
    for text in ("olist (synthetic), 20,000 rows x 33 columns, regression on review_score", "cached", "objective r2"):
        assert text in shown
    assert "\x1b" not in shown
    serve = next(line for line in shown.splitlines() if line.strip().startswith("serve"))
    assert "mlflow models serve -m models:/m-" in serve
    diff = next(line for line in shown.splitlines() if line.strip().startswith("diff")).split("diff", 1)[1]
    done = subprocess.run(diff, shell=True, cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    assert session_home.joinpath("multirun").is_dir()


def test_verbose_lets_zenml_speak(mlrunner: Runner) -> None:
    done = mlrunner("-v", "model=dummy")
    assert done.code == 0
    assert "Initiating a new run for the pipeline" in done.out + done.err


def test_blueprint_runs_all_of_it_on_a_few_rows(mlrunner: Runner, session_home: Path) -> None:
    done = mlrunner("blueprint=true", "model=xgboost", "output=json").json
    assert done["name"] == "blueprint,model=xgboost"
    assert done["fit_seconds"] < 1
    assert set(statuses(session_home, done)) == set(STEPS)
    assert abs(done["metrics"]["train/r2"]) < 1e-9  # the dummy says the mean


@pytest.mark.parametrize("name", sorted(path.stem for path in (PROJECT / "conf/experiment").glob("*.yaml")))
def test_every_experiment_runs(name: str, mlrunner: Runner) -> None:
    done = mlrunner(f"experiment={name}", "output=json")
    assert done.code == 0, done.err
    assert math.isfinite(done.json["objective"])


def test_folds_give_mean_and_deviation(mlrunner: Runner) -> None:
    found = mlrunner("dataset=diabetes", "split=kfold", "model=ridge", "output=json").json["metrics"]
    assert found["r2"] == found["cv/r2"]
    assert found["cv/r2_std"] > 0
    assert "validation/r2" not in found


CUSTOM = """
import pandas as pd
from mlrunner.cleaning import DataCleaning
from mlrunner.schema import dataclass
from mlrunner.strategy import CleaningStrategy

@dataclass
class Mine(CleaningStrategy):
    @property
    def named_columns(self):
        return {}
    def transform_rows(self, table):
        return table[["bmi", "bp"]] * FACTOR
"""


def test_an_edited_strategy_is_a_miss_and_the_same_one_is_a_hit(tmp_path: Path, session_home: Path) -> None:
    code = tmp_path / "my_strategy.py"

    def run(factor: str) -> dict[str, str]:
        code.write_text(CUSTOM.replace("FACTOR", factor))
        overrides = ["dataset=diabetes", "cleaning=none", "~cleaning.drop", "cleaning._target_=my_strategy.Mine"]
        done = front_door(
            session_home, *overrides, "model=ridge", "tracking.log_model=false", "output=json", PYTHONPATH=str(tmp_path)
        )
        assert done.code == 0, done.err
        return statuses(session_home, done.json)

    run("1.0")
    assert run("1.0")["clean"] == "cached"
    assert run("2.0")["clean"] == "completed"
    assert run("1.0")["clean"] == "cached"


def test_an_edited_file_of_the_same_name_size_and_time_is_a_miss(tmp_path: Path, session_home: Path) -> None:
    file = tmp_path / "table.csv"
    rows = [f"{number % 7},{number % 5},{number % 7 * 2 + number % 3}" for number in range(200)]

    def run(text: str) -> dict[str, str]:
        file.write_text(text)
        import os

        os.utime(file, ns=(10**18, 10**18))
        overrides = ["dataset=csv", f"dataset.path={file}", "dataset.target=y", "dataset.task=regression"]
        return statuses(session_home, front_door(session_home, *overrides, "model=ridge", "output=json").json)

    text = "a,b,y\n" + "\n".join(rows) + "\n"
    run(text)
    assert run(text)["ingest"] == "cached"
    assert run(text.replace("6,4,", "6,9,"))["ingest"] == "completed"
