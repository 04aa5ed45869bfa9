"""A search: one run for all trials, one step for each trial, and the winner at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from mlrunner.steps import fitting

from .deployment import gate_and_deploy
from .options import dynamic_pipeline
from .rows import Rows, prepare_rows


class SearchDriver(Protocol):
    """Runs a search; the pipeline gives it tables, and records its trials."""

    def run_trials(self, make_rows: Callable[..., Rows]) -> Iterator[tuple[Rows, Any, dict[str, Any]]]:
        """Run the trials, and yield the arguments of the step that records each."""

    def prepare_winner(self) -> Any:
        """Return the arguments of the steps that refit the winner; None without a refit."""


DRIVERS: dict[str, SearchDriver] = {}  # searches of this process by study: arguments of a pipeline must be plain values


@dynamic_pipeline
def search(study: str) -> None:
    """Record each trial as it finishes; refit the winner, score it, and deploy it if the gate opens."""
    driver = DRIVERS[study]
    for rows, scored, record in driver.run_trials(prepare_rows):
        fitting.trial(rows.train, scored, **record)
    winner = driver.prepare_winner()
    if winner is None:
        return
    rows = winner.rows
    fitted = fitting.refit(rows.train, rows.validation, rows.folds, rows.raw, **winner.refit)
    metrics = fitting.judge(fitted, rows.train, rows.validation, rows.test, rows.folds, winner.scores, **winner.judge)
    gate_and_deploy(fitted, rows, metrics, winner.problem, winner.gate, winner.deployer, winner.run)
