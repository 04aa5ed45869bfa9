"""Print a plan: a table and sentences for people, a document for programs."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Any

from mlrunner.core.errors import brief
from mlrunner.core.terminal import console
from mlrunner.history import pruning
from mlrunner.history.listing import columns, formats
from mlrunner.history.listing.entries import Entry
from mlrunner.history.pruning import selection
from mlrunner.history.pruning.plan import Item, Plan
from mlrunner.tracking.records import Record

SHOWN = 40  # lines of the table
FEW = 3  # names of those that stay for one reason
COLUMNS = ("id", "differs", "when", "objective", "test", "status")
RANKED = (
    "Ranked by the test score; what has none, like a search's trials, by validation or folds, in a list of its own."
)


class Going(Entry):
    """A run that goes, as a line of the table."""

    @property
    def id(self) -> str:
        """A sweep is named by its place."""
        return self.record.place if self.record.is_sweep else self.record.short

    @property
    def status(self) -> str:
        """That of the run, or of an earlier removal that was interrupted."""
        return "half removed" if pruning.MARK in self.record.tags else super().status


def show(plan: Plan, is_ranked: bool = False) -> None:
    """Print what would go, and what stays.

    Args:
        plan: What would go.
        is_ranked: Whether runs were chosen by rank.
    """
    if plan.items:
        _show_table(plan.items[:SHOWN])
    if is_ranked and any(selection.scored_on(item.record) != selection.PARTS[0] for item in plan.items):
        console().print(RANKED, style="dim")
    if (more := len(plan.items) - SHOWN) > 0:
        console().print(f"… and {more:,} more; --json names them all.", style="dim")
    what = f"{summary(plan)} would go" if _any(plan) else "Nothing would go"
    console().print(f"{what}{_staying(plan)}" + ("; do it with --yes." if _any(plan) else "."))


def _show_table(items: list[Item]) -> None:
    """Print a line a run, as `mlrunner runs` does."""
    sizes = {item.record.run_id: megabytes(item.bytes) for item in items}
    usual = [columns.RUNS[name] for name in COLUMNS]
    last = columns.Column("size", lambda entry: sizes[entry.record.run_id], right=True)
    formats.as_table([Going(item.record, item.record, None) for item in items], [*usual, last], usual=True)


def report(gone: Plan, problems: list[str], for_good: bool) -> None:
    """Print what is gone, and what is not."""
    console().print(f"{f'Removed {summary(gone)}' if _any(gone) else 'Nothing is removed'}{_staying(gone)}.")
    if not for_good and gone.items:
        console().print("MLflow's server keeps them marked as deleted; mlflow gc, run there, removes them for good.")
    for sentence in problems:
        console(stderr=True).print(f"mlrunner: {sentence}", style="red")


def summary(plan: Plan) -> str:
    """Count what a plan holds."""
    sweeps = sum(item.record.is_sweep for item in plan.items)
    counts = [
        (len(plan.items) - sweeps, "run", "runs"),
        (sweeps, "sweep", "sweeps"),
        (len(plan.leftovers), "unused cache entry", "unused cache entries"),
    ]
    parts = [f"{count:,} {one if count == 1 else several}" for count, one, several in counts if count]
    return ", ".join([*parts, megabytes(plan.bytes)])


def _staying(plan: Plan) -> str:
    more = "; the cache stays while a sweep runs" * plan.waits
    if plan.outside:
        more += f"; outside of multirun/ stays {brief(plan.outside, FEW)}"
    if not plan.staying:
        return more
    count, reasons = len(plan.staying), defaultdict[str, list[str]](list)
    for stay in plan.staying:
        reasons[stay.reason].append(stay.record.place)
    parts = [f"{brief(names, FEW)}{', each of which' * (len(names) > 1)} {why}" for why, names in reasons.items()]
    return f"; {count} stay{'s' * (count == 1)}: {'; '.join(parts)}{more}"


def _any(plan: Plan) -> bool:
    return bool(plan.items or plan.leftovers)


def megabytes(count: int) -> str:
    """Write a size."""
    for size, unit in ((10**9, "GB"), (10**6, "MB")):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count / 1000:,.0f} kB"


def document(plan: Plan, done: bool = False) -> dict[str, Any]:
    """Describe a plan for programs: what would go, or what is gone when it is `done`."""
    return {
        "dry_run": not done,
        "runs": [_described(item) for item in plan.items],
        "sweeps": sum(item.record.is_sweep for item in plan.items),
        "cache": [{"path": str(unused.path), "bytes": unused.bytes} for unused in plan.leftovers],
        "bytes": plan.bytes,
        "outside": plan.outside,
        "stay": [{**_names(stay.record), "reason": stay.reason} for stay in plan.staying],
    }


def _described(item: Item) -> dict[str, Any]:
    run, folder = item.record, item.places.folder
    return {
        **_names(run),
        "is_sweep": run.is_sweep,
        "status": run.status,
        "age_seconds": round(time.time() - (run.end or run.start) / 1000, 1),
        "metric": run.metric,
        "score": selection.score(run),
        "bytes": item.bytes,
        "folder": None if folder is None else str(folder),
    }


def _names(run: Record) -> dict[str, str]:
    return {"run_id": run.run_id, "name": run.name, "place": run.place}
