"""Releases with a column of every kind, and rows for them."""

from __future__ import annotations

import functools
import json
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, RegressorMixin

from mlrunner.core.column_roles import Roles
from mlrunner.groups.cleaning import DateFeatures
from mlrunner.groups.deployer.release import RELEASE_FILE, Release
from mlrunner.groups.features import Features
from mlrunner.groups.strategy import CleaningStrategy

ROLES = Roles("score", ignore=("id",))
DROPPED = ["note", "lot", "flag", "seen"]  # optional columns, one of each kind
CLEANING = DateFeatures(drop=DROPPED, dates=["bought_at", "stamp"], parts=["month", "weekday"], keep_numeric=False)
FEATURES = Features(
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
DESCRIPTION_WORDS = ["sunny", "small", "old", "quiet", "loud", "garden", "cellar", "roof"]
RAISES, GAP, SLOW, SLOW_SECONDS = 666.0, 777.0, 888.0, 0.6  # sizes with an effect on `FaultyModel`
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
    {name: OF_KIND[KINDS[name]] for name in REQUIRED}
    | {"town": st.none() | st.sampled_from(TOWNS), "bought_at": moment},
    optional={name: OF_KIND[KINDS[name]] for name in DROPPED},
)
scalar = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8)
anything = st.recursive(scalar, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner))


class FaultyModel(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Predict the first feature; raise, return NaN or sleep for some of its values."""

    def fit(self, X: Any, y: Any) -> Self:
        self.seen_ = len(X), len(y)
        return self

    def predict(self, X: Any) -> Any:
        first = np.array(X)[:, 0]
        if (first == SLOW).any():
            time.sleep(SLOW_SECONDS)
        if (first == RAISES).any():
            raise RuntimeError("the model failed\nas intended")
        return np.where(first == GAP, np.nan, first)


@dataclass(frozen=True)
class Saved:
    """Hold a release and its fitted pipeline."""

    release: Release
    pipeline: Any

    def predict(self, rows: list[Row]) -> list[Any]:
        """Predict raw rows with the pipeline itself."""
        return list(np.ravel(self.pipeline.predict(to_frame(rows))).tolist())


def make_table(count: int = 150, seed: int = 3) -> pd.DataFrame:
    """Make the raw data set."""
    rng = np.random.default_rng(seed)
    days = pd.Timestamp("2019-11-03 10:00") + pd.to_timedelta(rng.integers(0, 900, count), unit="D")
    raw = pd.DataFrame(
        {
            "id": np.arange(count),
            "size": rng.normal(50, 20, count).round(2),
            "rooms": np.where(rng.random(count) < 0.1, np.nan, rng.integers(1, 6, count)),
            "town": rng.choice(TOWNS, count),
            "street": rng.choice(STREETS, count),
            "about": [" ".join(rng.choice(DESCRIPTION_WORDS, 5)) for _ in range(count)],
            "bought_at": days.strftime("%Y-%m-%d"),
            "stamp": days + pd.to_timedelta(rng.integers(0, 90, count), unit="D"),
            "new": rng.random(count) < 0.3,
            "note": rng.choice(["a", "b"], count),
            "lot": rng.normal(size=count),
            "flag": rng.random(count) < 0.5,
            "seen": days,
        }
    )
    streets = raw["street"].map({street: k for k, street in enumerate(STREETS)})
    raw["score"] = raw["size"] + 5 * raw["rooms"].fillna(2) + 9 * (raw["town"] == "far") + streets + 3 * raw["new"]
    return raw


def to_frame(rows: list[Row]) -> pd.DataFrame:
    """Convert rows to a table like the data set; absent values are missing."""
    columns = {name: [row.get(name) for row in rows] for name in KINDS}
    types: dict[str, Callable[[list[Any]], pd.Series[Any]]] = {
        "number": lambda values: pd.Series(values, dtype="float64"),
        "text": lambda values: pd.Series(values, dtype="object"),
        "boolean": lambda values: pd.Series(values, dtype="object"),
        "moment": lambda values: pd.Series([_to_utc(value) for value in values], dtype="datetime64[us]"),
    }
    return pd.DataFrame({name: types[KINDS[name]](values) for name, values in columns.items()})


def _to_utc(text: str | None) -> datetime | None:
    date = None if text is None else datetime.fromisoformat(text)
    return date if date is None or date.tzinfo is None else date.astimezone(UTC).replace(tzinfo=None)


def make_rows(count: int, seed: int = 11) -> list[Row]:
    """Make JSON-safe raw rows."""
    raw = make_table(count, seed)[list(KINDS)]
    as_text = raw.assign(stamp=raw["stamp"].astype(str), seen=raw["seen"].astype(str))
    records: list[Row] = json.loads(as_text.to_json(orient="records"))
    return records


def make_row(size: float | None) -> Row:
    """Make a row of a given size, which `FaultyModel` predicts."""
    return {**make_rows(1)[0], "size": size}


def fit_pipeline(
    estimator: Any,
    cleaning: CleaningStrategy = CLEANING,
    learned: Features = FEATURES,
    target: pd.Series[Any] | None = None,
) -> Any:
    """Fit a pipeline like that of a run."""
    from sklearn.pipeline import Pipeline

    from mlrunner.groups.cleaning.controller import DataCleaning, resolve_strategy
    from mlrunner.groups.model.packaging import assemble

    raw = make_table()
    cleaning = resolve_strategy(cleaning, raw, ROLES)
    task = "regression" if target is None else "classification"
    target = raw["score"] if target is None else target
    features = DataCleaning(raw, cleaning, ROLES).handle_data().drop(columns="score")
    built = Pipeline([("features", learned.build(features, task)), ("estimator", estimator)])
    return assemble(built.fit(features, target), cleaning, ROLES, features, raw)


def save_release(folder: Path, pipeline: Any, version: int = 1) -> Saved:
    """Save a model as a run does, with the description that `mlrunner.groups.deployer.packaging` writes."""
    import mlflow.sklearn

    from mlrunner.groups.deployer import packaging
    from mlrunner.groups.model.packaging import find_trusted_types, pin_requirements
    from mlrunner.steps import model_signature

    release = Release("houses", version, folder / str(version))
    example = model_signature.convert_integers(make_table(5)[list(KINDS)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecation warnings of pandas in MLflow
        mlflow.sklearn.save_model(
            pipeline,
            str(release.model),
            signature=model_signature.build_signature(pipeline, example, pipeline["cleaning"].strategy),
            input_example=example,
            pip_requirements=pin_requirements(pipeline),
            skops_trusted_types=find_trusted_types(pipeline),
        )
    description = {
        "facts": {"name": "houses", "version": version, "model_uri": "models:/m-1"},
        "saved": packaging.describe_model(release.model, "models:/m-1", pipeline),
        "expected": packaging.predict_example(pipeline, release.model),
    }
    (release.folder / RELEASE_FILE).write_text(json.dumps(description, default=str))
    return Saved(release, pipeline)


@functools.cache
def save_regression(folder: Path, version: int = 1) -> Saved:
    """Save a regression whose model depends on the version; cached by folder and version."""
    from sklearn.linear_model import Ridge

    return save_release(folder / "regression", fit_pipeline(Ridge(alpha=version)), version)


@functools.cache
def save_classification(folder: Path) -> Saved:
    """Save a classification of texts."""
    from sklearn.tree import DecisionTreeClassifier

    labels = (make_table()["size"] > 50).map({True: "large", False: "small"})
    return save_release(folder / "classification", fit_pipeline(DecisionTreeClassifier(random_state=0), target=labels))


@functools.cache
def save_faulty(folder: Path) -> Saved:
    """Save a `FaultyModel`."""
    plain = Features(**{**list_settings(FEATURES), "scale": None, "indicate_missing": False})
    return save_release(folder / "faulty", fit_pipeline(FaultyModel(), learned=plain))


def list_settings(features: Features) -> dict[str, Any]:
    """Return the settings of learned features."""
    names = ("impute", "indicate_missing", "scale", "low_cardinality", "high_cardinality", "text_features", "seed")
    return {name: getattr(features, name) for name in names}
