"""A real release to serve, with a column of every kind, and a server of it in a thread of the tests."""

from __future__ import annotations

import asyncio
import functools
import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from aiohttp import web

from mlrunner.cleaning import DateFeatures
from mlrunner.deployer.release import DESCRIBED, Release
from mlrunner.features import Features
from mlrunner.roles import Roles

ROLES = Roles("score", ignore=("id",))
DROPPED = ["note", "lot", "flag", "seen"]  # hence optional: one column of each kind
CLEANING = DateFeatures(drop=DROPPED, dates=["bought_at", "stamp"], parts=["month", "weekday"], keep_numeric=False)
LEARNED = Features(
    impute="median",
    indicate_missing=True,
    scale="standard",
    low_cardinality=4,
    high_cardinality="target",
    text_features=8,
    seed=0,
)
KINDS = {
    "size": "number",
    "rooms": "number",
    "town": "text",
    "street": "text",
    "about": "text",
    "bought_at": "text",
    "stamp": "moment",
    "new": "boolean",
    "note": "text",
    "lot": "number",
    "flag": "boolean",
    "seen": "moment",
}
REQUIRED = [name for name in KINDS if name not in DROPPED]
TOWNS = ["far", "near", "out"]
STREETS = [f"street {number}" for number in range(30)]
WORDS = ["sunny", "small", "old", "quiet", "loud", "garden", "cellar", "roof"]
Row = dict[str, Any]


@dataclass(frozen=True)
class Saved:
    """A release, and the model that was saved into it."""

    release: Release
    pipeline: Any

    def predict(self, rows: list[Row]) -> list[Any]:
        """What the model itself says of raw rows."""
        return list(np.ravel(self.pipeline.predict(frame(rows))).tolist())


def table(count: int = 150, seed: int = 3) -> pd.DataFrame:
    """Make the raw data set, as it is read from a file."""
    rng = np.random.default_rng(seed)
    days = pd.Timestamp("2019-11-03 10:00") + pd.to_timedelta(rng.integers(0, 900, count), unit="D")
    made = pd.DataFrame(
        {
            "id": np.arange(count),
            "size": rng.normal(50, 20, count).round(2),
            "rooms": np.where(rng.random(count) < 0.1, np.nan, rng.integers(1, 6, count)),
            "town": rng.choice(TOWNS, count),
            "street": rng.choice(STREETS, count),
            "about": [" ".join(rng.choice(WORDS, 5)) for _ in range(count)],
            "bought_at": days.strftime("%Y-%m-%d"),
            "stamp": days + pd.to_timedelta(rng.integers(0, 90, count), unit="D"),
            "new": rng.random(count) < 0.3,
            "note": rng.choice(["a", "b"], count),
            "lot": rng.normal(size=count),
            "flag": rng.random(count) < 0.5,
            "seen": days,
        }
    )
    streets = made["street"].map({street: at for at, street in enumerate(STREETS)})
    made["score"] = made["size"] + 5 * made["rooms"].fillna(2) + 9 * (made["town"] == "far") + streets + 3 * made["new"]
    return made


def frame(rows: list[Row]) -> pd.DataFrame:
    """Lay rows out as the data set has them, what is absent as missing."""
    columns = {name: [row.get(name) for row in rows] for name in KINDS}
    types: dict[str, Callable[[list[Any]], pd.Series[Any]]] = {
        "number": lambda values: pd.Series(values, dtype="float64"),
        "text": lambda values: pd.Series(values, dtype="str"),
        "boolean": lambda values: pd.Series(values, dtype="object"),
        "moment": lambda values: pd.Series(values, dtype="datetime64[us]"),
    }
    return pd.DataFrame({name: types[KINDS[name]](values) for name, values in columns.items()})


def rows(count: int, seed: int = 11) -> list[Row]:
    """Make raw rows as JSON has them."""
    made = table(count, seed)[list(KINDS)]
    text = made.assign(stamp=made["stamp"].astype(str), seen=made["seen"].astype(str))
    return [{name: None if value != value else value for name, value in row.items()} for row in _plain(text)]


def _plain(made: pd.DataFrame) -> list[Row]:
    found: list[Row] = json.loads(made.to_json(orient="records"))
    return found


def fitted(estimator: Any, target: pd.Series[Any] | None = None) -> Any:
    """Fit the pipeline that a run would save."""
    from sklearn.pipeline import Pipeline

    from mlrunner.cleaning import DataCleaning
    from mlrunner.model.estimators import assemble

    raw = table()
    task = "regression" if target is None else "classification"
    target = raw["score"] if target is None else target
    features = DataCleaning(raw, CLEANING, ROLES).handle_data().drop(columns="score")
    learned = Pipeline([("features", LEARNED.build(features, task)), ("estimator", estimator)])
    return assemble(learned.fit(features, target), CLEANING, ROLES, features, raw)


def save(folder: Path, pipeline: Any, version: int = 1, name: str = "houses") -> Release:
    """Save a model as a run does, and describe it as `mlrunner.deployer.releases` does."""
    import mlflow.sklearn

    from mlrunner.deployer import releases
    from mlrunner.model.estimators import pip_requirements, trusted_types
    from mlrunner.tracking import recording

    made = Release(name, version, folder / str(version))
    example = recording.as_doubles(table(5)[list(KINDS)])
    mlflow.sklearn.save_model(
        pipeline,
        str(made.model),
        signature=recording.signature(pipeline, example, CLEANING),
        input_example=example,
        pip_requirements=pip_requirements(pipeline),
        skops_trusted_types=trusted_types(pipeline),
    )
    described = {
        "facts": {"name": name, "version": version, "model_uri": "models:/m-1"},
        "saved": releases._saved(made.model, "models:/m-1"),
        "expected": releases._expected(pipeline, made.model),
    }
    (made.folder / DESCRIBED).write_text(json.dumps(described, default=str))
    return made


@functools.cache
def regression(folder: Path, version: int = 1) -> Saved:
    """A release of numbers; the same one for a folder and version."""
    from sklearn.linear_model import LinearRegression

    pipeline = fitted(LinearRegression())
    return Saved(save(folder / "regression", pipeline, version), pipeline)


@functools.cache
def classification(folder: Path) -> Saved:
    """A release of labels that are texts."""
    from sklearn.tree import DecisionTreeClassifier

    labels = (table()["size"] > 50).map({True: "large", False: "small"})
    pipeline = fitted(DecisionTreeClassifier(random_state=0), labels)
    return Saved(save(folder / "classification", pipeline, 1, "sizes"), pipeline)


@contextmanager
def serving(application: Callable[[], web.Application]) -> Iterator[int]:
    """Serve an application on a loopback port in a thread.

    Yields:
        The port.
    """
    started: dict[str, Any] = {}
    ready = threading.Event()

    async def serve() -> None:
        started["loop"], started["stop"] = asyncio.get_running_loop(), asyncio.Event()
        runner = web.AppRunner(application(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        started["port"] = runner.addresses[0][1]
        ready.set()
        await started["stop"].wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        if not ready.wait(20):
            raise RuntimeError("the server did not start")
        yield started["port"]
    finally:
        if "stop" in started:
            started["loop"].call_soon_threadsafe(started["stop"].set)
        thread.join(20)


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """One connection to a server of this machine, that is opened anew when it has gone."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Ask; an underscore in a header's name stands for a hyphen."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(method, path, body, named)
        with self._connection.getresponse() as found:
            return Answer(found.status, dict(found.headers.items()), found.read())

    def post(self, told: Any, content_type: str = "application/json") -> Answer:
        """Ask for predictions, with JSON of anything that is not bytes already."""
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        return self.ask("POST", "/invocations", body, Content_Type=content_type)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
