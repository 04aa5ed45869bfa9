"""Lean ZenML definitions: every optional record off, tables passed by a materializer that keeps them in the process."""

import threading
import time
from pathlib import Path
from typing import Annotated, Any

import common as c
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
from zenml import pipeline, step
from zenml.enums import ArtifactType
from zenml.materializers.base_materializer import BaseMaterializer

LEAN = {
    "enable_step_logs": False,
    "enable_artifact_metadata": False,
    "enable_pipeline_logs": False,
    "enable_heartbeat": False,
}
STEP = {"enable_artifact_visualization": False}
CTX: dict[str, Any] = {}  # what the running sweep hands to its steps: study, record, model, threads
TABLES: dict[str, pd.DataFrame] = {}
ARRAYS: dict[tuple[int, int], tuple] = {}
MATRICES: dict[tuple[int, int], tuple] = {}
LOCK = threading.Lock()


class CachedTable(BaseMaterializer):
    """A URI is written once, so a process may keep what it wrote or read."""

    ASSOCIATED_TYPES = (pd.DataFrame,)
    ASSOCIATED_ARTIFACT_TYPE = ArtifactType.DATA
    SKIP_REGISTRATION = True

    def save(self, data: pd.DataFrame) -> None:
        """Write the table, and keep it."""
        table = pa.Table.from_pandas(data, preserve_index=False)
        feather.write_feather(table, str(Path(self.uri) / "table.arrow"), compression="uncompressed")
        with LOCK:
            TABLES[self.uri] = data

    def load(self, data_type: type[Any]) -> pd.DataFrame:  # noqa: ARG002
        """Take the table that is kept, or read it."""
        with LOCK:
            if self.uri in TABLES:
                return TABLES[self.uri]
        table = feather.read_table(str(Path(self.uri) / "table.arrow"), memory_map=True).to_pandas()
        with LOCK:
            TABLES[self.uri] = table
        return table


@step(output_materializers=CachedTable, **STEP)
def ingest(path: str) -> Annotated[pd.DataFrame, "raw"]:
    """Read the table."""
    return c.read(path)


@step(output_materializers=CachedTable, **STEP)
def clean(df: pd.DataFrame) -> Annotated[pd.DataFrame, "clean"]:
    """Clean it."""
    return c.clean(df)


# A mapping, not a single class: with one class ZenML 0.98 iterates a set of output names, and a dynamic pipeline then
# unpacks `tr, va = split(...)` in an order that depends on PYTHONHASHSEED (measured: train and valid swapped).
@step(output_materializers={"train_set": CachedTable, "valid_set": CachedTable}, **STEP)
def split(df: pd.DataFrame) -> tuple[Annotated[pd.DataFrame, "train_set"], Annotated[pd.DataFrame, "valid_set"]]:
    """Split it."""
    train_set, valid_set = c.split(df)
    return train_set, valid_set


@step(enable_cache=False, **STEP)
def trial_step(tr: pd.DataFrame, va: pd.DataFrame, params: dict, number: int) -> Annotated[float, "rmse"]:
    """Run a trial."""
    rmse, model = fit_score(tr, va, params)
    CTX["record"](params, rmse, model)
    CTX["res"][number] = rmse
    return rmse


@step(enable_cache=False, **STEP)
def sweep_step(tr: pd.DataFrame, va: pd.DataFrame, n_trials: int) -> Annotated[dict, "best"]:
    """Run all trials."""
    study = CTX["study"]

    def objective(trial: Any) -> float:
        params = c.suggest(trial, CTX["model"])
        rmse, model = fit_score(tr, va, params)
        CTX["record"](params, rmse, model)
        return rmse

    study.optimize(objective, n_trials=n_trials, n_jobs=CTX["workers"])
    return {"rmse": study.best_value, **study.best_params}


def fit_score(tr: pd.DataFrame, va: pd.DataFrame, params: dict[str, Any]) -> tuple[float, Any]:
    """Fit and score; the rmse and the model."""
    if CTX.get("qdm"):
        return fit_score_binned(tr, va, params)
    key = (id(tr), id(va))
    if key not in ARRAYS:
        ARRAYS[key] = c.arrays(tr, va)
    rmse, model, _ = c.fit_score(CTX["model"], params, ARRAYS[key], CTX["threads"])
    return rmse, model


def fit_score_binned(tr: pd.DataFrame, va: pd.DataFrame, params: dict[str, Any]) -> tuple[float, Any]:
    """Fit and score on binned matrices, which are built once for all trials of these two tables."""
    import xgboost as xgb

    key = (id(tr), id(va))
    with LOCK:
        if key not in MATRICES:
            MATRICES[key] = matrices(tr, va)
    train, validation, known = MATRICES[key]
    began = time.perf_counter()
    model = xgb.train({**params, "tree_method": "hist", "nthread": CTX["threads"], "seed": 0}, train, 100)
    rmse = float(np.sqrt(np.mean((model.predict(validation) - known) ** 2)))
    c.spend(time.perf_counter() - began)
    return rmse, model


def matrices(tr: pd.DataFrame, va: pd.DataFrame) -> tuple[Any, Any, Any]:
    """Bin both tables; the validation's target beside them."""
    import xgboost as xgb

    began = time.perf_counter()
    x_train, y_train, x_validation, y_validation = c.arrays(tr, va)
    train = xgb.QuantileDMatrix(x_train, y_train, nthread=CTX["threads"])
    validation = xgb.QuantileDMatrix(x_validation, y_validation, ref=train, nthread=CTX["threads"])
    c.spend(time.perf_counter() - began)
    return train, validation, y_validation


@pipeline(dynamic=True, **LEAN)
def sweep_by_step(path: str, n_trials: int) -> None:
    """Run the sweep, a step a trial."""
    tr, va = split(clean(ingest(path)))
    if CTX["workers"] == 1:
        for _ in range(n_trials):
            one = CTX["study"].ask()
            trial_step(tr, va, c.suggest(one, CTX["model"]), one.number)
            CTX["study"].tell(one, CTX["res"][one.number])
        return
    flying: list[tuple[Any, Any]] = []
    for number in range(n_trials + CTX["workers"]):
        if flying and (len(flying) >= CTX["workers"] or number >= n_trials):
            land(*flying.pop(0))  # first in, first out
        if number < n_trials:
            one = CTX["study"].ask()
            flying.append((one, trial_step.submit(tr, va, c.suggest(one, CTX["model"]), one.number)))


def land(one: Any, future: Any) -> None:
    """Wait for a trial, and tell the study."""
    future.wait()
    CTX["study"].tell(one, CTX["res"][one.number])


def sweep_by_run(path: str, n_trials: int) -> None:
    """Run the sweep, a pipeline run a trial, after one that makes the data."""
    outputs = data_only(path).steps["split"].outputs
    tr, va = outputs["train_set"][0], outputs["valid_set"][0]
    for _ in range(n_trials):
        one = CTX["study"].ask()
        trial_run(tr, va, c.suggest(one, CTX["model"]), one.number)
        CTX["study"].tell(one, CTX["res"][one.number])


@pipeline(**LEAN)
def sweep_fused(path: str, n_trials: int) -> None:
    """Run the sweep, all trials in a step."""
    tr, va = split(clean(ingest(path)))
    sweep_step(tr, va, n_trials)


@pipeline(**LEAN)
def data_only(path: str) -> None:
    """Make the data."""
    split(clean(ingest(path)))


@pipeline(**LEAN)
def trial_run(tr: Any, va: Any, params: dict, number: int) -> None:
    """Run a trial."""
    trial_step(tr, va, params, number)
