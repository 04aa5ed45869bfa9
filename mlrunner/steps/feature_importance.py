"""Record the model's own importance of each feature as an artifact of the run."""

from __future__ import annotations

from typing import Any

from mlrunner.evaluation.importances import list_importances
from mlrunner.steps.recording import RunContext
from mlrunner.tracking import artifacts
from mlrunner.tracking.background_writer import RECORDER
from mlrunner.tracking.records.record import IMPORTANCE_FILE


def log_importances(run: RunContext, fitted: Any) -> None:
    """Save the importances of a fitted pipeline in the background; nothing for a model that has none.

    Args:
        run: Run of the model.
        fitted: Fitted pipeline of encoders and an estimator.
    """
    RECORDER.submit(_log_importances, run.run_id, fitted)


def _log_importances(run_id: str, fitted: Any) -> None:
    importances = list_importances(fitted)
    if importances:
        artifacts.log_documents(run_id, {IMPORTANCE_FILE: importances})
