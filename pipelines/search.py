"""A search: one run for all trials, one step for each trial, and the winner at the end."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from mlrunner.steps import fitting, trial_steps

from .deployment import gate_and_deploy
from .options import dynamic_pipeline
from .rows import Rows, prepare_rows


class SearchDriver(Protocol):
    """Runs a search; the pipeline gives it tables, and records its trials."""

    def run_trials(self, make_rows: Callable[..., Rows]) -> Iterator[tuple[Rows, Any, dict[str, Any]]]:
        """Run the trials, and yield the arguments of each step that ZenML is to run."""

    def confirm_step(self, number: int) -> None:
        """Note that ZenML has run the step of a trial."""

    def await_records(self) -> None:
        """Wait until all trials are recorded."""

    pipeline_run: str  # ZenML's name of the run: that of the search, a dash and that of the session

    def prepare_winner(self) -> Any:
        """Return the arguments of the steps that refit the winner; None without a refit."""


DRIVERS: dict[str, SearchDriver] = {}  # searches of this process by study: arguments of a pipeline must be plain values


@dynamic_pipeline
def search(study: str) -> None:
    """Record each trial when it has finished; refit the winner, score it, and deploy it if the gate opens."""
    driver = DRIVERS[study]
    try:
        _record_trials(driver)
        _refit_winner(driver)
    finally:
        driver.await_records()  # a run that has ended takes no more steps


def _record_trials(driver: SearchDriver) -> None:
    name = f"{driver.pipeline_run.rpartition('-')[0]}-"
    for rows, scored, record in driver.run_trials(prepare_rows):
        number = record["number"]
        if not trial_steps.is_recorded(name, number):  # by a session that was killed right afterwards
            fitting.trial(rows.train, scored, id=trial_steps.name_step(number), **record)
            driver.confirm_step(number)


def _refit_winner(driver: SearchDriver) -> None:
    winner = driver.prepare_winner()
    if winner is None:
        return
    rows = winner.rows
    fitted = fitting.refit(rows.train, rows.validation, rows.folds, rows.raw, **winner.refit)
    metrics = fitting.judge(fitted, rows.train, rows.validation, rows.test, rows.folds, winner.scores, **winner.judge)
    gate_and_deploy(fitted, rows, metrics, winner.problem, winner.gate, winner.deployer, winner.run)
