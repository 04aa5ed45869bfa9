"""The importances of a run's features are one of its artifacts."""

from __future__ import annotations

import json
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline

from mlrunner.steps.feature_importance import log_importances
from mlrunner.steps.recording import RunContext
from mlrunner.tracking.background_writer import RECORDER
from mlrunner.tracking.records.record import IMPORTANCE_FILE
from tests.support.models import build_option

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:alembic", "ignore::ResourceWarning")
ROWS = pd.DataFrame({"x": np.arange(40.0), "kind": ["u", "v"] * 20})


def read(client: MlflowClient, run: RunContext) -> Any:
    RECORDER.flush()
    if IMPORTANCE_FILE not in [item.path for item in client.list_artifacts(run.run_id)]:
        return None
    uri = client.get_run(run.run_id).info.artifact_uri
    return json.loads(mlflow.artifacts.load_text(f"{uri}/{IMPORTANCE_FILE}"))


def test_they_are_listed_by_name(client: MlflowClient, run: RunContext) -> None:
    fitted = build_option("ridge", "regression").build(ROWS, "regression").fit(ROWS, ROWS["x"])
    log_importances(run, fitted)
    columns = {line["feature"]: line["column"] for line in read(client, run)}
    assert columns == {"x": "x", "kind_u": "kind", "kind_v": "kind"}


def test_a_model_without_any_leaves_no_file(client: MlflowClient, run: RunContext) -> None:
    log_importances(run, make_pipeline(KNeighborsRegressor(1)).fit(ROWS[["x"]], ROWS["x"]))
    assert read(client, run) is None
