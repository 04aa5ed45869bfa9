"""What MLflow is told: names, limits and secrets; over a real SQLite store, which is made once for the module."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mlflow
import pytest
from matplotlib.figure import Figure
from mlflow import MlflowClient

from mlrunner.core.errors import StoreError
from mlrunner.tracking import run_log
from mlrunner.tracking.background_writer import Recorder
from mlrunner.tracking.run_log import PARAM_LIMIT, ensure_experiment, flatten, redact

NAN = float("nan")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:alembic", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowClient]:
    """A client of a store of its own."""
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db")
    yield MlflowClient()
    mlflow.set_tracking_uri(before)


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose name a URL has to escape."""
    return tmp_path_factory.mktemp("artifacts") / "my #1 %20 é"


@pytest.fixture
def run_id(client: MlflowClient, artifacts: Path) -> str:
    del client
    return run_log.create_run(ensure_experiment("tests", str(artifacts)), "a run", {"mlrunner.job": "1"})


# --- flatten ------------------------------------------------------------------------------------------------


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
    ("length", "kept"), [(PARAM_LIMIT - 1, 5999), (PARAM_LIMIT, 6000), (PARAM_LIMIT + 1, 6000), (100_000, 6000)]
)
def test_long_values_are_cut(length: int, kept: int) -> None:
    assert flatten({"a": {"b": "x" * length}}) == {"a.b": "x" * kept}


def test_any_column_can_be_a_parameter(client: MlflowClient, run_id: str) -> None:
    told = flatten(
        {"dtypes": {"price ($)": "str", "größe/m²": "str", "//": 1, "..": 2, "": 3, "x" * 300: 4, "a:b c": 5}}
    )
    run_log.log_params(run_id, told)
    assert client.get_run(run_id).data.params == told
    assert list(told)[:2] == ["dtypes.price -28-24-29", "dtypes.größe-2fm²"]


def test_a_secret_at_the_cut_is_hidden_before_it() -> None:
    url = "sqlite://ada:secret@host"
    text = flatten({"a": "x" * (PARAM_LIMIT - 15) + " " + url})["a"]
    assert "secret" not in text
    assert text.endswith("sqlite://ada:*")


# --- redact -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("postgresql://ada:secret@host/db", "postgresql://ada:***@host/db"),
        ("postgresql+psycopg://ada:se:cr@et@host:5432/db", "postgresql+psycopg://ada:***@host:5432/db"),
        ("://:secret@host", "://:***@host"),
        ("http://host:5000/a@b", "http://host:5000/a@b"),
        ("sqlite:////home/mlflow.db", "sqlite:////home/mlflow.db"),
        ("a http://x:y@h and http://u:v@h", "a http://x:***@h and http://u:***@h"),
        ("stack.password=secret,model=rf", "stack.password=***,model=rf"),
        ("- stack.token=secret\n- seed=1", "- stack.token=***\n- seed=1"),
        ("stack:\n  api_key: secret\n  name: x", "stack:\n  api_key: ***\n  name: x"),
        ("  password: two words, and more\nname: x", "  password: ***\nname: x"),
        ("password: 'it''s # secret'", "password: ***"),
        ("password: $ecret", "password: ***"),
        ('{"password": "secret", "name": "x"}', '{"password": ***, "name": "x"}'),
        ("password: null", "password: null"),
        ("password: ${oc.env:PASSWORD}", "password: ${oc.env:PASSWORD}"),
        ("stack.password=${oc.env:PASSWORD}", "stack.password=${oc.env:PASSWORD}"),
        ("the password of tokenizers: none", "the password of tokenizers: none"),
        ("max_tokens=5", "max_tokens=5"),
        ("", ""),
    ],
)
def test_redact(text: str, told: str) -> None:
    assert redact(text) == told


def test_redacting_twice_changes_nothing_more() -> None:
    once = redact("password: secret\nurl: http://a:b@c\nstack.token=d,e=f")
    assert redact(once) == once


# --- the recorder -------------------------------------------------------------------------------------------


def fail(text: str) -> None:
    raise OSError(text)


def test_flush_waits_for_all_in_their_order() -> None:
    recorder, done = Recorder(), list[int]()
    gate = threading.Event()
    recorder.submit(gate.wait, 10)
    for number in range(20):
        recorder.submit(done.append, number)
    assert done == []
    gate.set()
    recorder.flush()
    assert done == list(range(20))


def test_flush_tells_the_first_failure_and_the_rest_is_written() -> None:
    recorder, done = Recorder(), list[str]()
    recorder.submit(done.append, "before")
    recorder.submit(fail, "disk is full")
    recorder.submit(done.append, "after")
    recorder.submit(fail, "again")
    with pytest.raises(
        StoreError, match=r"^A run was not recorded completely: OSError: disk is full \(-v shows where\)\.$"
    ) as raised:
        recorder.flush()
    assert isinstance(raised.value.__cause__, OSError)
    assert done == ["before", "after"]


def test_a_failure_is_told_once_and_the_recorder_goes_on() -> None:
    recorder, done = Recorder(), list[str]()
    recorder.submit(fail, "once")
    with pytest.raises(StoreError, match="once"):
        recorder.flush()
    recorder.submit(done.append, "next run")
    recorder.flush()
    assert done == ["next run"]


def test_flush_without_work_does_nothing() -> None:
    recorder = Recorder()
    recorder.flush()
    recorder.flush()


# --- the store ----------------------------------------------------------------------------------------------


def test_an_experiment_is_made_once(client: MlflowClient, tmp_path: Path) -> None:
    first = ensure_experiment("once", str(tmp_path))
    assert ensure_experiment("once", "/elsewhere") == first
    found = client.get_experiment(first)
    assert (found.name, found.artifact_location) == ("once", f"file://{tmp_path}")
    assert [one.name for one in client.search_experiments()].count("once") == 1


def test_the_store_chooses_where_artifacts_go_when_nothing_is_said(client: MlflowClient) -> None:
    location = client.get_experiment(ensure_experiment("server's own", None)).artifact_location
    assert location != ""


def test_processes_that_make_an_experiment_at_once_find_the_same(client: MlflowClient, tmp_path: Path) -> None:
    del client
    start = threading.Barrier(4)

    def make(name: str) -> str:
        start.wait(10)
        return ensure_experiment(name, str(tmp_path))

    with ThreadPoolExecutor(4) as pool:
        for name in ("race-1", "race-2", "race-3"):
            assert len(set(pool.map(make, [name] * 4))) == 1


def test_artifacts_go_to_the_folder_whatever_its_name(artifacts: Path, run_id: str) -> None:
    run_log.log_texts(run_id, {"environment/git.json": "{}", "config.yaml": "password: secret\n"})
    run_log.log_figures(run_id, {"residuals": Figure((1, 1))})
    (folder,) = artifacts.glob(f"{run_id}/artifacts")
    assert (folder / "environment" / "git.json").read_text() == "{}"
    assert (folder / "config.yaml").read_text() == "password: ***\n"
    assert (folder / "plots" / "residuals.png").read_bytes().startswith(b"\x89PNG")


def test_the_name_of_a_run_tells_no_secret(client: MlflowClient) -> None:
    run = run_log.create_run(ensure_experiment("tests", None), "stack.password=secret,model=rf", {})
    assert client.get_run(run).info.run_name == "stack.password=***,model=rf"


def test_more_parameters_than_a_request_takes_are_logged(client: MlflowClient, run_id: str) -> None:
    params = {f"key.{number}": str(number) for number in range(run_log.BATCH * 2 + 1)} | {"long": "x" * PARAM_LIMIT}
    run_log.log_params(run_id, params)
    assert client.get_run(run_id).data.params == params


def test_metrics_without_a_number_are_left_out(run_id: str) -> None:
    run_log.log_metrics(run_id, {"r2": 0.5, "test/mape": NAN, "fit_seconds": 0.0})
    run_log.set_tags(run_id, {run_log.MODEL_TAG: "models:/m-1"})
    assert run_log.read_results(run_id) == ({"r2": 0.5, "fit_seconds": 0.0}, "models:/m-1")


def test_a_run_that_saves_no_model_has_none(run_id: str) -> None:
    assert run_log.read_results(run_id) == ({}, None)


def test_a_model_is_reserved_before_it_is_saved(client: MlflowClient, run_id: str) -> None:
    model_id = run_log.reserve_model(run_id)
    assert run_log.read_results(run_id)[1] == f"models:/{model_id}"
    assert client.get_logged_model(model_id).source_run_id == run_id


def test_the_data_set_is_recorded_by_its_content(client: MlflowClient, run_id: str) -> None:
    group = {"name": "mine", "path": "/data/a.csv", "query": None, "target": "y"}
    run_log.log_dataset(run_id, "mine (a.csv)", group, "f" * 64)
    (found,) = client.get_run(run_id).inputs.dataset_inputs
    assert (found.dataset.name, found.dataset.digest) == ("mine (a.csv)", "f" * 36)
    assert json.loads(found.dataset.source) == {"path": "/data/a.csv"}
    assert [(tag.key, tag.value) for tag in found.tags] == [("mlflow.data.context", "training")]


@pytest.mark.parametrize("name", ["run", "sweep"])
def test_hydra_s_record_is_saved(name: str, tmp_path: Path, run_id: str) -> None:
    (tmp_path / ".hydra").mkdir()
    kept = {"run": [".hydra/config.yaml", ".hydra/overrides.yaml"], "sweep": ["multirun.yaml"]}[name]
    for file in [*kept, "mlrunner.log"]:
        (tmp_path / file).write_text("- stack.token=secret\n")
    run_log.log_hydra_files(run_id, tmp_path)
    saved = mlflow.artifacts.list_artifacts(run_id=run_id, artifact_path=".hydra" if name == "run" else None)
    assert sorted(found.path for found in saved) == kept


@pytest.mark.parametrize("status", ["FINISHED", "FAILED", "KILLED"])
def test_a_run_ends_with_its_status(status: str, client: MlflowClient, run_id: str) -> None:
    assert client.get_run(run_id).info.status == "RUNNING"
    run_log.end_run(run_id, status)
    assert client.get_run(run_id).info.status == status
    assert client.get_run(run_id).data.tags["mlrunner.job"] == "1"


def test_documents_stay_whole_where_a_column_is_called_like_a_secret(client: MlflowClient, run_id: str) -> None:
    del client
    told = {"columns": {"token": {"dtype": "str"}, "password": {"top": {"a: b": 0.5}}}}
    run_log.log_documents(run_id, {"data.json": told})
    uri = MlflowClient().get_run(run_id).info.artifact_uri
    assert json.loads(mlflow.artifacts.load_text(f"{uri}/data.json")) == told
