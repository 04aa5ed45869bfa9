"""Outcomes of jobs that were not run."""

from __future__ import annotations

from typing import Any

from mlrunner.core.outcome import Outcome


def make_outcome(**fields: Any) -> Outcome:
    """Make the outcome of a finished job; fields replace the defaults."""
    defaults: dict[str, Any] = {
        "name": "model=rf",
        "status": "FINISHED",
        "metric": "r2",
        "direction": "maximize",
        "objective": 0.5,
        "seconds": 2.345,
        "fit_seconds": 1.234,
        "score_seconds": 0.5,
        "metrics": {"r2": 0.5, "train/r2": 0.75, "validation/r2": 0.5, "test/r2": 0.25},
        "run_id": "0123456789abcdef",
        "model_uri": "models:/m-1",
        "folder": "/home/multirun/2026-01-31/12-00-00",
        "job": 0,
    }
    return Outcome(**{**defaults, **fields})
