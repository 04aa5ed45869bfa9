"""What ZenML records of a trial, and which trials it records in the background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlrunner.core.redaction import redact_override

if TYPE_CHECKING:
    from mlrunner.search.trial_progress import FinishedTrial
    from pipelines.rows import Rows

StepArguments = tuple["Rows", Any, dict[str, Any]]  # tables, scored rows or folds, and what ZenML records of a trial


@dataclass(frozen=True)
class BackgroundStep:
    """A step that is written to ZenML's store like another one; see `steps.trial_steps.write_step`.

    Args:
        run: ZenML's name of the run.
        template: Number of a trial with the same tables, whose step ZenML has run.
        record: Parameters of the step.
        started: Time of the trial's start, in seconds since the epoch.
        seconds: Duration of the trial.
    """

    run: str
    template: int
    record: dict[str, Any]
    started: float
    seconds: float

    def write(self) -> None:
        """Write the step; imports ZenML, which the background process does not need before."""
        from mlrunner.steps.trial_steps import write_step

        write_step(self.run, self.template, self.record, self.started, self.seconds)


class TrialSteps:
    """Decides which trials ZenML runs a step for: the first one of each set of tables.

    Args:
        run: ZenML's name of the run.
    """

    def __init__(self, run: str) -> None:
        self._run = run
        self._tables: dict[int, Any] = {}  # key of the tables of each trial that ZenML was asked to run a step for
        self._templates: dict[Any, int] = {}

    def describe(self, finished: FinishedTrial) -> StepArguments | None:
        """Describe the step that ZenML is to run for a trial; None for one that was refused, which has no tables."""
        if finished.tables is None:
            return None
        self._tables[finished.result.number] = finished.tables.files[0]
        rows, (_, validation, _) = finished.tables.rows[0], finished.tables.files[0]
        return rows, rows.validation if validation else rows.folds, _describe(finished)

    def confirm(self, number: int) -> None:
        """Note that ZenML has run the step of a trial: it is the template for others with the same tables."""
        self._templates[self._tables[number]] = number

    def find_background_step(self, finished: FinishedTrial) -> BackgroundStep | None:
        """Return the step of a trial where there is a template for it; None where ZenML is to run it."""
        template = None if finished.tables is None else self._templates.get(finished.tables.files[0])
        if template is None:
            return None
        return BackgroundStep(self._run, template, _describe(finished), finished.started, finished.result.seconds)


def _describe(finished: FinishedTrial) -> dict[str, Any]:
    result, prepared = finished.result, finished.prepared
    return {
        "number": result.number,
        "state": result.state,
        "overrides": [redact_override(text) for text in prepared.overrides],
        "model_config": prepared.composition["model"],
        "scores": drop_nan(result.metrics),
    }


def drop_nan(metrics: dict[str, float]) -> dict[str, float]:
    """Return the metrics without those that are NaN."""
    return {name: value for name, value in metrics.items() if value == value}
