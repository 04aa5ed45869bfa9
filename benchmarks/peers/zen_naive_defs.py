"""The pipeline that a user writes from ZenML's tutorial: five steps, the model an artifact and logged to MLflow."""

import os
import time
from typing import Annotated, Any

import common as c
import mlflow
import numpy as np
import pandas as pd
from zenml import pipeline, step

CACHE = os.environ.get("PEER_ZEN_CACHE", "data")  # data | off


@step
def ingest(path: str) -> Annotated[pd.DataFrame, "raw"]:
    """Read the table."""
    return c.read(path)


@step
def clean(df: pd.DataFrame) -> Annotated[pd.DataFrame, "clean"]:
    """Clean it."""
    return c.clean(df)


@step
def split(df: pd.DataFrame) -> tuple[Annotated[pd.DataFrame, "train_set"], Annotated[pd.DataFrame, "valid_set"]]:
    """Split it."""
    train_set, valid_set = c.split(df)
    return train_set, valid_set


@step(experiment_tracker="mlf", enable_cache=False)
def train(tr: pd.DataFrame, model: str, params: dict, threads: int) -> Annotated[Any, "model"]:
    """Fit the model and log it."""
    made = c.estimator(model, params, threads)
    x, y = tr.drop(columns="target").to_numpy("float32"), tr["target"].to_numpy("float32")
    began = time.perf_counter()
    made.fit(x, y)
    c.spend(time.perf_counter() - began)
    mlflow.log_params(params)
    (mlflow.sklearn if model == "ridge" else mlflow.xgboost).log_model(made, name="model")
    return made


@step(experiment_tracker="mlf", enable_cache=False)
def evaluate(m: Any, va: pd.DataFrame) -> Annotated[float, "rmse"]:
    """Score the model and log it."""
    x, y = va.drop(columns="target").to_numpy("float32"), va["target"].to_numpy("float32")
    began = time.perf_counter()
    rmse = float(np.sqrt(np.mean((m.predict(x) - y) ** 2)))
    c.spend(time.perf_counter() - began)
    mlflow.log_metric("rmse", rmse)
    return rmse


@pipeline(enable_cache=CACHE == "data")
def trial(path: str, model: str, params: dict, threads: int) -> None:
    """Run a trial whole."""
    tr, va = split(clean(ingest(path)))
    evaluate(train(tr, model, params, threads), va)
