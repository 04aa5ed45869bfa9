"""Describe the data of a run: one table of its columns, from the profile that the run recorded."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlrunner.groups.dataset import profile
from mlrunner.tracking.records import DATA_TAG
from mlrunner.tracking.records.snapshot import read_provenance

if TYPE_CHECKING:
    from mlrunner.history.report.content import Content
    from mlrunner.tracking.records import Record

MOST_COLUMNS, BINS = 200, 16  # rows of the card; bars of a histogram
TOP, LENGTH = 4, 24  # number of values that are listed, and length of each
SOURCES = ("path", "query", "loader")


@dataclass(frozen=True)
class DataColumn:
    """A row of the card; `heights` are the bars of a histogram, from 0 to 1; empty for values without an order."""

    name: str
    role: str
    dtype: str
    missing: float
    distinct: int
    text: str
    heights: tuple[float, ...] = ()

    @property
    def missing_text(self) -> str:
        """The share of missing values for people."""
        return _share(self.missing) if self.missing else "0"


@dataclass(frozen=True)
class DataCard:
    """The data of a run: the target first, ignored columns last; `more` counts the columns that are left out."""

    facts: Mapping[str, str]
    note: str
    columns: tuple[DataColumn, ...]
    more: int = 0


def make_data_card(content: Content) -> DataCard | None:
    """Describe the data of the best run; None if it has none."""
    lead = content.lead
    if lead is None or "dataset.target" not in lead.params:
        return None
    recorded = read_provenance(lead, content.store).data
    columns, rows = recorded.get("columns", {}), recorded.get("rows", 0)
    note = "" if columns else "The run has no record of its columns."
    if recorded.get("looked_at", rows) < rows:
        note = f"Described by {recorded['looked_at']:,} evenly spaced rows."
    roles = _roles(list(columns), lead.params, recorded.get("use", {}).get("left_out", {}))
    table = tuple(describe_column(name, columns[name], role) for name, role in list(roles.items())[:MOST_COLUMNS])
    return DataCard(_facts(lead, rows, len(columns)), note, table, more=max(0, len(roles) - MOST_COLUMNS))


def describe_column(name: str, recorded: Mapping[str, Any], role: str) -> DataColumn:
    """Describe a column by its entry of `dataset.profile`."""
    common = (name, role, recorded["dtype"], recorded["missing"], recorded["distinct"])
    marks = recorded.get("quantiles", [])
    if not marks:
        top = list(recorded.get("top", {}).items())[:TOP]
        short = {value: value if len(value) <= LENGTH else f"{value[: LENGTH - 1]}…" for value, _ in top}
        return DataColumn(*common, ", ".join(f"{short[value]} {_share(share)}" for value, share in top))
    dtype = str(recorded["dtype"])
    least, median, greatest = (profile.format_value(marks[k], dtype) for k in (0, len(marks) // 2, -1))
    text = least if least == greatest else f"{least} … {median} … {greatest}"
    return DataColumn(*common, text, _heights(recorded.get("shares") or [[mark, 1.0] for mark in marks]))


def _heights(weighted: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """Draw a histogram of values with weights: the exact shares of a few values, or quantiles of the same weight."""
    if not math.isfinite(weighted[-1][0] - weighted[0][0]):  # the range of the largest floats is infinite
        return ()
    values, weights = np.array(weighted, dtype=float).T
    counts, _ = np.histogram(values, BINS, weights=weights)
    return tuple((counts / counts.max()).round(3).tolist())


def _facts(lead: Record, rows: int, width: int) -> dict[str, str]:
    params = lead.params
    source = [params[f"dataset.{key}"] for key in SOURCES if params.get(f"dataset.{key}", "null") != "null"]
    facts = {
        "data set": params.get("dataset.name", params.get("dataset", "")),
        "source": ", ".join(source),
        "rows": f"{rows:,}" if rows else "",
        "columns": f"{width:,}" if width else "",
        "target": params["dataset.target"],
        "task": params.get("dataset.task", ""),
        "digest": lead.tags.get(DATA_TAG, ""),
    }
    return {label: text for label, text in facts.items() if text}


def _roles(names: Sequence[str], params: Mapping[str, str], left_out: Mapping[str, str]) -> dict[str, str]:
    """Return the role of each column, or why it is left out: the target first, features next, the others last."""
    roles = {name: f"left out: {reason}" for name, reason in left_out.items()}
    roles |= dict.fromkeys(_listed(params.get("dataset.ignore", "[]")), "ignored")
    roles |= {params[f"dataset.{role}"]: role for role in ("time", "group", "target") if f"dataset.{role}" in params}
    rank = {"target": 0, "feature": 1, "group": 2, "time": 2, "ignored": 3}
    return dict(
        sorted({name: roles.get(name, "feature") for name in names}.items(), key=lambda item: rank.get(item[1], 3))
    )


def _listed(text: str) -> list[str]:
    try:
        items = json.loads(text)
    except ValueError:  # cut off: MLflow limits the length of parameters
        return []
    return list(map(str, items)) if isinstance(items, list) else []


def _share(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else "<1%"
