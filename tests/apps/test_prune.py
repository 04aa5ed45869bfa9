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
from tests.support.front_door import PROJECT, UNSAVED, CommandResult, environment, export_variables, front_door

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
from mlrunner.history.pruning.{module} import {owner}
{owner}.{method} = lambda *_, **__: os._exit(9)
sys.argv = ["mlrunner", *sys.argv[1:]]
from mlrunner.__main__ import main
sys.exit(main())
"""
UNUSED = """
import json, sys
from pathlib import Path
from zenml.client import Client
from mlrunner.history.pruning.zenml_runs import ZenmlRuns
client = Client()
(run,) = client.list_pipeline_runs(name=f"endswith:-{sys.argv[1][:12]}").items
client.delete_pipeline_run(run.id)
zenml = ZenmlRuns(Path("/nonexistent/prune.json"))
young = zenml.delete_unused()
old = zenml.delete_unused(age=-60)
left = client.list_artifact_versions(only_unused=True).total
print(json.dumps({"young": len(young), "sizes": [one.bytes for one in old], "left": left,
    "there": [str(one.path) for one in old if one.path.exists()]}))
"""


BROKEN_OFF = """
import json, sys
from pathlib import Path
from mlrunner.history.pruning.criteria import Criteria
from mlrunner.history.pruning.plan import make_plan
from mlrunner.history.pruning.removal import Remover
from mlrunner.composition.stores import open_store

home, names = Path(sys.argv[1]), sys.argv[2:]
items = {item.record.run_id: item for item in make_plan(open_store(home), home, Criteria(named=frozenset(names))).items}
answers = iter([{names[0]: "serves as x v1"}, {}, {}])

def protected():
    try:
        return next(answers)
    except StopIteration:
        raise KeyboardInterrupt

remover = Remover(home, protected)
try:
    remover.remove([items[name] for name in names])
except KeyboardInterrupt:
    print(json.dumps([remover.removed.problems, len(remover.removed.items)]))
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
        trashed: A run that the user deleted in MLflow, with its experiment, and may restore.
    """

    path: Path
    versions: list[dict[str, Any]]
    deployed: str
    broken: str
    search: str
    trashed: str

    def type(self, *arguments: str) -> CommandResult:
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
        return self.python(LOOK)

    def python(self, program: str, *arguments: str) -> Any:
        """Run a program on the stores of this home, and read the JSON that it prints."""
        done = self.process(program, *arguments, **export_variables(self.path))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def process(self, program: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        file = self.path.parent / "program.py"  # ZenML wants to know the folder of the main module
        file.write_text(program)
        told = environment(self.path, PYTHONPATH=str(PROJECT), **variables)
        command = [sys.executable, str(file), *arguments]
        return subprocess.run(command, env=told, cwd=PROJECT, capture_output=True, text=True)

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
    client = MlflowClient(f"sqlite:///{path}/.mlrunner/mlflow.db")
    trash = client.create_experiment("trash", (path / ".mlrunner" / "trash").as_uri())
    run_id = client.create_run(trash).info.run_id
    client.delete_run(run_id)
    client.delete_experiment(trash)
    made = Home(path, versions, *("/".join(folder.parts[-2:]) for folder in folders), run_id)
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
    assert "would be removed; 3 stay" in last
    assert "is champion of wine v3" in last
    assert "was recently deployed as wine v2" in last
    assert last.endswith("remove with --yes.")
    document = home.type("prune", "--older", "0h", "--json").json
    assert document["dry_run"] is True
    kept = {one["run_id"] for one in home.versions[1:]} | {parent_of(home)}
    assert {one["run_id"] for one in document["runs"]} == set(runs) - kept - {home.trashed}
    assert {one["run_id"] for one in document["stay"]} == kept
    assert document["bytes"] > 500_000  # the models


def parent_of(home: Home) -> str:
    """The run of the grid whose runs are registered."""
    (found,) = (
        run_id
        for run_id, run in home.runs().items()
        if run.data.tags.get("mlrunner.sweep_id") == home.deployed and "mlrunner.trial_number" not in run.data.tags
    )
    return found


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param([], "needs a condition", id="nothing"),
        pytest.param(["--yes"], "needs a condition", id="nothing but yes"),
        pytest.param(["--where", " "], "--where is empty", id="empty filter"),
        pytest.param(["--where", "metrics.r2 >"], "--where cannot be read", id="no filter"),
        pytest.param(["--older", "soon"], "--older=soon", id="no age"),
        pytest.param(["--status", "lost"], "'lost' is not an MLflow status", id="no status"),
        pytest.param(["brokn", "--yes"], "No run matches 'brokn'", id="no run"),
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
    assert gone == set(before) - {parent, second, third, home.trashed}
    assert len(gone) == 1 + 3 + 4  # the first version; a grid of two; two trials, their winner and their parent
    assert (told["sweeps"], told["problems"], told["for_good"]) == (2, [], True)
    assert 500_000 < told["bytes"] <= size - home.size()
    assert {one["run_id"]: one["reason"] for one in told["stay"]} == {
        second: "was recently deployed as wine v2",
        third: "is champion of wine v3",
        parent: "has 2 runs that stay",
    }
    assert set(home.runs()) == {parent, second, third, home.trashed}
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
        for table in ("params", "metrics", "tags", "latest_metrics"):
            left = {run for (run,) in connection.execute(f"SELECT run_uuid FROM {table}")}
            assert not left & gone, table
        assert {model for (model,) in connection.execute("SELECT model_id FROM logged_models")} == models
        assert [name for (name,) in connection.execute("SELECT name FROM experiments WHERE name LIKE '%trash%'")]
        assert not [name for (name,) in connection.execute("SELECT name FROM experiments WHERE name LIKE '%prune%'")]
    connection.close()
    zenml = home.zenml()
    assert sorted(name.rpartition("-")[2] for name in zenml["runs"]) == sorted(run[:12] for run in kept)
    assert zenml["unused"] == []


def test_the_rest_still_works_and_a_removal_that_broke_off_is_finished(home: Home) -> None:
    with home.tracking():
        assert hasattr(mlflow.sklearn.load_model(home.versions[1]["model_uri"]), "predict")
    ran = home.type("--multirun", "dataset=wine", "model=dummy", "seed=1,2", *UNSAVED, "output=json")
    assert ran.code == 0, ran.err
    first, second = (run["run_id"] for run in ran.json)
    crash(home, "zenml_runs", "ZenmlRuns", "_delete_artifacts", first)
    assert home.runs()[first].info.lifecycle_stage == "deleted"
    crash(home, "mlflow_runs", "MlflowRuns", "delete", second)
    assert first not in home.runs()
    assert "partly removed" in home.type("prune", "--status", "killed").out
    crash(home, "mlflow_runs", "MlflowRuns", "_gc", "--status", "killed")
    assert home.runs()[second].info.lifecycle_stage == "deleted"

    done = home.type("prune", "--status", "killed", "--yes")
    assert (done.code, done.err) == (0, "")
    assert not {first, second} & set(home.runs())
    assert not (home.path / ".mlrunner" / "prune.json").exists()
    folders = [home.path / ".mlrunner" / "artifacts" / run_id for run_id in (first, second)]
    assert not [file for folder in folders for file in folder.rglob("*")]
    assert home.zenml()["unused"] == []
    deployed = home.type("deploy", home.versions[1]["run_id"], "deployer=registry", f"deployer.name={MODEL}", "--json")
    assert deployed.code == 0, deployed.err
    assert deployed.json["version"] == 2


def crash(home: Home, module: str, owner: str, method: str, *arguments: str) -> None:
    """Kill a prune where it calls a method."""
    program = CRASH.format(module=module, owner=owner, method=method)
    done = home.process(program, "prune", *arguments, "--yes")
    assert done.returncode == 9, done.stderr


def test_unused_step_artifacts_go_once_they_are_old(home: Home) -> None:
    """Delete a run in ZenML itself, and keep the young artifacts that it leaves."""
    found = home.python(UNUSED, home.versions[1]["run_id"])
    assert (found["young"], found["left"], found["there"]) == (0, 0, [])
    assert len(found["sizes"]) > 1
    assert all(found["sizes"])
    done = home.type("prune", "--cache", "--yes")
    assert (done.code, done.out, done.err) == (0, "Nothing was removed.\n", "")


def test_what_is_interrupted_is_said_and_goes_with_the_next(home: Home) -> None:
    """Deploy one run while a prune is at work, and interrupt it at the last."""
    parent = {"mlrunner.folder": str(home.path), "mlrunner.sweep_id": "day/mine"}
    tags = [{**parent, "mlrunner.trial_number": "0"}, parent, {"mlrunner.folder": ""}, {"mlrunner.folder": ""}]
    trial, sweep, gone, last = (home.client.create_run("0", tags=one, run_name="n").info.run_id for one in tags)
    for run_id in (trial, sweep, gone, last):
        home.client.set_terminated(run_id)
    problems, removed = home.python(BROKEN_OFF, str(home.path), trial, sweep, gone, last)
    again = "may be partly removed: it was interrupted; the next mlrunner prune removes it."
    assert problems == [
        f"n ({trial[:8]}) is not removed: it serves as x v1 now.",
        f"n ({sweep[:8]}) is not removed: one of its runs is not removed.",
        f"n ({gone[:8]}) {again}",
        f"n ({last[:8]}) {again}",
    ]
    assert removed == 0
    assert home.client.get_run(gone).info.lifecycle_stage == "deleted"
    done = home.type("prune", last, "--yes")
    assert (done.code, done.err) == (0, "")
    assert {trial, sweep} < set(home.runs())
    assert not {gone, last} & set(home.runs())


def test_run_that_cannot_be_removed_is_reported_and_others_are_removed(tmp_path: Path) -> None:
    """Prune a store of other homes, where MLflow cannot reach the files of one run."""
    (tmp_path / "home").mkdir()
    uri = f"sqlite:///{tmp_path}/other.db"
    client = MlflowClient(uri)
    homes = {"far": "nowhere://far", "near": (tmp_path / "artifacts").as_uri()}
    far, near = (
        client.create_run(client.create_experiment(*names), run_name=names[0]).info.run_id for names in homes.items()
    )
    for run_id in (far, near):
        client.set_terminated(run_id)
    marked = f"{far[:8]}) is only marked as deleted in MLflow: Could not find a registered artifact"
    failed = front_door(tmp_path / "home", "prune", far, "--yes", MLFLOW_TRACKING_URI=uri)
    assert (failed.code, failed.out) == (1, "Nothing was removed.\n")
    assert failed.err.startswith(f"mlrunner: far ({marked}")
    assert client.get_run(far).info.lifecycle_stage == "deleted"
    removed = front_door(tmp_path / "home", "prune", near, "--yes", MLFLOW_TRACKING_URI=uri)
    assert (removed.code, removed.out) == (1, "Removed 1 run, 0 kB.\n")
    assert removed.err.startswith(f"mlrunner: {marked.replace(')', '', 1)}")
    with pytest.raises(MlflowException):
        client.get_run(near)
