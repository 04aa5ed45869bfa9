"""The tables of numbers: the leaderboard of a sweep, the failures, the scores of a run by part."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlrunner.core.metric_names import DATA_PARTS
from mlrunner.history.listing.entries import OVERRIDE_SEPARATOR
from mlrunner.history.report.trials import COMPLETE, FAILED, Trial

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlrunner.history.report.content import Content


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Args:
        text: What stands in it.
        value: What it is sorted by; None for its text.
        note: Behind the text, smaller.
        pieces: The text in parts, between which a line may break; None for a whole.
    """

    text: str
    value: float | None = None
    note: str = ""
    pieces: tuple[str, ...] = ()

    @property
    def exact(self) -> str:
        """The value with all of its digits; empty for none, and for what no number sorts."""
        return "" if self.value is None or not math.isfinite(self.value) else repr(self.value)


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Args:
        label: Above it.
        is_number: Whether it holds numbers, which stand at the right.
        note: Below the label.
    """

    label: str
    is_number: bool = True
    note: str = ""


@dataclass(frozen=True)
class Row:
    """A row of a table, and what it is: best, front, pruned or failed; empty for nothing of these."""

    cells: tuple[Cell, ...]
    kind: str = ""


@dataclass(frozen=True)
class CellTable:
    """Columns and rows."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def format_digits(value: float) -> str:
    """Write a number in four significant digits; the zeros at its end stay, for they stand below other digits."""
    return f"{value:#,.4g}".rstrip(".") if abs(value) < 9999.5 else f"{value:,.0f}"


def number_cell(value: float | None, deviation: float | None = None) -> Cell:
    """Make the cell of a number."""
    if value is None or math.isnan(value):
        return Cell("-", math.nan)
    return Cell(format_digits(value), value, "" if deviation is None else f"± {deviation:.2g}")


def make_leaderboard(content: Content) -> CellTable | None:
    """Rank the trials that did not fail; None where there are none."""
    shown = [one for one in content.trials if one.state != FAILED]
    if not shown:
        return None
    judged = any(_tested(one, content.metric) is not None for one in shown)
    is_search = content.kind == "search"
    columns = (
        Column("rank"),
        *(Column(name, note=f"{way[:3]}imum is best") for name, way in content.goal.items()),
        *((Column(f"test {content.metric}"),) if judged else ()),
        Column("composition", is_number=False),
        *((Column("fit", note="seconds"),) if "fit_seconds" not in content.goal else ()),
        Column("total", note="seconds"),
        Column("trial" if is_search else "job"),
        Column("run", is_number=False),
    )
    rows = tuple(_ranked(one, rank, judged, content) for rank, one in enumerate(shown, 1))
    return CellTable(columns, rows)


def _ranked(one: Trial, rank: int, judged: bool, content: Content) -> Row:
    outcome, ended = one.outcome, one.state == COMPLETE
    scores = [number_cell(value) for value in one.values]
    if scores and one.deviation is not None:
        scores[0] = number_cell(one.values[0], one.deviation)
    cells = (
        Cell(str(rank), rank, "front" if one.on_front else "") if ended else Cell("pruned", math.nan),
        *scores,
        *((number_cell(_tested(one, content.metric)),) if judged else ()),
        Cell(outcome.name, pieces=split_name(outcome.name)),
        *((number_cell(outcome.fit_seconds),) if "fit_seconds" not in content.goal else ()),
        number_cell(outcome.seconds),
        Cell(str(outcome.job), outcome.job),
        Cell(str(outcome.run_id or "-")[:8]),
    )
    return Row(cells, "best" if one.leads else "front" if one.on_front else "" if ended else "pruned")


def split_name(name: str) -> tuple[str, ...]:
    """Take the name of a composition apart: at the commas between overrides, and not at those within a value."""
    return tuple(OVERRIDE_SEPARATOR.split(name))


def _tested(one: Trial, metric: str) -> float | None:
    return one.outcome.metrics.get(f"test/{metric}")


def make_failures(content: Content) -> CellTable | None:
    """Tell what failed, and of what; None where nothing did."""
    failed = [one.outcome for one in content.trials if one.state == FAILED]
    if not failed:
        return None
    columns = (
        Column("trial" if content.kind == "search" else "job"),
        Column("composition", is_number=False),
        Column("error", is_number=False),
    )
    rows = (
        (Cell(str(one.job), one.job), Cell(one.name, pieces=split_name(one.name)), Cell(one.error or one.status))
        for one in failed
    )
    return CellTable(columns, tuple(Row(cells) for cells in rows))


def make_scores(metrics: Mapping[str, float], chosen: str) -> CellTable | None:
    """Lay the metrics of a run out, a line a metric, a column a part; None where there are none."""
    parts = [part for part in DATA_PARTS if any(name.startswith(f"{part}/") for name in metrics)]
    if not parts:
        return None
    rows = tuple(_score(metrics, name, parts, name == chosen) for name in _names(metrics, chosen))
    labels = {"cv": "folds", "validation": "validation", "train": "train", "test": "test"}
    return CellTable((Column("metric", is_number=False), *(Column(labels[part]) for part in parts)), rows)


def _names(metrics: Mapping[str, float], chosen: str) -> Iterator[str]:
    named = dict.fromkeys(name.partition("/")[2] for name in metrics if name.partition("/")[0] in DATA_PARTS)
    if chosen in named:
        yield chosen
    yield from (name for name in named if name and name != chosen and not name.endswith("_std"))


def _score(metrics: Mapping[str, float], name: str, parts: list[str], is_chosen: bool) -> Row:
    cells = (number_cell(metrics.get(f"{part}/{name}"), metrics.get(f"{part}/{name}_std")) for part in parts)
    return Row((Cell(name), *cells), "best" if is_chosen else "")
