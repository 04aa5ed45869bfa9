"""The data card: what a run learned from, as it was then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlrunner.core.errors import MlrunnerError
from mlrunner.history.report import columns
from mlrunner.history.report.columns import Bar, Described
from mlrunner.history.report.content import Material, Table
from mlrunner.tracking.records import DATA
from mlrunner.tracking.records.snapshot import surroundings

if TYPE_CHECKING:
    from mlrunner.groups.dataset import Dataset
    from mlrunner.tracking.records import Record

SHOWN = 200  # columns of the card
LOOKED_AT = 100_000  # rows, evenly spaced
LARGE = 5_000_000  # cells of a table that takes seconds to read
SOURCES = ("path", "query", "loader")


@dataclass(frozen=True)
class Card:
    """What is told of a data set.

    Args:
        facts: By label.
        note: What one should know about the numbers; empty for nothing.
        columns: One by one.
        target: How the target is distributed.
        more: How many columns are not shown.
    """

    facts: Mapping[str, str]
    note: str
    columns: tuple[Described, ...] = ()
    target: tuple[Bar, ...] = ()
    more: int = 0


def card(material: Material) -> Card | None:
    """Describe the data set of the run that leads; None where none is known."""
    lead = material.lead
    if lead is None or "dataset.target" not in lead.params:
        return None
    noted = surroundings(lead, material.store).data
    large = material.hurried and noted.get("rows", 0) * len(noted.get("columns", ())) > LARGE
    table, problem = _table(lead, material.table, large)
    if table is None:
        return _remembered(lead, noted, problem)
    step = -(-len(table.rows) // LOOKED_AT)
    some = table.rows.iloc[::step] if step > 1 else table.rows
    note = f"The columns are described by {len(some):,} evenly spaced rows." if step > 1 else ""
    roles = _roles([str(name) for name in some.columns], lead.params)
    shown = tuple(columns.described(some[name], role) for name, role in list(roles.items())[:SHOWN])
    target, task = lead.params["dataset.target"], lead.params.get("dataset.task", "")
    bars = columns.distribution(some[target], task) if target in some else ()
    told = _facts(lead, table.label, len(table.rows), len(roles))
    return Card(told, note, shown, tuple(bars), max(0, len(roles) - SHOWN))


def _table(lead: Record, at_hand: Table | None, large: bool) -> tuple[Table | None, str]:
    """Get the rows that the run had, or a sentence that says why there are none."""
    wanted = lead.tags.get(DATA)
    if at_hand is not None and at_hand.fingerprint == wanted:
        return at_hand, ""
    if large:
        return None, f"The data set is large; mlrunner report {lead.short} reads all of it."
    try:
        dataset = _dataset(lead)
        if dataset.fingerprint() != wanted:
            return None, "The data set has changed since the run."
        return Table(dataset.label, str(wanted), dataset.load()), ""
    except MlrunnerError as error:
        told = " ".join(getattr(error, "problems", [str(error)])).rstrip(".")
        return None, f"The data set cannot be read any more: {told}."
    except Exception as error:  # a data set of the user's own may raise anything, and a report shall not fail of it
        return None, f"The data set cannot be read any more: {type(error).__name__}: {error}."


def _dataset(lead: Record) -> Dataset:
    from mlrunner.composition.trust import refuse_foreign
    from mlrunner.core.build import build
    from mlrunner.groups.dataset import Dataset

    config = lead.config()
    refuse_foreign(config, ("dataset",))
    found: Dataset = build(config["dataset"], "dataset", Dataset)
    return found


def _remembered(lead: Record, told: Mapping[str, Any], problem: str) -> Card:
    """Show what the run noted of its data."""
    found = told.get("columns", {})
    note = f"{problem} This is what the run noted, of some of its rows." if found else problem
    roles = _roles(list(found), lead.params)
    shown = tuple(columns.remembered(name, found[name], role) for name, role in list(roles.items())[:SHOWN])
    label = lead.params.get("dataset.name", lead.params.get("dataset", ""))
    facts = _facts(lead, label, told.get("rows"), len(roles) or None)
    return Card(facts, note, shown, more=max(0, len(roles) - SHOWN))


def _facts(lead: Record, label: str, rows: int | None, width: int | None) -> dict[str, str]:
    params = lead.params
    source = [params[f"dataset.{key}"] for key in SOURCES if params.get(f"dataset.{key}", "null") != "null"]
    told = {
        "data set": label,
        "source": ", ".join(source),
        "rows": "" if rows is None else f"{rows:,}",
        "columns": "" if width is None else f"{width:,}",
        "target": params["dataset.target"],
        "task": params.get("dataset.task", ""),
        "digest": lead.tags.get(DATA, ""),
    }
    return {name: text for name, text in told.items() if text}


def _roles(names: Sequence[str], params: Mapping[str, str]) -> dict[str, str]:
    """Say which part each column plays, empty for a feature; the target first, and what is no feature last."""
    told = dict.fromkeys(_listed(params.get("dataset.ignore", "[]")), "ignored")
    told |= {params[f"dataset.{role}"]: role for role in ("time", "group", "target") if f"dataset.{role}" in params}
    rank = {"target": 0, "": 1, "group": 2, "time": 2, "ignored": 3}
    found = {name: told.get(name, "") for name in names}
    return dict(sorted(found.items(), key=lambda item: rank[item[1]]))


def _listed(text: str) -> list[str]:
    import json

    try:
        found = json.loads(text)
    except ValueError:  # cut off, as MLflow takes no longer parameters
        return []
    return list(map(str, found)) if isinstance(found, list) else []
