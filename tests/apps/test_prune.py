"""Runs, a grid, a search and deployments that a prune looks at, keeps, and removes for good."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException

from mlrunner.groups.deployer.state import Ledger
from mlrunner.history.pruning.unused_artifacts import leftovers
from tests.support.front_door import PROJECT, UNSAVED, Ran, environment, exported, front_door

pytestmark = pytest.mark.slow
MODEL = "wine"
REGISTERED = ("--multirun", "dataset=wine", "model=dummy", "seed=1,2,3", "tracking.plots=false")
BROKEN = (
    *("--multirun", "model=dummy,ridge", "model.features.impute=null", "model.features.indicate_missing=false"),
    *UNSAVED,
)
LOOK = """
import json
from zenml.client import Client
from zenml.utils.pagination_utils import depaginate
client = Client()
runs = [run.name for run in depaginate(client.list_pipeline_runs)]
unused = [one.uri for one in depaginate(client.list_artifact_versions, only_unused=True)]
print(json.dumps({"runs": runs, "unused": unused}))
"""
CRASH = """
import os, sys
from mlrunner.history.pruning.zenml_runs import Pipelines
Pipelines.unused = lambda *_: os._exit(9)
sys.argv = ["mlrunner", *sys.argv[1:]]
from mlrunner.__main__ import main
sys.exit(main())
"""


@dataclass(frozen=True)
class Home:
    """A home in which something of everything has run.

    Args:
        path: Of it.
        versions: The runs of a grid that were registered one after the other as versions 1, 2 and 3 of one model.
        deployed: That grid.
        broken: A grid with a run that failed.
        search: A search with a winner.
    """

    path: Path
    versions: list[dict[str, Any]]
    deployed: str
    broken: str
    search: str

    def type(self, *arguments: str) -> Ran:
        return front_door(self.path, *arguments)

    @property
    def uri(self) -> str:
        return f"sqlite:///{self.path}/.mlrunner/mlflow.db"

    @property
    def client(self) -> MlflowClient:
        return MlflowClient(self.uri)

    @contextmanager
    def tracking(self) -> Iterator[None]:
        """Have MLflow's functions that are of no client use this store."""
        before = mlflow.get_tracking_uri()
        mlflow.set_tracking_uri(self.uri)
        try:
            yield
        finally:
            mlflow.set_tracking_uri(before)

    def runs(self) -> dict[str, Any]:
        """Every run that MLflow knows, those that are marked as deleted as well."""
        experiments = [one.experiment_id for one in self.client.search_experiments(view_type=ViewType.ALL)]
        found = self.client.search_runs(experiments, run_view_type=ViewType.ALL)
        return {run.info.run_id: run for run in found}

    def zenml(self) -> Any:
        told = environment(self.path, **exported(self.path))
        done = subprocess.run([sys.executable, "-c", LOOK], env=told, cwd=PROJECT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def size(self) -> int:
        """What all files hold, but for the databases, which keep their size."""
        files = (file for file in self.path.rglob("*") if file.is_file() and ".db" not in file.name)
        return sum(file.stat().st_size for file in files)

    def files(self) -> dict[str, str]:
        """The content of every file; what SQLite keeps while somebody reads is none."""
        return {
            str(file.relative_to(self.path)): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in sorted(self.path.rglob("*"))
            if file.is_file() and not file.name.endswith(("-wal", "-shm"))
        }


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    path = tmp_path_factory.mktemp("prune")

    def told(*arguments: str, code: int = 0) -> Any:
        done = front_door(path, *arguments, "output=json")
        assert done.code == code, done.err
        return done.json

    versions = sorted(told(*REGISTERED), key=lambda one: one["job"])
    broken = told(*BROKEN, code=1)
    search = told(
        *("--multirun", "sweep=optuna", "dataset=wine", "model=logistic_regression"),
        *("hydra.sweeper.n_trials=2", "tracking.plots=false"),
    )
    folders = Path(versions[0]["folder"]).parent, Path(broken[0]["folder"]).parent, Path(search["folder"])
    made = Home(path, versions, *("/".join(folder.parts[-2:]) for folder in folders))
    register(made)
    return made


def register(home: Home) -> None:
    """Do what `deployer=registry` does, without its three processes."""
    ledger = Ledger(home.path / ".mlrunner" / "deployments" / MODEL)
    with home.tracking():
        home.client.create_registered_model(MODEL)
        for one in home.versions:
            found = home.client.create_model_version(MODEL, one["model_uri"], one["run_id"])
            home.client.set_registered_model_alias(MODEL, "champion", found.version)
            ledger.note("registered", version=int(found.version), run_id=one["run_id"])


def test_without_yes_no_byte_changes(home: Home) -> None:
    before, runs = home.files(), home.runs()
    done = home.type("prune", "--older", "0h", "--cache")
    assert (done.code, done.err) == (0, "")
    assert home.files() == before
    last = done.out.splitlines()[-1]
    assert "would go; 3 stay" in last
    assert "is champion of wine v3" in last
    assert "was deployed lately as wine v2" in last
    assert last.endswith("do it with --yes.")
    document = home.type("prune", "--older", "0h", "--json").json
    assert document["dry_run"] is True
    kept = {one["run_id"] for one in home.versions[1:]} | {parent_of(home)}
    assert {one["run_id"] for one in document["runs"]} == set(runs) - kept
    assert {one["run_id"] for one in document["stay"]} == kept
    assert document["bytes"] > 500_000  # the models


def parent_of(home: Home) -> str:
    """The run of the grid whose runs are registered."""
    (found,) = (
        run_id
        for run_id, run in home.runs().items()
        if run.data.tags["mlrunner.sweep_id"] == home.deployed and "mlrunner.trial_number" not in run.data.tags
    )
    return found


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param([], "needs to be told which runs", id="nothing"),
        pytest.param(["--yes"], "needs to be told which runs", id="nothing but yes"),
        pytest.param(["--where", " "], "--where is empty", id="empty filter"),
        pytest.param(["--where", "metrics.r2 >"], "--where cannot be read", id="no filter"),
        pytest.param(["--older", "soon"], "--older=soon is no age", id="no age"),
        pytest.param(["--status", "lost"], "'lost' is no status", id="no status"),
        pytest.param(["brokn", "--yes"], "'brokn' is no run", id="no run"),
    ],
)
def test_a_mistake_is_one_sentence(home: Home, arguments: list[str], sentence: str) -> None:
    done = home.type("prune", *arguments)
    assert done.code == 2
    assert sentence in done.err
    assert "Traceback" not in done.err


def test_what_goes_is_gone_for_good_and_what_is_deployed_stays(home: Home) -> None:
    before, parent, size = home.runs(), parent_of(home), home.size()
    first, second, third = (one["run_id"] for one in home.versions)
    done = home.type("prune", first[:8], second, third[:10], home.deployed, home.broken, home.search, "--yes", "--json")
    assert done.code == 0, done.err
    told = done.json
    gone = {one["run_id"] for one in told["runs"]}
    assert gone == set(before) - {parent, second, third}
    assert len(gone) == 1 + 3 + 4  # the first version; a grid of two; two trials, their winner and their parent
    assert (told["sweeps"], told["problems"], told["for_good"]) == (2, [], True)
    assert abs(told["bytes"] - (size - home.size())) < 10_000
    assert {one["run_id"]: one["reason"] for one in told["stay"]} == {
        second: "was deployed lately as wine v2",
        third: "is champion of wine v3",
        parent: "has 2 runs that stay",
    }
    assert set(home.runs()) == {parent, second, third}
    nothing_is_left(home, gone, parent)
    assert {int(one.version) for one in home.client.search_model_versions(f"name = '{MODEL}'")} == {2, 3}
    with pytest.raises(MlflowException):
        home.client.get_run(first)


def nothing_is_left(home: Home, gone: set[str], parent: str) -> None:
    """Look at the disk, at MLflow's tables and at ZenML."""
    own = home.path / ".mlrunner"
    kept = {one["run_id"] for one in home.versions[1:]}
    models = {one["model_uri"].rpartition("/")[2] for one in home.versions[1:]}
    assert {file.name for file in (own / "artifacts").iterdir()} == {*kept, parent, "models"}
    assert {file.name for file in (own / "artifacts" / "models").iterdir()} == models
    folders = {str(file.parent) for file in (home.path / "multirun").rglob(".hydra")}
    assert folders == {one["folder"] for one in home.versions[1:]}
    assert [f"{one.parent.name}/{one.name}" for one in (home.path / "multirun").glob("*/*")] == [home.deployed]
    assert list((own / "studies").iterdir()) == []
    with sqlite3.connect(own / "mlflow.db") as connection:
        for table, column in (("params", "run_uuid"), ("metrics", "run_uuid"), ("inputs", "destination_id")):
            left = {run for (run,) in connection.execute(f"SELECT {column} FROM {table}")}
            assert not left & gone, table
        assert {model for (model,) in connection.execute("SELECT model_id FROM logged_models")} == models
    connection.close()
    zenml = home.zenml()
    assert sorted(name.rpartition("-")[2] for name in zenml["runs"]) == sorted(run[:12] for run in kept)
    assert zenml["unused"] == []


def test_the_rest_still_works_and_a_removal_that_broke_off_is_finished(home: Home) -> None:
    with home.tracking():
        assert hasattr(mlflow.sklearn.load_model(home.versions[1]["model_uri"]), "predict")
    ran = home.type("dataset=wine", "model=dummy", *UNSAVED, "output=json")
    assert ran.code == 0, ran.err
    run_id = ran.json["run_id"]
    program = [sys.executable, "-c", CRASH, "prune", run_id, "--yes"]
    done = subprocess.run(program, env=environment(home.path), cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 9, done.stderr
    assert run_id in home.runs()
    assert (home.path / ".mlrunner" / "prune.json").exists()
    assert "half removed" in home.type("prune", "--status", "killed").out

    done = home.type("prune", "--status", "killed", "--yes")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Removed 1 run, ")
    assert run_id not in home.runs()
    assert not (home.path / ".mlrunner" / "prune.json").exists()
    assert leftovers(home.path) == []
    deployed = home.type("deploy", home.versions[1]["run_id"], "deployer=registry", f"deployer.name={MODEL}", "--json")
    assert deployed.code == 0, deployed.err
    assert deployed.json["version"] == 2
