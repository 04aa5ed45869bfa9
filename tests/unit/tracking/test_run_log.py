"""Runs in MLflow: names, limits and secrets, in a real SQLite store."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mlflow.data
import pytest
from mlflow import MlflowClient

from mlrunner.core.errors import StoreError
from mlrunner.tracking import run_log
from mlrunner.tracking.records.record import CONFIG_HASH_TAG, DATA_TAG, MODEL_TAG
from mlrunner.tracking.run_log import PARAM_LIMIT, ensure_experiment, flatten

NAN = float("nan")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:alembic", "ignore::ResourceWarning")


@pytest.mark.parametrize(
    ("tree", "flat"),
    [
        ({"a": 1}, {"a": "1"}),
        ({"a": {"b": {"c": 1.5}, "d": "x"}, "e": True}, {"a.b.c": "1.5", "a.d": "x", "e": "true"}),
        ({"a": None, "b": []}, {"a": "null", "b": "[]"}),
        ({"a": [1, "x", {"b": None}]}, {"a": '[1, "x", {"b": null}]'}),
        ({"a": {}}, {"a": "{}"}),
        ({"a": Path("/x")}, {"a": '"/x"'}),
        ({"a.b": {1: "c"}}, {"a.b.1": "c"}),
        ({"a": ""}, {"a": ""}),
        ({"password": "x", "b": {"token": "x"}, "api_key": 5}, {"password": "***", "b.token": "***", "api_key": "***"}),
        ({"password": None, "tokens": "x"}, {"password": "null", "tokens": "x"}),
        ({"url": "postgresql://ada:secret@host/db"}, {"url": "postgresql://ada:***@host/db"}),
    ],
    ids=["value", "nested", "nothing", "list", "empty", "object", "dots", "text", "secrets", "no-secret", "url"],
)  # fmt: skip
def test_flatten(tree: dict[str, Any], flat: dict[str, str]) -> None:
    assert flatten(tree) == flat


@pytest.mark.parametrize(
    ("length", "shortened"), [(PARAM_LIMIT - 1, 5999), (PARAM_LIMIT, 6000), (PARAM_LIMIT + 1, 6000), (100_000, 6000)]
)
def test_long_values_are_shortened(length: int, shortened: int) -> None:
    assert flatten({"a": {"b": "x" * length}}) == {"a.b": "x" * shortened}


def test_any_column_name_becomes_a_parameter_name(client: MlflowClient, run_id: str) -> None:
    params = flatten(
        {"dtypes": {"price ($)": "str", "größe/m²": "str", "//": 1, "..": 2, "": 3, "x" * 300: 4, "a:b c": 5}}
    )
    run_log.log_params(run_id, params)
    assert client.get_run(run_id).data.params == params
    assert list(params)[:2] == ["dtypes.price -28-24-29", "dtypes.größe-2fm²"]


def test_secret_is_hidden_before_a_value_is_shortened() -> None:
    url = "sqlite://ada:secret@host"
    text = flatten({"a": "x" * (PARAM_LIMIT - 15) + " " + url})["a"]
    assert "secret" not in text
    assert text.endswith("sqlite://ada:*")


def test_experiment_is_created_once(client: MlflowClient, tmp_path: Path) -> None:
    first = ensure_experiment("once", str(tmp_path))
    assert ensure_experiment("once", "/elsewhere") == first
    experiment = client.get_experiment(first)
    assert (experiment.name, experiment.artifact_location) == ("once", f"file://{tmp_path}")
    assert [item.name for item in client.search_experiments()].count("once") == 1


def test_an_object_store_is_no_folder(client: MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    experiment = client.get_experiment(ensure_experiment("in a bucket", "s3://bucket/models"))
    assert experiment.artifact_location == "s3://bucket/models"
    assert not list(tmp_path.glob("s3*"))


def test_store_chooses_the_artifact_folder_by_default(client: MlflowClient) -> None:
    location = client.get_experiment(ensure_experiment("server's own", None)).artifact_location
    assert location != ""


def test_concurrent_creation_gives_one_experiment(client: MlflowClient, tmp_path: Path) -> None:
    del client
    start = threading.Barrier(4)

    def make(name: str) -> str:
        start.wait(10)
        return ensure_experiment(name, str(tmp_path))

    with ThreadPoolExecutor(4) as pool:
        for name in ("race-1", "race-2", "race-3"):
            assert len(set(pool.map(make, [name] * 4))) == 1


def test_name_of_a_run_shows_no_secret(client: MlflowClient) -> None:
    run = run_log.create_run(ensure_experiment("tests", None), "stack.password=secret,model=rf", {}).run_id
    assert client.get_run(run).info.run_name == "stack.password=***,model=rf"


def test_more_parameters_than_one_request_holds(client: MlflowClient, run_id: str) -> None:
    params = {f"key.{number}": str(number) for number in range(run_log.PARAMS_PER_REQUEST * 2 + 1)} | {
        "long": "x" * PARAM_LIMIT
    }
    run_log.log_params(run_id, params)
    assert client.get_run(run_id).data.params == params


def test_nan_is_not_logged(run_id: str) -> None:
    run_log.log_metrics(run_id, {"r2": 0.5, "test/mape": NAN, "fit_seconds": 0.0})
    run_log.set_tags(run_id, {MODEL_TAG: "models:/m-1"})
    assert run_log.read_results(run_id) == ({"r2": 0.5, "fit_seconds": 0.0}, "models:/m-1")


def test_run_without_a_model(run_id: str) -> None:
    assert run_log.read_results(run_id) == ({}, None)


def test_data_set_is_logged_by_its_content(client: MlflowClient, run_id: str) -> None:
    group = {"name": "mine", "path": "/data/a.csv", "query": None, "target": "y"}
    run_log.log_dataset(run_id, "mine (a.csv)", group, "f" * 64)
    (entry,) = client.get_run(run_id).inputs.dataset_inputs
    assert (entry.dataset.name, entry.dataset.digest) == ("mine (a.csv)", "f" * 36)
    assert mlflow.data.get_source(entry).to_dict() == {"uri": "/data/a.csv"}
    assert [(tag.key, tag.value) for tag in entry.tags] == [("mlflow.data.context", "training")]


@pytest.mark.parametrize(
    ("group", "kind", "source"),
    [
        ({"path": "data/*.csv"}, "local", {"uri": "data/*.csv"}),
        ({"path": "https://me:pw@h/a.csv"}, "http", {"url": "https://me:***@h/a.csv"}),
        ({"path": "s3://b/a.csv"}, "s3", {"uri": "s3://b/a.csv"}),
        ({"path": "zip://a.csv::b.zip"}, "code", {"tags": {"path": "zip://a.csv::b.zip"}}),
        ({"url": "sqlite:///a.db", "query": "select * from t"}, "code", {"tags": {"query": "select * from t"}}),
        ({"url": None, "query": 'select token="x y"'}, "code", {"tags": {"query": "select token=***"}}),
        ({"loader": "sklearn.datasets.load_wine"}, "code", {"tags": {"loader": "sklearn.datasets.load_wine"}}),
    ],
)
def test_mlflow_finds_the_source_of_a_data_set(
    group: dict[str, str], kind: str, source: dict[str, Any], client: MlflowClient, run_id: str
) -> None:
    run_log.log_dataset(run_id, str(group), group, "f" * 64)  # MLflow keeps the first source of a name and digest
    (entry,) = client.get_run(run_id).inputs.dataset_inputs
    found = mlflow.data.get_source(entry)
    assert (found._get_source_type(), found.to_dict()) == (kind, source)


@pytest.mark.parametrize("status", ["FINISHED", "FAILED", "KILLED"])
def test_run_ends_with_its_status(status: str, client: MlflowClient, run_id: str) -> None:
    assert client.get_run(run_id).info.status == "RUNNING"
    run_log.end_run(run_id, status)
    assert client.get_run(run_id).info.status == status
    assert client.get_run(run_id).data.tags["mlrunner.job"] == "1"


def test_description_has_no_empty_facts(run_id: str) -> None:
    run_log.log_params(run_id, {"model": "rf", "dataset.target": "y", "objective.metric": "r2"})
    run_log.set_tags(run_id, {DATA_TAG: "d", CONFIG_HASH_TAG: "c"})
    facts = {"run_name": "a run", "model": "rf", "target": "y", "metric": "r2", "data_hash": "d", "config_hash": "c"}
    assert run_log.describe_run(run_id) == facts


def test_sweep_id_is_day_and_time() -> None:
    assert run_log.derive_sweep_id(Path("/home/multirun/2026-11-25/17-43-06")) == "2026-11-25/17-43-06"


def test_a_deleted_experiment_is_named_with_what_to_do(client: MlflowClient, tmp_path: Path) -> None:
    experiment = ensure_experiment("gone", str(tmp_path))
    client.delete_experiment(experiment)
    with pytest.raises(StoreError) as raised:
        ensure_experiment("gone", str(tmp_path))
    assert str(raised.value) == (
        "tracking.experiment=gone was deleted in MLflow; restore it (mlflow experiments restore --experiment-id "
        f"{experiment}), or choose another name, as in tracking.experiment=gone-2."
    )
    client.restore_experiment(experiment)
    assert ensure_experiment("gone", str(tmp_path)) == experiment
