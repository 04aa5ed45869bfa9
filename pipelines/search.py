"""A search: one run for all of its trials, a step a trial, and the winner at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from zenml import pipeline

from mlrunner.steps import fitting
from pipelines.deployment import hand_over
from pipelines.rows import Rows, rows


class Conduct(Protocol):
    """Whoever conducts a search; the pipeline gives it tables and records what it tells."""

    def trials(self, rows_of: Callable[..., Rows]) -> Iterator[Any]:
        """Run the trials, and tell of each that had rows."""

    def winner(self) -> Iterator[Any]:
        """Tell of the winner, if there is one."""


UNDER_WAY: dict[str, Conduct] = {}  # the searches of this process, by the name of their study


@pipeline(
    dynamic=True,
    enable_step_logs=False,
    enable_pipeline_logs=False,
    enable_artifact_metadata=False,
    enable_heartbeat=False,
)
def search(study: str) -> None:
    """Record each trial as it ends; refit the winner, judge it, and deploy it if the gate opens."""
    conduct = UNDER_WAY[study]
    for ended in conduct.trials(rows):
        fitting.trial(ended.rows.train, ended.judging, **ended.told)
    for won in conduct.winner():
        fitted = fitting.refit(won.rows.train, won.rows.validation, won.rows.raw, **won.told)
        metrics = fitting.judge(fitted, won.rows.train, won.rows.validation, won.rows.test, won.validated, **won.judged)
        hand_over(fitted, won.rows, metrics, won.told["dataset"], won.gate, won.deployer, won.tracked)
