"""The stores of a home, opened with MLflow's own client."""

from __future__ import annotations

from pathlib import Path

from mlflow import MlflowClient


def open_store(home: Path) -> MlflowClient:
    """Return a client of the MLflow store of a home."""
    return MlflowClient(f"sqlite:///{home}/.mlrunner/mlflow.db")
