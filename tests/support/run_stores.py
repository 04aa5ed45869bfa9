"""Tracking stores with runs, made through MLflow's client."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param

from mlrunner.tracking import records
from mlrunner.tracking.records import DATA_TAG, FOLDER_TAG, Record, lookup
from mlrunner.tracking.records.mlflow_store import MlflowStore
from mlrunner.tracking.records.sqlite_store import SqliteStore

NAN, INFINITY = float("nan"), float("inf")
RUNS: list[dict[str, Any]] = [
    {"name": "default", "m": {"r2": 0.5, "test/r2": 0.4}, "p": {"model": "xgboost", "model.estimator.max_depth": "6"}},
    {"name": "model=rf", "m": {"r2": 0.31, "test/r2": 0.2}, "p": {"model": "rf", "a b": "x"}, "t": {DATA_TAG: "d"}},
    {"name": "model=RF", "m": {"r2": -0.5}, "p": {"model": "RF"}, "t": {"note": "50% of_it"}},
    {"name": "nan", "m": {"r2": NAN, "other": 0.0}, "p": {"model": "rf"}, "t": {"note": "500 ofXit"}},
    {"name": "infinite", "m": {"r2": INFINITY}, "p": {"model": "ridge"}, "t": {"note": "it's"}},
    {"name": "minus", "m": {"r2": -INFINITY, "loss": 1e-7}, "p": {"model": "rf"}, "t": {"note": 'a "b" c'}},
    {"name": "zero", "m": {"r2": 0.0, "loss": 12_345.0}, "t": {"note": "ünï Ünï", "x.y": "1"}},
    {"name": "bare", "t": {"note": ""}},
    {"name": "failed", "status": "FAILED", "m": {"r2": 0.31}, "t": {"mlrunner.sweep_id": "day/one"}},
    {"name": "killed", "status": "KILLED", "m": {"r2": 0.1}, "data": ("orders", "abc", "training")},
    {"name": "data", "m": {"r2": 0.2}, "data": ("orders", "abd", "testing"), "p": {"model": "and"}},
    {"name": "more", "m": {"r2": 0.2, "recall:5": 1.0}, "data": ("wine", "xyz", "training"), "t": {"note": "a and b"}},
    {"name": "same start", "start": 5_000, "m": {"loss": NAN}, "t": {"note": "(a, b)"}},
    {"name": "same start", "start": 5_000, "m": {"loss": 2.0}, "t": {"note": "a;b -- c"}},
    {"name": "deleted", "deleted": True, "m": {"r2": 0.9}},
    {"name": "elsewhere", "experiment": "other", "m": {"r2": 0.9}, "p": {"model": "rf"}},
    {"name": "gone", "experiment": "gone", "m": {"r2": 0.9}},
    {"name": "running", "status": "RUNNING", "m": {"r2": 0.25}},
]


class SearchableRuns:
    """A SQLite store with runs that differ in every field, read without MLflow (`ours`) and with it (`theirs`)."""

    def __init__(self, home: Path) -> None:
        self.home, self.client = home, MlflowClient()
        self.ids: list[str] = []
        experiments = {name: self.client.create_experiment(name, home.as_uri()) for name in ("main", "other", "gone")}
        for number, run in enumerate(RUNS):
            self.add(experiments[run.get("experiment", "main")], 1_000 * (number + 1), run)
        self.add(experiments["main"], 30_000, {"name": self.ids[1][:6], "t": {FOLDER_TAG: str(home / "multirun/a")}})
        self.client.delete_experiment(experiments["gone"])
        self.ours, self.theirs = SqliteStore(home / "mlflow.db"), MlflowStore(self.client.tracking_uri)

    def add(self, experiment: str, start: int, spec: dict[str, Any]) -> None:
        run = self.client.create_run(experiment, spec.get("start", start), spec.get("t", {}), spec["name"])
        run_id = run.info.run_id
        metrics = [Metric(name, value, start, 0) for name, value in spec.get("m", {}).items()]
        params = [Param(name, value) for name, value in spec.get("p", {}).items()]
        self.client.log_batch(run_id, metrics, params)
        if "data" in spec:
            name, digest, context = spec["data"]
            entity = Dataset(name, digest, "local", "{}")
            self.client.log_inputs(run_id, [DatasetInput(entity, [InputTag("mlflow.data.context", context)])])
        if (status := spec.get("status", "FINISHED")) != "RUNNING":
            self.client.set_terminated(run_id, status, start + 10)
        if spec.get("deleted"):
            self.client.delete_run(run_id)
        self.ids.append(run_id)

    def fill(self, text: str) -> str:
        """Replace ID0 and ID1 by ids of runs."""
        return text.replace("ID0", self.ids[0]).replace("ID1", self.ids[1])

    def search_by_mlflow(self, where: str, sort: list[str]) -> list[str]:
        """Search with MLflow's own client, with the text as it was typed."""
        experiments = [experiment.experiment_id for experiment in self.client.search_experiments()]
        return [run.info.run_id for run in self.client.search_runs(experiments, where, order_by=sort)]


class NamedRuns:
    """A SQLite store to which tests add runs by name."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.client = MlflowClient()
        self.experiment = self.client.create_experiment("mlrunner", artifact_location=(home / "artifacts").as_uri())
        self.ids: dict[str, str] = {}
        self.start = 1_000

    def add(self, name: str, r2: float | None = None, saved: bool = True, metric: str = "r2", **tags: str) -> str:
        self.start += 1_000
        all_tags = {"mlrunner.data_hash": "d", **{f"mlrunner.{key}": value for key, value in tags.items()}}
        if saved:
            all_tags[records.MODEL_TAG] = f"models:/m-{name}"
        run = self.client.create_run(self.experiment, self.start, all_tags, name)
        self.client.log_param(run.info.run_id, "objective.metric", metric)
        if r2 is not None:
            self.client.log_metric(run.info.run_id, "test/r2", r2)
        self.client.set_terminated(run.info.run_id)
        self.ids[name] = run.info.run_id
        return run.info.run_id

    def register_champion(self, model: str, name: str) -> None:
        """Register a model with one version, of a run, under the alias `champion`."""
        self.client.create_registered_model(model)
        self.client.create_model_version(model, "file:///m-x", self.ids[name])
        self.client.set_registered_model_alias(model, "champion", "1")

    @property
    def stores(self) -> list[records.Store]:
        return [SqliteStore(self.home / "mlflow.db"), MlflowStore(f"sqlite:///{self.home}/mlflow.db")]

    def find(self, name: str, saved: bool = False) -> Record:
        """Look a run up without MLflow and with it, and check that both agree."""
        first, second = (lookup.find(store, name, self.home, saved) for store in self.stores)
        assert first == second
        return first
