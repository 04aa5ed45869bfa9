"""What a person reads of a prune, and what a program does."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Any

from rich.table import Table

from mlrunner import pruning
from mlrunner.errors import brief
from mlrunner.listing.columns import ago
from mlrunner.pruning import selection
from mlrunner.pruning.plan import Item, Plan
from mlrunner.terminal import console, number

SHOWN = 40  # lines of the table
FEW = 3  # names of those that stay for one reason
LONG = 60  # letters of a name


def show(found: Plan) -> None:
    """Print what would go, and what stays."""
    if found.items:
        console().print(_table(found.items[:SHOWN]))
        more = len(found.items) - SHOWN
        console().print(f"… and {more:,} more; --json names them all.", style="dim") if more > 0 else None
    what = f"{summary(found)} would go" if _any(found) else "Nothing would go"
    console().print(f"{what}{_staying(found)}" + ("; do it with --yes." if _any(found) else "."))


def _table(items: list[Item]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("id", "name", "when", "status", "score", "size"):
        table.add_column(name, justify="right" if name in ("score", "size") else "left", overflow="fold")
    for item in items:
        one, score = item.record, selection.score(item.record)
        told = "-" if score is None else f"{one.metric} {number(score)}"
        name = one.name if len(one.name) <= LONG else f"{one.name[: LONG - 1]}…"
        table.add_row(one.place, name, ago(one.start), _status(item), told, megabytes(item.bytes))
    return table


def tell(gone: Plan, problems: list[str], for_good: bool) -> None:
    """Print what is gone, and what is not."""
    console().print(f"{f'Removed {summary(gone)}' if _any(gone) else 'Nothing is removed'}{_staying(gone)}.")
    if not for_good and gone.items:
        console().print("MLflow's server keeps them marked as deleted; mlflow gc, run there, removes them for good.")
    for sentence in problems:
        console(stderr=True).print(f"mlrunner: {sentence}", style="red")


def summary(found: Plan) -> str:
    """Count what a plan holds."""
    sweeps = sum(item.record.is_sweep for item in found.items)
    runs = len(found.items) - sweeps
    told = [f"{runs:,} run{'s' * (runs != 1)}"] if runs else []
    told += [f"{sweeps:,} sweep{'s' * (sweeps != 1)}"] if sweeps else []
    unused = len(found.leftovers)
    told += [f"{unused:,} unused cache {'entry' if unused == 1 else 'entries'}"] if unused else []
    return ", ".join([*told, megabytes(found.bytes)])


def _staying(found: Plan) -> str:
    more = "; the cache stays while a sweep runs" * found.waits
    if found.outside:
        more += f"; outside of multirun/ stays {brief(found.outside, FEW)}"
    if not found.staying:
        return more
    count, reasons = len(found.staying), defaultdict[str, list[str]](list)
    for stay in found.staying:
        reasons[stay.reason].append(stay.record.place)
    told = [f"{brief(names, FEW)}{', each of which' * (len(names) > 1)} {why}" for why, names in reasons.items()]
    return f"; {count} stay{'s' * (count == 1)}: {'; '.join(told)}{more}"


def _any(found: Plan) -> bool:
    return bool(found.items or found.leftovers)


def _status(item: Item) -> str:
    return "half removed" if pruning.MARK in item.record.tags else item.record.status.lower()


def megabytes(count: int) -> str:
    """Write a size."""
    for size, unit in ((10**9, "GB"), (10**6, "MB")):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count / 1000:,.0f} kB"


def document(found: Plan, done: bool = False) -> dict[str, Any]:
    """Describe a plan for programs.

    Args:
        found: What would go, or is gone.
        done: It is gone.
    """
    return {
        "dry_run": not done,
        "runs": [_described(item) for item in found.items],
        "sweeps": sum(item.record.is_sweep for item in found.items),
        "cache": [{"path": str(one.path), "bytes": one.bytes} for one in found.leftovers],
        "bytes": found.bytes,
        "outside": found.outside,
        "stay": [
            {"run_id": stay.record.run_id, "name": stay.record.name, "place": stay.record.place, "reason": stay.reason}
            for stay in found.staying
        ],
    }


def _described(item: Item) -> dict[str, Any]:
    one = item.record
    return {
        "run_id": one.run_id,
        "name": one.name,
        "place": one.place,
        "is_sweep": one.is_sweep,
        "status": one.status,
        "age_seconds": round(time.time() - (one.end or one.start) / 1000, 1),
        "metric": one.metric,
        "score": selection.score(one),
        "bytes": item.bytes,
        "folder": None if item.places.folder is None else str(item.places.folder),
    }
