"""Prune a grid, a search and deployments of a real home."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException

from mlrunner.groups.deployer.state import DeploymentStore
from tests.support.front_door import UNSAVED, CommandResult, export_variables, front_door, run_program

pytestmark = pytest.mark.slow
MODEL = "wine"
REGISTERED = ("--multirun", "dataset=wine", "model=dummy", "seed=1,2,3", "tracking.plots=false")
BROKEN = (
    *("--multirun", "model=dummy,ridge", "model.features.impute=null", "model.features.indicate_missing=false"),
    "dataset.rows=500",
    *UNSAVED,
)
LOOK = """
import json
from zenml.client import Client
from zenml.utils.pagination_utils import depaginate
client = Client()
runs = [run.name for run in depaginate(client.list_pipeline_runs)]
unused = [version.uri for version in depaginate(client.list_artifact_versions, only_unused=True)]
print(json.dumps({"runs": runs, "unused": unused}))
"""
CRASH = """
import os, sys
from mlrunner.history.pruning.removal import Remover
Remover.{method} = lambda *_, **__: os._exit(9)
sys.argv = ["mlrunner", *sys.argv[1:]]
from mlrunner.__main__ import main
sys.exit(main())
"""
UNUSED = """
import json, sys
from pathlib import Path
from typing import Annotated
from zenml import Model, link_artifact_to_model, load_artifact, pipeline, save_artifact, step
from zenml.client import Client
from mlrunner.history.pruning.removal import Remover
client = Client()
@step(enable_cache=False)
def evaluate() -> Annotated[dict, "theirs"]:
    return {"a": 2}
@pipeline
def training():
    evaluate()
client.delete_pipeline_run(training().id)
(run,) = client.list_pipeline_runs(name=f"endswith:-{sys.argv[2][:12]}").items
client.delete_pipeline_run(run.id)
save_artifact({"a": 1}, "mine")
linked = client.list_artifact_versions(only_unused=True, name="metrics").items[0]
link_artifact_to_model(linked, Model(name="kept"))
young, old = Remover(Path(sys.argv[1]), dict), Remover(Path(sys.argv[1]), dict)
young.empty_cache()
old.empty_cache(least_age=-60)
remaining = {version.name for version in client.list_artifact_versions(only_unused=True).items}
assert load_artifact("mine") == {"a": 1} and linked.load()
for version in client.list_artifact_versions(only_unused=True).items:
    client.delete_artifact_version(version.id)
print(json.dumps({"young": len(young.cache), "sizes": list(old.cache.values()), "remaining": sorted(remaining),
    "there": [str(path) for path in old.cache if path.exists()]}))
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
    print(json.dumps([remover.problems, len(remover.items)]))
"""


@dataclass(frozen=True)
class Home:
    """A home with runs of every kind.

    Args:
        path: Folder.
        versions: Outcomes of a grid, registered as versions 1, 2 and 3 of one model.
        deployed: Name of that grid.
        broken: Name of a grid with a failed run.
        search: Name of a search with a winner.
        trashed: Id of a run that the user deleted in MLflow, with its experiment, and may restore.
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
        """Use this store in MLflow's global functions."""
        before = mlflow.get_tracking_uri()
        mlflow.set_tracking_uri(self.uri)
        try:
            yield
        finally:
            mlflow.set_tracking_uri(before)

    def runs(self) -> dict[str, Any]:
        """Return all runs of MLflow by id, also deleted ones."""
        experiments = [
            experiment.experiment_id for experiment in self.client.search_experiments(view_type=ViewType.ALL)
        ]
        runs = self.client.search_runs(experiments, run_view_type=ViewType.ALL)
        return {run.info.run_id: run for run in runs}

    def zenml(self) -> Any:
        return self.python(LOOK)

    def python(self, program: str, *arguments: str) -> Any:
        """Run a program on the stores of this home, and read the JSON that it prints."""
        ran = run_program(self.path, program, *arguments, **export_variables(self.path))
        assert ran.code == 0, ran.err
        return json.loads(ran.out.splitlines()[-1])

    def size(self) -> int:
        """Add up the sizes of all files except databases, which do not shrink."""
        files = (file for file in self.path.rglob("*") if file.is_file() and ".db" not in file.name)
        return sum(file.stat().st_size for file in files)

    def files(self) -> dict[str, str]:
        """Return a digest of every file, except SQLite's temporary files."""
        return {
            str(file.relative_to(self.path)): hashlib.sha256(read_content(file)).hexdigest()
            for file in sorted(self.path.rglob("*"))
            if file.is_file() and not file.name.endswith(("-wal", "-shm"))
        }


def read_content(file: Path) -> bytes:
    """Read a file; a database as SQL.

    A process that opens and closes the file of a database loses the locks of its other connections (POSIX), so that the
    next process to close it removes the log that they read: they would go on reading what is gone.
    """
    if file.suffix != ".db":
        return file.read_bytes()
    with closing(sqlite3.connect(file)) as database:
        return "\n".join(database.iterdump()).encode()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    path = tmp_path_factory.mktemp("prune")

    def run_json(*arguments: str, code: int = 0) -> Any:
        ran = front_door(path, *arguments, "output=json")
        assert ran.code == code, ran.err
        return ran.json

    versions = sorted(run_json(*REGISTERED), key=lambda outcome: outcome["job"])
    broken = run_json(*BROKEN, code=1)
    search = run_json(
        *("--multirun", "sweep=optuna", "dataset=wine", "model=logistic_regression"),
        *("hydra.sweeper.n_trials=2", "tracking.plots=false"),
    )
    folders = Path(versions[0]["folder"]).parent, Path(broken[0]["folder"]).parent, Path(search["folder"])
    client = MlflowClient(f"sqlite:///{path}/.mlrunner/mlflow.db")
    trash = client.create_experiment("trash", (path / ".mlrunner" / "trash").as_uri())
    run_id = client.create_run(trash).info.run_id
    client.delete_run(run_id)
    client.delete_experiment(trash)
    created = Home(path, versions, *("/".join(folder.parts[-2:]) for folder in folders), run_id)
    register(created)
    return created


def register(home: Home) -> None:
    """Register the versions as `deployer=registry` does, without its three processes."""
    deployment_store = DeploymentStore(home.path / ".mlrunner" / "deployments" / MODEL)
    with home.tracking():
        home.client.create_registered_model(MODEL)
        for outcome in home.versions:
            version = home.client.create_model_version(MODEL, outcome["model_uri"], outcome["run_id"])
            home.client.set_registered_model_alias(MODEL, "champion", version.version)
            deployment_store.log_event("registered", version=int(version.version), run_id=outcome["run_id"])


def test_plan_changes_no_byte(home: Home) -> None:
    before, runs = home.files(), home.runs()
    printed = home.type("prune", "--older", "0h", "--cache")
    assert (printed.code, printed.err) == (0, "")
    assert home.files() == before
    last = printed.out.splitlines()[-1]
    assert "would be removed; 3 stay" in last
    assert "is champion of wine v3" in last
    assert "was recently deployed as wine v2" in last
    assert last.endswith("remove with --yes.")
    document = home.type("prune", "--older", "0h", "--json").json
    assert document["dry_run"] is True
    expected = {run["run_id"] for run in home.versions[1:]} | {parent_of(home)}
    assert {run["run_id"] for run in document["runs"]} == set(runs) - expected - {home.trashed}
    assert {run["run_id"] for run in document["stay"]} == expected
    assert document["bytes"] > 500_000  # the models


def parent_of(home: Home) -> str:
    """Return the id of the parent of the registered runs."""
    (run_id,) = (
        run_id
        for run_id, run in home.runs().items()
        if run.data.tags.get("mlrunner.sweep_id") == home.deployed and "mlrunner.trial_number" not in run.data.tags
    )
    return run_id


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(["--yes"], "needs a condition", id="nothing but yes"),
        pytest.param(["brokn", "--yes"], "No run matches 'brokn'", id="no run"),
    ],
)
def test_mistakes_are_one_sentence(home: Home, arguments: list[str], sentence: str) -> None:
    printed = home.type("prune", *arguments)
    assert printed.code == 2
    assert sentence in printed.err
    assert "Traceback" not in printed.err


def test_runs_are_removed_for_good_but_not_deployed_ones(home: Home) -> None:
    before, parent, size = home.runs(), parent_of(home), home.size()
    first, second, third = (entry["run_id"] for entry in home.versions)
    ran = home.type("prune", first[:8], second, third[:10], home.deployed, home.broken, home.search, "--yes", "--json")
    assert ran.code == 0, ran.err
    document = ran.json
    removed = {entry["run_id"] for entry in document["runs"]}
    assert removed == set(before) - {parent, second, third, home.trashed}
    assert len(removed) == 1 + 3 + 4  # the first version; a grid of two; two trials, their winner and their parent
    assert (document["sweeps"], document["problems"], document["for_good"]) == (2, [], True)
    assert 500_000 < document["bytes"] <= size - home.size()
    assert {entry["run_id"]: entry["reason"] for entry in document["stay"]} == {
        second: "was recently deployed as wine v2",
        third: "is champion of wine v3",
        parent: "has 2 runs that stay",
    }
    assert set(home.runs()) == {parent, second, third, home.trashed}
    check_nothing_is_left(home, removed, parent)
    assert {int(entry.version) for entry in home.client.search_model_versions(f"name = '{MODEL}'")} == {2, 3}
    with pytest.raises(MlflowException):
        home.client.get_run(first)


def check_nothing_is_left(home: Home, removed: set[str], parent: str) -> None:
    """Check the disk, MLflow's tables and ZenML."""
    own = home.path / ".mlrunner"
    versions = {entry["run_id"] for entry in home.versions[1:]}
    models = {entry["model_uri"].rpartition("/")[2] for entry in home.versions[1:]}
    assert {file.name for file in (own / "artifacts").iterdir()} == {*versions, parent, "models"}
    assert {file.name for file in (own / "artifacts" / "models").iterdir()} == models
    folders = {str(file.parent) for file in (home.path / "multirun").rglob(".hydra")}
    assert folders == {entry["folder"] for entry in home.versions[1:]}
    assert [f"{entry.parent.name}/{entry.name}" for entry in (home.path / "multirun").glob("*/*")] == [home.deployed]
    assert list((own / "studies").iterdir()) == []
    with sqlite3.connect(own / "mlflow.db") as connection:
        for table in ("params", "metrics", "tags", "latest_metrics"):
            run_ids = {run for (run,) in connection.execute(f"SELECT run_uuid FROM {table}")}
            assert not run_ids & removed, table
        assert {model for (model,) in connection.execute("SELECT model_id FROM logged_models")} == models
        assert [name for (name,) in connection.execute("SELECT name FROM experiments WHERE name LIKE '%trash%'")]
        assert not [name for (name,) in connection.execute("SELECT name FROM experiments WHERE name LIKE '%prune%'")]
    connection.close()
    zenml = home.zenml()
    assert sorted(name.rpartition("-")[2] for name in zenml["runs"]) == sorted(run[:12] for run in versions)
    assert zenml["unused"] == []


def test_killed_removal_is_completed(home: Home) -> None:
    with home.tracking():
        assert hasattr(mlflow.sklearn.load_model(home.versions[1]["model_uri"]), "predict")
    ran = home.type("--multirun", "dataset=wine", "model=dummy", "seed=1,2", *UNSAVED, "output=json")
    assert ran.code == 0, ran.err
    first, second = (run["run_id"] for run in ran.json)
    crash(home, "_delete_artifact", first)
    assert home.runs()[first].data.tags["mlrunner.pruning"] == "begun"
    assert "partly removed" in home.type("prune", "--status", "killed").out
    crash(home, "collect", "--status", "killed")
    assert home.runs()[first].info.lifecycle_stage == "deleted"

    removed = home.type("prune", second, "--yes")
    assert (removed.code, removed.err) == (0, "")
    assert not {first, second} & set(home.runs())
    folders = [home.path / ".mlrunner" / "artifacts" / run_id for run_id in (first, second)]
    assert not [file for folder in folders for file in folder.rglob("*")]
    assert home.zenml()["unused"] != []  # prune --cache removes them when they are a day old
    deployed = home.type("deploy", home.versions[1]["run_id"], "deployer=registry", f"deployer.name={MODEL}", "--json")
    assert deployed.code == 0, deployed.err
    assert deployed.json["version"] == 2


def crash(home: Home, method: str, *arguments: str) -> None:
    """Kill a prune where it calls a method."""
    crashed = run_program(home.path, CRASH.format(method=method), "prune", *arguments, "--yes")
    assert crashed.code == 9, crashed.err


def test_old_unused_step_artifacts_are_removed(home: Home) -> None:
    """Delete a run in ZenML itself; its artifacts stay while they are young or linked, those of others always."""
    deleted = home.python(UNUSED, str(home.path), home.versions[1]["run_id"])
    assert (deleted["young"], deleted["remaining"], deleted["there"]) == (0, ["metrics", "mine", "theirs"], [])
    assert len(deleted["sizes"]) > 1
    assert sum(deleted["sizes"]) > 10_000  # bytes; an unsaved model takes none
    printed = home.type("prune", "--cache", "--yes")
    assert (printed.code, printed.out, printed.err) == (0, "Nothing was removed.\n", "")


def test_interrupted_removal_is_reported_and_completed(home: Home) -> None:
    """Deploy a run during a prune, and interrupt the prune at its last run."""
    parent = {"mlrunner.folder": str(home.path), "mlrunner.sweep_id": "day/mine"}
    tags = [{**parent, "mlrunner.trial_number": "0"}, parent, {"mlrunner.folder": ""}, {"mlrunner.folder": ""}]
    trial, sweep, free, last = (
        home.client.create_run("0", tags=run_tags, run_name="n").info.run_id for run_tags in tags
    )
    for run_id in (trial, sweep, free, last):
        home.client.set_terminated(run_id)
    problems, removed = home.python(BROKEN_OFF, str(home.path), trial, sweep, free, last)
    assert problems == [
        f"n ({trial[:8]}) is not removed: it serves as x v1 now.",
        f"n ({sweep[:8]}) is not removed: one of its runs is not removed.",
        f"n ({last[:8]}) may be partly removed; the next mlrunner prune removes the rest.",
    ]
    assert removed == 1
    assert free not in home.runs()
    printed = home.type("prune", last, "--yes")
    assert (printed.code, printed.err) == (0, "")
    assert {trial, sweep} < set(home.runs())
    assert not {free, last} & set(home.runs())


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
    reason = "is not removed: Could not find a registered artifact"
    failed = front_door(tmp_path / "home", "prune", far, "--yes", MLFLOW_TRACKING_URI=uri)
    assert (failed.code, failed.out) == (1, "Nothing was removed.\n")
    assert failed.err.startswith(f"mlrunner: far ({far[:8]}) {reason}")
    assert client.get_run(far).info.lifecycle_stage == "deleted"
    removed = front_door(tmp_path / "home", "prune", near, "--yes", MLFLOW_TRACKING_URI=uri)
    assert (removed.code, removed.out) == (1, "Removed 1 run, 0 bytes.\n")
    assert removed.err.startswith(f"mlrunner: {far[:8]} of an earlier prune {reason}")
    with pytest.raises(MlflowException):
        client.get_run(near)
