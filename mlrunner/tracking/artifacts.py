"""Save what a run leaves as files: its model, figures, texts and documents."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import mlflow
from mlflow import MlflowClient
from mlflow.entities import RunTag
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from mlrunner.core.model_code import copy_model_code
from mlrunner.core.redaction import redact
from mlrunner.tracking.records.record import MODEL_TAG

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PNG = {"dpi": 100, "pil_kwargs": {"compress_level": 1}}  # larger files, written in less time


def reserve_model(run_id: str) -> str:
    """Reserve the URI of the model that a run is about to save, and tag the run with it.

    Returns:
        The model's id, `m-…`; its URI is `models:/m-…`.
    """
    run = MlflowClient().get_run(run_id)
    model = MlflowClient().create_logged_model(run.info.experiment_id, name="model", source_run_id=run_id)
    MlflowClient().log_batch(run_id, tags=[RunTag(MODEL_TAG, f"models:/{model.model_id}")])
    return str(model.model_id)


def save_model(run_id: str, model_id: str, pipeline: Any, **options: Any) -> None:
    """Save a fitted pipeline at its reserved URI.

    Args:
        run_id: Id of the run that fitted it.
        model_id: Id from `reserve_model`.
        pipeline: Fitted scikit-learn pipeline that takes raw rows.
        **options: `signature`, `input_example`, `pip_requirements` and `skops_trusted_types` for
            `mlflow.sklearn.log_model`.
    """
    with TemporaryDirectory(prefix="mlrunner-code-") as folder, mlflow.start_run(run_id=run_id):
        code = str(copy_model_code(Path(folder)))
        mlflow.sklearn.log_model(pipeline, model_id=model_id, code_paths=[code], **options)


def log_figures(run_id: str, figures: dict[str, Figure]) -> None:
    """Save figures, by name, as `plots/<name>.png`."""
    client = MlflowClient()
    for name, figure in figures.items():
        client.log_figure(run_id, figure, f"plots/{name}.png", save_kwargs=PNG)


def log_texts(run_id: str, texts: dict[str, str], artifact_uri: str | None = None) -> None:
    """Save texts with their secrets hidden.

    Args:
        run_id: Id of the run.
        texts: Texts by artifact path.
        artifact_uri: Where the run keeps its artifacts; None: MLflow looks the run up, a seventh of a trial's record.
    """
    with TemporaryDirectory(prefix="mlrunner-texts-") as folder:
        for path, content in texts.items():
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(redact(content))
        if artifact_uri is None:
            MlflowClient().log_artifacts(run_id, folder)
        else:
            get_artifact_repository(artifact_uri).log_artifacts(folder)  # type: ignore[no-untyped-call]


def log_documents(run_id: str, documents: dict[str, Any]) -> None:
    """Save plain values as JSON, by artifact path; nothing is hidden, since a column may be called `token`."""
    for path, value in documents.items():
        MlflowClient().log_text(run_id, json.dumps(value), path)


def log_hydra_files(run_id: str, folder: Path) -> None:
    """Save the files that Hydra wrote into the folder of a run or of a sweep."""
    log_texts(run_id, read_hydra_files(folder))


def read_hydra_files(folder: Path) -> dict[str, str]:
    """Return the texts that Hydra wrote into the folder of a run or of a sweep, by artifact path."""
    files = [*folder.glob(".hydra/*.yaml"), *folder.glob("multirun.yaml")]
    for file in files:
        file.chmod(0o600)  # unlike the record, they hold what was typed, also passwords
    return {str(file.relative_to(folder)): file.read_text() for file in files}
