"""Whole runs through the front door, looked at in the real MLflow and ZenML stores."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
import yaml

from tests.support.front_door import (
    PROJECT,
    UNSAVED,
    CommandResult,
    Runner,
    export_variables,
    front_door,
    run_program,
)
from tests.support.recorded import Recorded
from tests.support.stores import open_store

pytestmark = pytest.mark.slow
STEPS = ["ingest", "clean", "divide", "train", "evaluate", "gate", "deploy"]
ZENML = """
import json, sys
from zenml.client import Client
for name in sys.argv[1:]:
    run = Client().get_pipeline_run(name)
    steps = {name: {"status": str(step.status), "outputs": sorted(step.outputs)} for name, step in run.steps.items()}
    print(json.dumps({"pipeline": run.pipeline.name, "stack": run.stack.name, "steps": steps}))
"""
FEW = "dataset.rows=1000"  # of 20,000: these runs are not about the size of the data
AskZenml = Callable[..., list[Any]]


@pytest.fixture(scope="module")
def zenml(session_home: Path) -> AskZenml:
    """Return a function that reads runs with ZenML's client, as a user would after `eval "$(mlrunner env)"`."""

    def ask(*names: str) -> list[Any]:
        result = run_program(session_home, ZENML, *names, **export_variables(session_home))
        assert result.code == 0, result.err
        return [json.loads(line) for line in result.out.splitlines() if line.startswith("{")]

    return ask


def statuses(run: Any) -> dict[str, str]:
    """The status of each step of a run."""
    return {name: step["status"] for name, step in run["steps"].items()}


def read_run(home: Path, result: CommandResult) -> Any:
    """The run in MLflow that a text output names."""
    assert result.code == 0, result.err
    match = re.search(r"# run (\w+)", result.out)
    assert match is not None, result.out
    return open_store(home).get_run(match[1])


@pytest.fixture(scope="module")
def ridge(mlrunner: Runner) -> Any:
    """One finished run of the embedded data."""
    result: CommandResult = mlrunner("model=ridge", FEW, "output=json")
    assert result.code == 0, result.err
    return result.json


@pytest.fixture(scope="module")
def again(ridge: Any, mlrunner: Runner) -> CommandResult:
    """The same composition once more, with text output."""
    del ridge
    return mlrunner("model=ridge", FEW)


@pytest.fixture(scope="module")
def dated(ridge: Any, mlrunner: Runner) -> CommandResult:
    """The same composition with another cleaning and ZenML's own output."""
    del ridge
    return mlrunner("-v", "model=ridge", FEW, "cleaning=dates", *UNSAVED)


def test_a_run_prints_its_results(ridge: Any) -> None:
    assert ridge["status"] == "FINISHED"
    assert ridge["metric"] == "r2"
    assert ridge["objective"] == ridge["metrics"]["validation/r2"]
    assert {f"{part}/{name}" for part in ("train", "validation", "test") for name in ("r2", "rmse", "mae")} <= set(
        ridge["metrics"]
    )
    assert 0 < ridge["fit_seconds"] < ridge["seconds"]


def test_a_run_says_what_becomes_of_each_column(ridge: Any, again: CommandResult, session_home: Path) -> None:
    use = ridge["columns"]
    assert use["left_out"]["customer_id"] == "ignored"
    assert use["dates"]["order_purchase_timestamp"] == "iso"
    assert len(use["used"]) + len(use["left_out"]) == 33
    assert f"  columns   {len(use['used'])} used: " in again.out
    folder = Path(open_store(session_home).get_run(ridge["run_id"]).info.artifact_uri.removeprefix("file://"))
    assert json.loads((folder / "data.json").read_text())["use"] == use


def test_mlflow_holds_the_whole_run(ridge: Any, session_home: Path) -> None:
    client = open_store(session_home)
    run = client.get_run(ridge["run_id"])
    assert run.info.status == "FINISHED"
    assert run.info.end_time - run.info.start_time == round(ridge["seconds"] * 1000)
    assert run.info.run_name == "model=ridge,rows=1000"
    assert run.data.params["model"] == "ridge"
    assert run.data.params["model.estimator.alpha"] == "1.0"
    assert run.data.metrics["validation/r2"] == ridge["objective"]
    assert run.inputs.dataset_inputs[0].dataset.name == "olist (synthetic)"
    tags = {"mlrunner.config_hash", "mlrunner.data_hash", "mlrunner.zenml.run", "mlrunner.gate.decision", "mlflow.user"}
    assert tags <= set(run.data.tags)
    assert run.data.tags["mlflow.source.git.commit"]


def test_artifacts_hold_config_environment_and_pictures(ridge: Any, session_home: Path) -> None:
    folder = Path(open_store(session_home).get_run(ridge["run_id"]).info.artifact_uri.removeprefix("file://"))
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["model"]["estimator"]["_target_"] == "sklearn.linear_model.Ridge"
    assert "scikit-learn==" in (folder / "environment/requirements.txt").read_text()
    assert {path.name for path in (folder / ".hydra").iterdir()} == {"config.yaml", "hydra.yaml", "overrides.yaml"}
    pictures = {path.name for path in (folder / "plots").iterdir()}
    assert pictures == {"predicted_vs_actual.png", "residuals.png", "feature_importance.png"}


def test_the_saved_model_answers_raw_rows(ridge: Any, session_home: Path) -> None:
    mlflow.set_tracking_uri(f"sqlite:///{session_home}/.mlrunner/mlflow.db")
    model = mlflow.pyfunc.load_model(ridge["model_uri"])
    table = pd.read_csv(PROJECT / "data" / "olist_synthetic.csv.gz", nrows=10)
    raw = table[model.metadata.signature.inputs.input_names()]
    whole = model.predict(raw)
    assert len(whole) == 10
    assert whole == pytest.approx([float(model.predict(raw.iloc[[row]])[0]) for row in range(10)])
    required = [column.name for column in model.metadata.signature.inputs if column.required]
    assert "price" in required
    assert "review_score" not in model.metadata.signature.inputs.input_names()
    assert model.predict(raw[required]) == pytest.approx(whole)
    assert mlflow.sklearn.load_model(ridge["model_uri"]).predict(table) == pytest.approx(whole)


def test_zenml_holds_seven_named_steps(ridge: Any, zenml: AskZenml) -> None:
    (run,) = zenml(ridge["pipeline_run"])
    assert run["pipeline"] == "training"
    assert run["stack"] == "local_stack"
    assert list(run["steps"]) == STEPS
    assert run["steps"]["divide"]["outputs"] == ["folds", "test", "train", "validation"]
    assert run["steps"]["train"]["outputs"] == ["model"]


def test_the_same_composition_finds_its_data_steps_in_the_cache_and_the_same_numbers(
    ridge: Any, again: CommandResult, zenml: AskZenml, session_home: Path
) -> None:
    run = read_run(session_home, again)
    assert run.info.run_id != ridge["run_id"]
    states = statuses(*zenml(run.data.tags["mlrunner.zenml.run"]))
    assert [states[step] for step in STEPS] == ["cached"] * 3 + ["completed"] * 4
    seconds = {"fit_seconds", "score_seconds"}
    assert {name: value for name, value in run.data.metrics.items() if name not in seconds} == ridge["metrics"]


def test_another_cleaning_reuses_the_table_only(dated: CommandResult, zenml: AskZenml, session_home: Path) -> None:
    states = statuses(*zenml(read_run(session_home, dated).data.tags["mlrunner.zenml.run"]))
    assert [states[step] for step in STEPS[:3]] == ["cached", "completed", "completed"]


def test_text_output_names_what_ran_and_where_to_look(again: CommandResult, session_home: Path) -> None:
    text_output = again.out
    for text in ("olist (synthetic), 1,000 rows x 33 columns, regression on review_score", "cached", "objective r2"):
        assert text in text_output
    assert "\x1b" not in text_output
    assert any(line.split()[:3] == ["deploy", "mlrunner", "deploy"] for line in text_output.splitlines())
    command = next(line.split() for line in text_output.splitlines() if line.strip().startswith("diff"))
    assert command[:3] == ["diff", "mlrunner", "diff"]
    result = front_door(session_home, *command[2:])
    assert result.code == 0, result.err
    assert "A becomes B" in result.out or "Nothing differs" in result.out
    assert session_home.joinpath("multirun").is_dir()


def test_verbose_lets_zenml_speak(dated: CommandResult) -> None:
    assert dated.code == 0
    assert "Initiating a new run for the pipeline" in dated.out + dated.err


def test_blueprint_runs_all_of_it_on_a_few_rows(mlrunner: Runner, zenml: AskZenml) -> None:
    result = mlrunner("blueprint=true", "model=xgboost", "output=json").json
    assert result["name"] == "blueprint,model=xgboost"
    assert result["fit_seconds"] < 1
    assert set(statuses(*zenml(result["pipeline_run"]))) == set(STEPS)
    assert abs(result["metrics"]["train/r2"]) < 1e-9  # the dummy says the mean


@pytest.mark.parametrize("name", sorted(path.stem for path in (PROJECT / "conf/experiment").glob("*.yaml")))
def test_every_experiment_runs(name: str, mlrunner: Runner) -> None:
    result = mlrunner(f"experiment={name}", FEW, *UNSAVED, "output=json")
    assert result.code == 0, result.err
    assert math.isfinite(result.json["objective"])


def test_folds_give_mean_and_deviation(recorded: Recorded) -> None:
    metrics = recorded.folds["metrics"]
    assert metrics["r2"] == metrics["cv/r2"]
    assert metrics["cv/r2_std"] > 0
    assert "validation/r2" not in metrics


CUSTOM = """
import pandas as pd
from mlrunner.core.build import dataclass
from mlrunner.groups.strategy import CleaningStrategy

@dataclass
class Mine(CleaningStrategy):
    @property
    def named_columns(self):
        return {}
    def transform_rows(self, table):
        return table[["a", "b"]] * FACTOR
"""
TABLE = "a,b,y\n" + "".join(f"{n % 7},{n % 5},{n % 7 * 2 + n % 3}\n" for n in range(200))


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory, zenml: AskZenml, session_home: Path) -> dict[str, dict[str, str]]:
    """The statuses of runs between which a strategy and then a file were edited, by what had happened before."""
    folder = tmp_path_factory.mktemp("edited")
    file, code = folder / "table.csv", folder / "my_strategy.py"
    dataset = ["dataset=csv", f"dataset.path={file}", "dataset.target=y", "dataset.task=regression"]
    cleaning = ["cleaning=none", "~cleaning.drop", "cleaning._target_=my_strategy.Mine"]
    fixed = [*dataset, *cleaning, "model=ridge", *UNSAVED, "output=json"]

    def run(factor: str, text: str = TABLE) -> str:
        code.write_text(CUSTOM.replace("FACTOR", factor))
        file.write_text(text)
        os.utime(file, ns=(10**18, 10**18))
        result = front_door(session_home, *fixed, PYTHONPATH=str(folder))
        assert result.code == 0, result.err
        return str(result.json["pipeline_run"])

    runs = {
        "nothing": run("1.0"),
        "strategy edited": run("2.0"),
        "strategy as it was": run("1.0"),
        "file edited": run("1.0", TABLE.replace("6,4,", "6,9,")),
    }
    return dict(zip(runs, map(statuses, zenml(*runs.values())), strict=True))


def test_an_edited_strategy_is_a_miss_and_the_same_one_is_a_hit(edited: dict[str, dict[str, str]]) -> None:
    assert edited["nothing"]["clean"] == "completed"
    assert edited["strategy edited"]["clean"] == "completed"
    assert edited["strategy as it was"]["clean"] == "cached"


def test_an_edited_file_of_the_same_name_size_and_time_is_a_miss(edited: dict[str, dict[str, str]]) -> None:
    assert edited["nothing"]["ingest"] == "completed"
    assert edited["strategy edited"]["ingest"] == "cached"
    assert edited["strategy as it was"]["ingest"] == "cached"
    assert edited["file edited"]["ingest"] == "completed"
