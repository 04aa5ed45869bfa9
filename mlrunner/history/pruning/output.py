"""What a person reads of a prune, and what a program does."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mlrunner.core.errors import brief
from mlrunner.core.terminal import console, number
from mlrunner.history import pruning
from mlrunner.history.listing.columns import NOTHING, ago, printable
from mlrunner.history.listing.formats import GAP
from mlrunner.history.pruning import selection
from mlrunner.history.pruning.plan import Item, Plan

SHOWN = 40  # lines of the table
FEW = 3  # names of those that stay for one reason
LONG, SHORT = 60, 8  # letters of a name, at most and where there is little room
SPARED = ("when", "objective")  # left out in this order where a terminal is narrow
RANKED = (
    "Ranked by the test score; what has none, like a search's trials, by validation or folds, in a list of its own."
)


def show(found: Plan, is_ranked: bool = False) -> None:
    """Print what would go, and what stays.

    Args:
        found: What would go.
        is_ranked: It is worse than others, of which is told by what score where that is not the same of all.
    """
    if found.items:
        out = console()
        out.print(_table(found.items[:SHOWN], out))
    if is_ranked and any(selection.scored_on(item.record) != selection.PARTS[0] for item in found.items):
        console().print(RANKED, style="dim")
    if found.items:
        more = len(found.items) - SHOWN
        console().print(f"… and {more:,} more; --json names them all.", style="dim") if more > 0 else None
    what = f"{summary(found)} would go" if _any(found) else "Nothing would go"
    console().print(f"{what}{_staying(found)}" + ("; do it with --yes." if _any(found) else "."))


def _table(items: list[Item], out: Console) -> Table:
    """Draw a line a run, with the name cut to the room that the rest leaves."""
    rows = [_cells(item) for item in items]
    widths = {name: max(len(name), *(cell_len(row[name]) for row in rows)) + GAP for name in rows[0]}
    kept = [name for name in widths if name != "name"]
    for spared in SPARED:
        if out.width - sum(widths[name] for name in kept) >= min(widths["name"], SHORT):
            break
        kept.remove(spared)
    room = max(SHORT, min(LONG, out.width - GAP - sum(widths[name] for name in kept)))
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="dim")
    kept.insert(1, "name")
    for name in kept:
        table.add_column(name, justify="right" if name in ("test", "size") else "left", no_wrap=True)
    for row in rows:
        row["name"] = (
            set_cell_size(row["name"], room - 1).rstrip() + "…" if cell_len(row["name"]) > room else row["name"]
        )
        table.add_row(*(Text(row[name]) for name in kept))
    return table


def _cells(item: Item) -> dict[str, str]:
    """Write what the table says of a run: the numbers are those of `mlrunner runs`."""
    one = item.record
    objective, test = one.metrics.get(one.metric), one.metrics.get(f"test/{one.metric}")
    return {
        "id": one.place if one.is_sweep else one.short,
        "name": printable(one.name),
        "when": ago(one.start),
        "status": _status(item),
        "objective": NOTHING if objective is None else f"{one.metric} {number(objective)}",
        "test": NOTHING if test is None else number(test),
        "size": megabytes(item.bytes),
    }


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
