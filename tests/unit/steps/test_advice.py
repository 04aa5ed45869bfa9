"""What a run records about its scores: the trivial model's, and warnings as tags."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from mlrunner.evaluation.predictions import Predictions
from mlrunner.evaluation.scoring import Evaluation
from mlrunner.steps.advice import log_advice
from mlrunner.steps.recording import RunContext

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:alembic", "ignore::ResourceWarning")
WORSE = Evaluation({}, Predictions(np.array([0.0, 2.0]), np.array([2.0, 0.0])))  # r2 is 1 - 4/1 = -3
TARGET = pd.Series([1.0, 1.0])  # r2 of its mean is 0


@pytest.mark.parametrize(("ignored", "tags"), [((), 1), (("no_better_than_trivial",), 0)])
def test_the_trivial_score_is_a_metric_and_the_warning_a_tag(
    ignored: tuple[str, ...], tags: int, run: RunContext, client: MlflowClient
) -> None:
    log_advice(run.model_copy(update={"ignored_warnings": ignored}), WORSE, TARGET, "regression")
    data = client.get_run(run.run_id).data
    assert data.metrics == {"trivial/r2": 0.0}
    texts = [text for name, text in data.tags.items() if name == "mlrunner.warning.no_better_than_trivial"]
    assert texts == ["r2 -3 is worse than the mean of the training rows (0)."] * tags
