"""The peer BentoML: the same model behind one batchable API. Runs in BentoML's own environment."""

from __future__ import annotations

import json
import os
from typing import Any

import bentoml
import mlflow.sklearn
import numpy as np
import pandas as pd

NAMES = json.loads(os.environ["PEER_COLUMNS"])  # a batch has every column, in this order


@bentoml.service(name="olist", workers=1, traffic={"timeout": 60})
class Olist:
    """A model of MLflow's, as BentoML serves one."""

    def __init__(self) -> None:
        self.model = mlflow.sklearn.load_model(os.environ["PEER_MODEL"])

    @bentoml.api(route="/predict", batchable=True, max_batch_size=1024)
    def predict(self, dataframe_records: list[dict[str, Any]]) -> list[float]:
        """Predict raw rows; BentoML puts those of waiting requests together."""
        rows = pd.DataFrame(dataframe_records, columns=NAMES)
        return np.ravel(self.model.predict(rows)).tolist()
