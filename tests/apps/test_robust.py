"""Whole runs under failures, signals and concurrent processes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from tests.support.front_door import PROJECT, UNSAVED, Runner, environment, front_door, run_cold, start_command
from tests.support.stores import open_store

pytestmark = pytest.mark.slow


def named(client: MlflowClient, name: str) -> list[Any]:
    """The runs of that name, in whatever experiment."""
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    return list(client.search_runs(experiments, f"attributes.run_name = '{name}'"))


def start(home: Path, *arguments: str, **more: str) -> subprocess.Popen[str]:
    """Type a command as a person does, and do not wait for it."""
    command = [sys.executable, "-m", "mlrunner", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment(home, **more), cwd=PROJECT, stdout=pipe, stderr=pipe, text=True)


def test_an_interruption_closes_the_run_and_leaves_the_stores_usable(session_home: Path) -> None:
    client, name = open_store(session_home), "interrupted"
    forest = ("dataset=diabetes", "model=rf", "model.estimator.n_estimators=200000")
    with start_command(session_home, *forest, f"tracking.name={name}") as process:
        deadline = time.monotonic() + 90
        while not named(client, name) and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert err == "mlrunner: interrupted.\n"
    assert named(client, name)[0].info.status == "KILLED"
    assert front_door(session_home, "dataset=wine", "model=dummy", "tracking.plots=false", "output=json").code == 0


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's own folder, empty before the first runs."""
    return tmp_path_factory.mktemp("user")


@pytest.fixture(scope="module")
def first_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which nothing has run."""
    return tmp_path_factory.mktemp("first")


@pytest.fixture(scope="module")
def first_runs(first_home: Path, user: Path) -> list[Any]:
    """The outcomes of two runs that began at once in a home without stores."""
    overrides = ["dataset=wine", "model=ridge", "output=json", *UNSAVED]
    theirs = {"HOME": str(user), "XDG_CONFIG_HOME": str(user)}
    with start(first_home, *overrides, **theirs) as first, start(first_home, *overrides, **theirs) as second:
        outputs = [process.communicate(timeout=240) for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], outputs
    return [json.loads(out) for out, _ in outputs]


def test_two_first_runs_at_once_make_one_pair_of_stores(first_runs: list[Any], first_home: Path) -> None:
    client = open_store(first_home)
    assert [outcome["status"] for outcome in first_runs] == ["FINISHED", "FINISHED"]
    assert len({outcome["folder"] for outcome in first_runs}) == 2
    assert {client.get_run(outcome["run_id"]).info.status for outcome in first_runs} == {"FINISHED"}
    default = client.get_experiment_by_name("Default")
    assert default is not None
    assert str(default.artifact_location).startswith(f"file://{first_home}/.mlrunner/artifacts/")


def test_the_zenml_of_the_user_stays_unchanged(first_runs: list[Any], first_home: Path, user: Path) -> None:
    del first_runs
    assert [str(path) for path in user.rglob("*zenml*")] == []
    assert (first_home / ".mlrunner" / "zenml" / "config.yaml").exists()


def test_a_variable_of_the_user_has_priority(tmp_path: Path) -> None:
    theirs = f"sqlite:///{tmp_path}/theirs.db"
    overrides = ["dataset=wine", "model=dummy", "tracking.plots=false", "output=json"]
    result = front_door(tmp_path, *overrides, MLFLOW_TRACKING_URI=theirs)
    assert result.code == 0, result.err
    assert MlflowClient(theirs).get_run(result.json["run_id"]).info.status == "FINISHED"
    assert not (tmp_path / ".mlrunner" / "mlflow.db").exists()


def test_stack_describe_prints_the_text_of_zenml(mlrunner: Runner) -> None:
    description = mlrunner("stack", "describe").out
    for name in ("local_stack", "mlflow_tracker", "mlflow_deployer", "mlflow_registry"):
        assert name in description


def test_a_failing_estimator_is_one_sentence_and_a_failed_run(mlrunner: Runner, session_home: Path) -> None:
    gaps = ("model.features.impute=null", "model.features.indicate_missing=false")
    result = mlrunner("model=ridge", "dataset.rows=500", *gaps, "tracking.name=gaps", *UNSAVED)
    assert result.code == 1
    assert "Traceback" not in result.err
    assert "contains NaN" in result.err
    assert named(open_store(session_home), "gaps")[0].info.status == "FAILED"


def test_a_model_that_predicts_nan_is_a_failed_run_and_is_not_deployed(mlrunner: Runner, session_home: Path) -> None:
    nan = ["model=custom", "model.estimator._target_=tests.support.trials.Scripted", "+model.estimator.says=nan"]
    result = mlrunner(*nan, "dataset.rows=300", "deployer=registry", "deployer.name=unfit", "tracking.name=unfit")
    assert result.code == 1
    assert "The model predicts NaN in 300 of 300 rows (192 of train, 48 of validation, 60 of test)" in result.err
    assert "deploy " not in result.out
    store = open_store(session_home)
    assert named(store, "unfit")[0].info.status == "FAILED"
    assert not store.search_model_versions("name = 'unfit'")


OPTION = """
from mlrunner.core.build import dataclass
from mlrunner.groups.strategy import CleaningStrategy


@dataclass
class PricePerKilo(CleaningStrategy):
    def transform_rows(self, table):
        return (table["price"] / table["product_weight_g"]).to_frame("price_per_g")
"""


def test_an_option_of_the_user_runs_and_its_model_loads(tmp_path: Path, session_home: Path) -> None:
    (tmp_path / "my_module.py").write_text(OPTION)
    (tmp_path / "cleaning").mkdir()
    (tmp_path / "cleaning" / "per_kilo.yaml").write_text("_target_: my_module.PricePerKilo\n")
    (tmp_path / "py.py").write_text("raise SystemExit('skops imports pytest, and that this')")
    quick = ("model=rf", "model.estimator.n_estimators=10", "tracking.plots=false")
    result = run_cold(session_home, "-cd", ".", "cleaning=per_kilo", *quick, "output=json", cwd=tmp_path)
    assert result.code == 0, result.err
    (tmp_path / "py.py").unlink()
    client = open_store(session_home)
    assert client.get_logged_model(result.json["model_uri"].removeprefix("models:/")).status == "READY"
    model = f"sqlite:///{session_home}/.mlrunner/mlflow.db"
    program = (
        f"import mlflow; mlflow.set_tracking_uri({model!r}); mlflow.sklearn.load_model({result.json['model_uri']!r})"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, timeout=120)


def test_a_reader_that_leaves_does_not_stop_the_run(session_home: Path) -> None:
    with start(session_home, "dataset=wine", "model=ridge", *UNSAVED, "tracking.name=unread") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        process.stdout = None
        _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert named(open_store(session_home), "unread")[0].info.status == "FINISHED"
