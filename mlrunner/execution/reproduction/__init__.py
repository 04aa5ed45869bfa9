"""Run again what was frozen when a run was launched, and see whether the same numbers come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlrunner.composition.stores import open_store
from mlrunner.core.errors import ConfigError, ProblemsError
from mlrunner.steps.progress import TRAINING_STEPS
from mlrunner.tracking.records import REPRODUCES_TAG, lookup, separate_stack_overrides
from mlrunner.tracking.records.record import REPRODUCED_TAG

if TYPE_CHECKING:
    from mlrunner.execution.reproduction.rerun import PreparedRerun
    from mlrunner.execution.reproduction.scores import MetricComparison

REFIT_STEPS = ("ingest", "clean", "divide", "refit", "judge", "gate", "deploy")


@dataclass(frozen=True)
class Reproduction:
    """What came of it.

    Args:
        run_id: Of the run that was to be reproduced.
        name: Its name.
        differences: What is not as it was, a sentence each.
        new_run_id: Of the run that was made.
        metrics: Each metric, then and now.
        tolerance: The share of a value by which it may differ.
        note: Why the tolerance is not 0, or which metrics were not compared; None for nothing.
    """

    run_id: str
    name: str
    differences: tuple[str, ...]
    new_run_id: str
    metrics: tuple[MetricComparison, ...]
    tolerance: float = 0.0
    note: str | None = None

    @property
    def is_reproduced(self) -> bool:
        """Whether there were metrics to compare, and each is as it was."""
        return bool(self.metrics) and all(one.is_same for one in self.metrics)


@dataclass(frozen=True)
class Inspection:
    """A run that could be reproduced, and what is not as it was."""

    prepared: PreparedRerun
    differences: tuple[str, ...]

    @property
    def steps(self) -> tuple[str, ...]:
        """The names of the steps that it will take."""
        return REFIT_STEPS if self.prepared.is_refit else TRAINING_STEPS


def inspect_run(what: str, home: Path, overrides: Sequence[str] = (), strict: bool = False) -> Inspection:
    """Find a run, compose what was frozen, and see what is not as it was.

    Args:
        what: A run, a trial of a sweep or a sweep, which stands for its winner; see `records.naming.find`.
        home: The folder that holds `.mlrunner/` and `multirun/`.
        overrides: Of the stack, and of where things are on this machine: `dataset.path`, `dataset.url`, `threads`.
        strict: Refuse when anything is not as it was.

    Raises:
        ConfigError: When there is no such run, or it cannot be composed.
        ProblemsError: When it is refused.
    """
    from mlrunner.execution.reproduction import differences as grounds
    from mlrunner.execution.reproduction import rerun

    store = open_store(home, separate_stack_overrides(overrides)[1])
    record = lookup.resolve_sweep(store, lookup.find(store, what, home))
    if record.is_sweep:
        raise ConfigError(
            f"The sweep {record.place} has neither winner nor best run in the store; name one of its runs, "
            f"{record.place}/0."
        )
    prepared = rerun.prepare(record, store, overrides)
    differences = tuple(grounds.list_differences(record, store, prepared.checked))
    if strict and differences:
        raise ProblemsError([*differences, f"Run {record.short} is not reproduced: --strict refuses; leave it out."])
    return Inspection(prepared, differences)


def reproduce_run(looked: Inspection, tolerance: float | None = None) -> Reproduction:
    """Run again what was looked at, and compare every metric.

    Args:
        looked: From `inspect_run`.
        tolerance: The share of a value by which a metric may differ; None: 0 where the estimator is deterministic.

    Raises:
        MlrunnerError: When it does not run, or left no scores to compare.
    """
    from mlrunner.execution.reproduction import rerun
    from mlrunner.execution.reproduction import tolerance as chance
    from mlrunner.execution.reproduction.scores import average_metrics, check_scores, compare_metrics

    prepared, record = looked.prepared, looked.prepared.record
    check_scores(record)
    allowed, note = chance.choose_tolerance(prepared.checked.composition["model"].get("estimator") or {}, tolerance)
    outcomes = rerun.run(prepared)
    made = Reproduction(
        run_id=record.run_id,
        name=record.name,
        differences=looked.differences,
        new_run_id=str(outcomes[0].run_id),
        metrics=tuple(compare_metrics(record, average_metrics(outcomes, rerun.read_fold_scores(outcomes)), allowed)),
        tolerance=allowed,
        note=note or prepared.note,
    )
    rerun.tag_runs(prepared, outcomes, {REPRODUCES_TAG: record.run_id, REPRODUCED_TAG: str(made.is_reproduced).lower()})
    return made
