"""The step of a batch prediction, called without a pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.core.errors import ConfigError
from mlrunner.steps.predicting import predict
from mlrunner.steps.prediction import PredictionJob


def test_step_refuses_what_the_job_cannot_write(tmp_path: Path) -> None:
    settings = {"folder": str(tmp_path), "name": "m", "version": 1, "offline": True, "keep": [], "rows_per_chunk": 10}
    job = PredictionJob(**settings, out=str(tmp_path / "out.txt"), force=False)
    with pytest.raises(ConfigError, match="its suffix selects no format"):
        predict.entrypoint({}, job)
