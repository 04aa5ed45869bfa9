"""A search: one run for all of its trials, a step a trial, and the winner at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from zenml import pipeline

from mlrunner.steps import fitting
from pipelines.deployment import gate_and_deploy
from pipelines.rows import Rows, prepare_rows


class SearchDriver(Protocol):
    """Runs a search; the pipeline gives it tables, and records its trials."""

    def run_trials(self, make_rows: Callable[..., Rows]) -> Iterator[tuple[Rows, Any, dict[str, Any]]]:
        """Run the trials, and yield the arguments of the step that records each."""

    def prepare_winner(self) -> Any:
        """Return the arguments of the steps that refit the winner; None without a refit."""


DRIVERS: dict[str, SearchDriver] = {}  # searches of this process by study: arguments of a pipeline must be plain values


@pipeline(
    dynamic=True,
    enable_step_logs=False,
    enable_pipeline_logs=False,
    enable_artifact_metadata=False,
    enable_heartbeat=False,
)
def search(study: str) -> None:
    """Record each trial as it finishes; refit the winner, score it, and deploy it if the gate opens."""
    driver = DRIVERS[study]
    for tables, scored, record in driver.run_trials(prepare_rows):
        fitting.trial(tables.train, scored, **record)
    winner = driver.prepare_winner()
    if winner is None:
        return
    tables = winner.rows
    fitted = fitting.refit(tables.train, tables.validation, tables.raw, **winner.refit)
    metrics = fitting.judge(fitted, tables.train, tables.validation, tables.test, winner.scores, **winner.judge)
    gate_and_deploy(fitted, tables, metrics, winner.refit["dataset"], winner.gate, winner.deployer, winner.tracked)
