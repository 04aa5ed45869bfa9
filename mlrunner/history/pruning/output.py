"""Print a plan or its result: a table and sentences for people, a document for programs."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from rich import filesize

from mlrunner.core.errors import brief
from mlrunner.core.terminal import console
from mlrunner.history.listing import columns, formats
from mlrunner.history.listing.entries import Entry
from mlrunner.history.pruning.plan import Item, Plan
from mlrunner.history.pruning.selection import score
from mlrunner.tracking.records import Record
from mlrunner.tracking.records.record import PRUNING_TAG

MAX_ROWS = 40
MAX_NAMES = 3  # for each reason
COLUMNS = ("id", "differs", "when", "objective", "test", "status")


class PrunedRun(Entry):
    """A run to remove, as a row of the table."""

    @property
    def id(self) -> str:
        """SWEEP of a parent, else the beginning of the run's id."""
        return self.record.place if self.record.is_sweep else self.record.short

    @property
    def status(self) -> str:
        """The status of the run; `partly removed` if an earlier prune was interrupted."""
        return "partly removed" if PRUNING_TAG in self.record.tags else super().status


def print_plan(plan: Plan) -> None:
    """Print what a prune would remove, and what stays."""
    if plan.items:
        _print_table(plan.items[:MAX_ROWS])
    sizes = [*list(plan.cache.items())[:MAX_ROWS], *((each, each.bytes) for each in plan.leftovers[:MAX_ROWS])]
    for name, size in sizes:
        console().print(f"{filesize.decimal(size):>9} {name}", markup=False, soft_wrap=True)
    if (more := sum(max(0, len(part) - MAX_ROWS) for part in (plan.items, plan.cache, plan.leftovers))) > 0:
        console().print(f"… and {more:,} more; --json lists all.", style="dim")
    what = "Nothing would be removed" if plan.is_empty else f"{summary(plan)} would be removed"
    console().print(f"{what}{_kept(plan)}" + ("." if plan.is_empty else "; remove with --yes."))


def _print_table(items: Sequence[Item]) -> None:
    sizes = {item.record.run_id: filesize.decimal(item.bytes) for item in items}
    common = [columns.RUN_COLUMNS[name] for name in COLUMNS]
    last = columns.EntryColumn("size", lambda entry: sizes[entry.record.run_id], right=True)
    formats.print_table([PrunedRun(item.record, item.record, None) for item in items], [*common, last], is_default=True)


def print_result(removed: Plan, problems: Sequence[str], for_good: bool) -> None:
    """Print what was removed, and what could not be removed."""
    what = "Nothing was removed" if removed.is_empty else f"Removed {summary(removed)}"
    console().print(f"{what}{_kept(removed)}.")
    if not for_good and removed.items:
        console().print("The MLflow server only marks them as deleted; mlflow gc on its machine removes them.")
    for sentence in problems:
        console(stderr=True).print(f"mlrunner: {sentence}", style="red")


def summary(plan: Plan) -> str:
    """Count the runs, sweeps, cache entries, images, containers and bytes of a plan."""
    sweeps, entries = sum(item.record.is_sweep for item in plan.items), len(plan.cache)
    runs = len(plan.items) - sweeps
    nouns = {f"run{'s' * (runs != 1)}": runs, f"sweep{'s' * (sweeps != 1)}": sweeps}
    nouns["unused cache entry" if entries == 1 else "unused cache entries"] = entries
    images = sum(each.is_image for each in plan.leftovers)
    containers = len(plan.leftovers) - images
    nouns |= {f"unused image{'s' * (images != 1)}": images, f"container{'s' * (containers != 1)}": containers}
    return ", ".join([*(f"{count:,} {noun}" for noun, count in nouns.items() if count), filesize.decimal(plan.bytes)])


def _kept(plan: Plan) -> str:
    cache = "; the cache stays while a sweep is running" * plan.is_cache_busy
    if not plan.exclusions:
        return cache
    count, reasons = len(plan.exclusions), defaultdict[str, list[str]](list)
    for run, reason in plan.exclusions:
        reasons[reason].append(run.place)
    parts = [f"{brief(names, MAX_NAMES)}{', each of which' * (len(names) > 1)} {why}" for why, names in reasons.items()]
    return f"; {count} stay{'s' * (count == 1)}: {'; '.join(parts)}{cache}"


def document(plan: Plan, dry_run: bool = True) -> dict[str, Any]:
    """Build the JSON document of a plan, or of what was removed."""
    return {
        "dry_run": dry_run,
        "runs": [_describe(item) for item in plan.items],
        "sweeps": sum(item.record.is_sweep for item in plan.items),
        "cache": [{"path": str(path), "bytes": size} for path, size in plan.cache.items()],
        "images": [{"name": each.name, "bytes": each.bytes} for each in plan.leftovers if each.is_image],
        "containers": [each.name for each in plan.leftovers if not each.is_image],
        "bytes": plan.bytes,
        "stay": [{**_names(run), "reason": reason} for run, reason in plan.exclusions],
    }


def _describe(item: Item) -> dict[str, Any]:
    run = item.record
    return {
        **_names(run),
        "is_sweep": run.is_sweep,
        "status": run.status,
        "age_seconds": round(time.time() - (run.end or run.start) / 1000, 1),
        "metric": run.metric,
        "score": score(run),
        "bytes": item.bytes,
        "folder": None if item.folder is None else str(item.folder),
    }


def _names(run: Record) -> dict[str, str]:
    return {"run_id": run.run_id, "name": run.name, "place": run.place}
