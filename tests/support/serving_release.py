"""Real releases to serve, with a column of every kind, and what asks and starts servers of them."""

from __future__ import annotations

import asyncio
import functools
import http.client
import json
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from aiohttp import web
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from sklearn.base import BaseEstimator, RegressorMixin

from mlrunner.core.column_roles import Roles
from mlrunner.groups.cleaning import DateFeatures
from mlrunner.groups.deployer.release import DESCRIBED, Release
from mlrunner.groups.features import Features
from mlrunner.groups.strategy import CleaningStrategy

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
RAISES, GAP, SLOW, SLOW_SECONDS = 666.0, 777.0, 888.0, 0.6  # what the size of a row makes of `Touchy`
Row = dict[str, Any]

number = st.none() | st.floats(-1e6, 1e6) | st.integers(-(10**6), 10**6)
zone = st.none() | st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moment = st.none() | st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=zone).map(str)
OF_KIND: dict[str, st.SearchStrategy[Any]] = {
    "number": number,
    "text": st.none() | st.text(max_size=20) | st.sampled_from(STREETS),
    "moment": moment,
    "boolean": st.none() | st.booleans(),
}
row = st.fixed_dictionaries(
    {name: OF_KIND[KINDS[name]] for name in REQUIRED} | {"town": st.none() | st.sampled_from(TOWNS)},
    optional={name: OF_KIND[KINDS[name]] for name in DROPPED},
)
scalar = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8)
anything = st.recursive(scalar, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner))


class Touchy(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Predicts the first feature; raises, has no number, or takes long where a row asks for it."""

    def fit(self, X: Any, y: Any) -> Self:
        self.seen_ = len(X), len(y)
        return self

    def predict(self, X: Any) -> Any:
        found = np.array(X)[:, 0]
        if (found == SLOW).any():
            time.sleep(SLOW_SECONDS)
        if (found == RAISES).any():
            raise RuntimeError("the model is touched\nto the quick")
        return np.where(found == GAP, np.nan, found)


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
        "text": lambda values: pd.Series(values, dtype="object"),
        "boolean": lambda values: pd.Series(values, dtype="object"),
        "moment": lambda values: pd.Series([_utc(value) for value in values], dtype="datetime64[us]"),
    }
    return pd.DataFrame({name: types[KINDS[name]](values) for name, values in columns.items()})


def _utc(text: str | None) -> datetime | None:
    found = None if text is None else datetime.fromisoformat(text)
    return found if found is None or found.tzinfo is None else found.astimezone(UTC).replace(tzinfo=None)


def rows(count: int, seed: int = 11) -> list[Row]:
    """Make raw rows as JSON has them."""
    made = table(count, seed)[list(KINDS)]
    text = made.assign(stamp=made["stamp"].astype(str), seen=made["seen"].astype(str))
    found: list[Row] = json.loads(text.to_json(orient="records"))
    return found


def sized(size: float | None) -> Row:
    """Make a row of which `Touchy` predicts its size."""
    return {**rows(1)[0], "size": size}


def fitted(
    estimator: Any,
    cleaning: CleaningStrategy = CLEANING,
    learned: Features = LEARNED,
    target: pd.Series[Any] | None = None,
) -> Any:
    """Fit the pipeline that a run would save."""
    from sklearn.pipeline import Pipeline

    from mlrunner.groups.cleaning.controller import DataCleaning
    from mlrunner.groups.model.packaging import assemble

    raw = table()
    task = "regression" if target is None else "classification"
    target = raw["score"] if target is None else target
    features = DataCleaning(raw, cleaning, ROLES).handle_data().drop(columns="score")
    built = Pipeline([("features", learned.build(features, task)), ("estimator", estimator)])
    return assemble(built.fit(features, target), cleaning, ROLES, features, raw)


def save(folder: Path, pipeline: Any, version: int = 1, cleaning: CleaningStrategy = CLEANING) -> Saved:
    """Save a model as a run does, and describe it as `mlrunner.groups.deployer.packaging` does."""
    import mlflow.sklearn

    from mlrunner.groups.deployer import packaging
    from mlrunner.groups.model.packaging import find_trusted_types, pin_requirements
    from mlrunner.steps import model_signature

    made = Release("houses", version, folder / str(version))
    example = model_signature.convert_integers(table(5)[list(KINDS)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow compares columns in a way that pandas will not have for ever
        mlflow.sklearn.save_model(
            pipeline,
            str(made.model),
            signature=model_signature.build_signature(pipeline, example, cleaning),
            input_example=example,
            pip_requirements=pin_requirements(pipeline),
            skops_trusted_types=find_trusted_types(pipeline),
        )
    described = {
        "facts": {"name": "houses", "version": version, "model_uri": "models:/m-1"},
        "saved": packaging._saved(made.model, "models:/m-1"),
        "expected": packaging._expected(pipeline, made.model),
    }
    (made.folder / DESCRIBED).write_text(json.dumps(described, default=str))
    return Saved(made, pipeline)


@functools.cache
def regression(folder: Path, version: int = 1) -> Saved:
    """A release of numbers, another model for each version; the same release for a folder and version."""
    from sklearn.linear_model import Ridge

    return save(folder / "regression", fitted(Ridge(alpha=version)), version)


@functools.cache
def classification(folder: Path) -> Saved:
    """A release of labels that are texts."""
    from sklearn.tree import DecisionTreeClassifier

    labels = (table()["size"] > 50).map({True: "large", False: "small"})
    return save(folder / "classification", fitted(DecisionTreeClassifier(random_state=0), target=labels))


@functools.cache
def touchy(folder: Path) -> Saved:
    """A release whose model raises, has no number or takes long, as a row's size says."""
    plain = Features(**{**vars_of(LEARNED), "scale": None, "indicate_missing": False})
    return save(folder / "touchy", fitted(Touchy(), learned=plain))


def vars_of(features: Features) -> dict[str, Any]:
    """The settings of learned features."""
    names = ("impute", "indicate_missing", "scale", "low_cardinality", "high_cardinality", "text_features", "seed")
    return {name: getattr(features, name) for name in names}


@contextmanager
def serving(application: Callable[[], web.Application]) -> Iterator[int]:
    """Serve an application on a loopback port in a thread.

    Yields:
        The port.
    """
    started: dict[str, Any] = {}
    ready = threading.Event()

    async def serve() -> None:
        runner = web.AppRunner(application(), access_log=None, shutdown_timeout=1.0)
        started["loop"], started["stop"] = asyncio.get_running_loop(), asyncio.Event()
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


def until(true: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Look until something is true, and return it.

    Raises:
        TimeoutError: When it never is.
    """
    end = time.monotonic() + seconds
    while not (found := true()):
        if time.monotonic() > end:
            raise TimeoutError("it never became true")
        time.sleep(0.01)
    return found


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def message(self) -> str:
        """The sentence of an error, after a look at its form."""
        told = self.json
        assert set(told) == {"error_code", "message"}
        assert told["error_code"]
        assert isinstance(told["message"], str)
        return str(told["message"])


class Client:
    """One connection to a server of this machine, opened anew when the server has closed it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._connection.close()

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Ask; an underscore in a header's name stands for a hyphen."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(method, path, body, named)
        with self._connection.getresponse() as found:
            return Answer(found.status, dict(found.headers.items()), found.read())

    def get(self, path: str) -> Answer:
        """Ask without a body."""
        return self.ask("GET", path)

    def post(self, told: Any, content_type: str = "application/json") -> Answer:
        """Ask for predictions, with JSON of anything that is not bytes already."""
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        return self.ask("POST", "/invocations", body, Content_Type=content_type)

    def read_metrics(self) -> dict[str, float]:
        """Read the metrics of a server or gateway by name and labels."""
        families = text_string_to_metric_families(self.get("/metrics").body.decode())
        samples = (sample for family in families for sample in family.samples)
        return {"/".join([sample.name, *sample.labels.values()]): sample.value for sample in samples}

    def predict(self, rows: list[Row]) -> list[Any]:
        """Ask for predictions that must be given."""
        answer = self.post({"dataframe_records": rows})
        assert answer.status == 200, answer.body
        return list(answer.json["predictions"])


def raw(port: int, data: bytes, patience: float = 10.0) -> bytes:
    """Send bytes, and read until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as connection:
        connection.sendall(data)
        found = b""
        while part := connection.recv(65536):
            found += part
    return found


def request(body: bytes, *headers: str, path: str = "/invocations", method: str = "POST", last: bool = True) -> bytes:
    """Write a request by hand; the last one of a connection closes it."""
    lines = [f"{method} {path} HTTP/1.1", "Host: tests", *headers, *(["Connection: close"] if last else [])]
    if not any(line.lower().startswith(("transfer-encoding", "content-length")) for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
