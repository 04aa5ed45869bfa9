"""The variable that MLflow's stores read; that `Default` lies in the home is tested in `tests/apps/test_robust.py`."""

from __future__ import annotations

from mlflow.tracking._tracking_service import utils

from mlrunner.groups.stack.mlflow_private import ARTIFACT_ROOT


def test_mlflow_reads_the_variable() -> None:
    assert utils._SERVER_ARTIFACT_ROOT_ENV_VAR == ARTIFACT_ROOT
