"""Run a recorded composition again, and compare its metrics with those of the first run."""

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
    """Result of a reproduction.

    Args:
        run_id: Id of the run that was reproduced.
        name: Name of that run.
        differences: Differences of code, data and packages, one sentence each.
        new_run_id: Id of the new run.
        metrics: Comparison of each metric.
        tolerance: Largest relative difference of a reproduced metric.
        note: Reason of a tolerance above 0, or which metrics were not compared; None when there is nothing to say.
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
        """Whether metrics were compared, and all are the same within the tolerance."""
        return bool(self.metrics) and all(metric.is_same for metric in self.metrics)


@dataclass(frozen=True)
class Inspection:
    """A run that can be reproduced, and the differences of code, data and packages since then."""

    prepared: PreparedRerun
    differences: tuple[str, ...]

    @property
    def steps(self) -> tuple[str, ...]:
        """Names of the pipeline's steps."""
        return REFIT_STEPS if self.prepared.is_refit else TRAINING_STEPS


def inspect_run(
    name: str, home: Path, overrides: Sequence[str] = (), strict: bool = False, trust: bool = False
) -> Inspection:
    """Find a run, compose its recorded configuration, and list what has changed since.

    Args:
        name: Name of a run, a trial or a sweep, as `records.lookup.find` takes it; a sweep stands for its winner.
        home: Folder that holds `.mlrunner/` and `multirun/`.
        overrides: Overrides of the stack, `dataset.path`, `dataset.url` and `threads`.
        strict: True to refuse a run when anything has changed.
        trust: True to read the query or address of its data set, with the rights of the current user.

    Raises:
        ConfigError: When there is no such run, or its configuration cannot be composed.
        ProblemsError: When the check of the composition or `strict` refuses the run.
    """
    from mlrunner.execution.reproduction import rerun
    from mlrunner.execution.reproduction.differences import list_differences

    store = open_store(home, separate_stack_overrides(overrides)[1])
    record = lookup.resolve_sweep(store, lookup.find(store, name, home))
    if record.is_sweep:
        raise ConfigError(
            f"The sweep {record.place} has neither a winner nor a best run in the store; name one of its runs, such as "
            f"{record.place}/0."
        )
    prepared = rerun.prepare(record, store, overrides, trust)
    differences = tuple(list_differences(record, store, prepared.checked))
    if strict and differences:
        raise ProblemsError([*differences, f"Run {record.short} is not reproduced because of --strict; leave it out."])
    return Inspection(prepared, differences)


def reproduce_run(inspection: Inspection, tolerance: float | None = None) -> Reproduction:
    """Run a recorded composition again, and compare every metric.

    Args:
        inspection: Inspection from `inspect_run`.
        tolerance: Largest relative difference of a metric; None means 0 for a deterministic estimator, else 5 %.

    Raises:
        MlrunnerError: When the run fails, or there are no metrics to compare.
    """
    from mlrunner.execution.reproduction import rerun
    from mlrunner.execution.reproduction.scores import average_metrics, check_scores, compare_metrics
    from mlrunner.execution.reproduction.tolerance import choose_tolerance

    prepared, record = inspection.prepared, inspection.prepared.record
    check_scores(record)
    allowed, note = choose_tolerance(prepared.checked.composition["model"].get("estimator") or {}, tolerance)
    outcomes = rerun.run(prepared)
    metrics = average_metrics(outcomes, rerun.read_fold_scores(outcomes))
    result = Reproduction(
        run_id=record.run_id,
        name=record.name,
        differences=inspection.differences,
        new_run_id=str(outcomes[0].run_id),
        metrics=tuple(compare_metrics(record, metrics, allowed)),
        tolerance=allowed,
        note=note or prepared.note,
    )
    verdict = {REPRODUCES_TAG: record.run_id, REPRODUCED_TAG: str(result.is_reproduced).lower()}
    rerun.tag_runs(prepared, outcomes, verdict)
    return result
