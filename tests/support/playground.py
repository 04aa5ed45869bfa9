"""A model that can be checked by hand, its server in a thread, and its deployment."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from aiohttp import web
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from mlrunner.cli.playground.client import Service
from mlrunner.groups.deployer.release import Server
from mlrunner.groups.deployer.state import DeploymentStore, State
from mlrunner.serving.columns import RawColumn
from mlrunner.serving.limits import Limits
from mlrunner.serving.model import ServedModel
from mlrunner.serving.schema import Schema
from mlrunner.serving.server import ModelServer

COLUMNS = (
    RawColumn("rooms", "number", required=True),
    RawColumn("town", "text", required=True, categories=frozenset({"far", "near"})),
    RawColumn("built", "moment", required=True),
    RawColumn("sold_at", "moment", required=True),
    RawColumn("garden", "boolean", required=True),
    RawColumn("note_*of*_agent", "text", required=False),
    RawColumn("price", "number", required=False),
)


ROWS = [
    [3.0, "far", "1642-01-02T00:00:00", "2021-05-06T07:08:09", True, 'a "quoted" it\'s', 1.5],
    [5.0, "near", "1999-12-31T00:00:00", "NaT", False, "é\nline", float("nan")],
]


FACTS = {
    "name": "houses",
    "version": 1,
    "run_id": "0123456789abcdef",
    "run_name": "model=ridge",
    "model": "ridge",
    "task": "regression",
    "target": "score",
    "metric": "r2",
    "metrics": {"test/r2": 0.91234, "test/mae": 0.25},
    "gate": "r2 0.9123 on test is at least 0.4 <b>",
}


JSON_EXAMPLE = {"dataframe_split": {"columns": [column.name for column in COLUMNS], "data": ROWS}}


class Arithmetic:
    """A model that can be checked by hand, and that predicts rows with missing values."""

    def __init__(self, plus: float = 0.0) -> None:
        self.plus = plus

    def predict(self, table: pd.DataFrame) -> Any:
        rooms = table["rooms"].fillna(10.0).to_numpy()
        near = (table["town"] == "near").to_numpy() * 100.0
        garden = table["garden"].isin([True]).to_numpy() * 0.25
        return rooms + near + garden + table["built"].dt.day.fillna(0).to_numpy() * 1000.0 + self.plus


def make_pipeline(plus: float = 0.0) -> Pipeline:
    return Pipeline([("as_they_are", FunctionTransformer()), ("arithmetic", Arithmetic(plus))])


def make_model(plus: float = 0.0, columns: tuple[RawColumn, ...] = COLUMNS, **facts: Any) -> ServedModel:
    """Make a model, with an example as MLflow writes it."""
    example = json.dumps(JSON_EXAMPLE).replace("NaN", "null").encode()
    return ServedModel(make_pipeline(plus), Schema(columns), {**FACTS, **facts}, example)


class Serving:
    """Run the real server in a thread."""

    def __init__(self, served_model: ServedModel, port: int = 0) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._runner = web.AppRunner(ModelServer(served_model, "token", Limits()).application())
        self.port = self._do(self._start(port))

    async def _start(self, port: int) -> int:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        return int(self._runner.addresses[0][1])

    def _do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def stop(self) -> None:
        if not self._loop.is_closed():
            self._do(self._runner.cleanup())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()


@contextmanager
def serving(served_model: ServedModel, port: int = 0) -> Iterator[Serving]:
    running = Serving(served_model, port)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def running() -> Iterator[Serving]:
    with serving(make_model()) as server:
        yield server


@pytest.fixture
def service(running: Serving) -> Service:
    return Service("houses", f"http://127.0.0.1:{running.port}")


def write_deployment(folder: Path, port: int, is_stopped: bool = False) -> DeploymentStore:
    """Write the folder of a deployment that serves at a port."""
    store = DeploymentStore(folder / "houses")
    store.log_event("deployed", version=1)
    server = None if is_stopped else Server(1, f"http://127.0.0.1:{port}", "handle", "token")
    store.write_state(
        State("houses", "127.0.0.1", port, 60.0, 64.0, {}, active=server, versions=[1], since=1795639787.0)
    )
    return store


@pytest.fixture
def store(running: Serving, tmp_path: Path) -> DeploymentStore:
    return write_deployment(tmp_path, running.port)


@pytest.fixture
def home(running: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a home with one deployment that serves."""
    write_deployment(tmp_path / ".mlrunner" / "deployments", running.port)
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    return tmp_path
