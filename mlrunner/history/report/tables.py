"""Make the tables of a report: the leaderboard, the failures, and the scores of a run by part."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlrunner.core.formatting import format_number
from mlrunner.core.metric_names import DATA_PARTS
from mlrunner.core.table import Table, TableCell, TableColumn, TableRow
from mlrunner.history.listing.entries import OVERRIDE_SEPARATOR
from mlrunner.history.report.trials import COMPLETE, FAILED, Trial

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlrunner.history.report.content import Content

MOST_COLUMNS = 20  # in the table of importances


def number_column(name: str, note: str = "") -> TableColumn:
    """Make a column of numbers, with a note below its name."""
    return TableColumn(name, is_number=True, note=note)


def number_cell(value: float | None, deviation: float | None = None) -> TableCell:
    """Make a cell of a number; a dash if it is missing."""
    if value is None or math.isnan(value):
        return TableCell("-", math.nan)
    return TableCell(
        format_number(value, keep_zeros=True), value, note="" if deviation is None else f"± {deviation:.2g}"
    )


def make_leaderboards(content: Content) -> dict[str, Table]:
    """Make a leaderboard for each question of a grid; none if all trials failed."""
    boards = {question: make_leaderboard(part) for question, part in content.questions.items()}
    return {question: board for question, board in boards.items() if board is not None}


def make_leaderboard(content: Content) -> Table | None:
    """Make the leaderboard of the trials that did not fail; None if all failed."""
    listed = [trial for trial in content.trials if trial.state != FAILED]
    if not listed:
        return None
    has_test = any(_tested(trial, content.metric) is not None for trial in listed)
    is_search = content.kind == "search"
    columns = (
        number_column("rank"),
        *(number_column(name, note=f"{direction[:3]}imum is best") for name, direction in content.goal.items()),
        *((number_column(f"test {content.metric}"),) if has_test else ()),
        TableColumn("composition"),
        *((number_column("fit", note="seconds"),) if "fit_seconds" not in content.goal else ()),
        number_column("total", note="seconds"),
        number_column("trial" if is_search else "job"),
        TableColumn("run"),
    )
    rows = tuple(_ranked(trial, rank, has_test, content) for rank, trial in enumerate(listed, 1))
    return Table(columns, rows)


def _ranked(trial: Trial, rank: int, has_test: bool, content: Content) -> TableRow:
    outcome, is_complete = trial.outcome, trial.state == COMPLETE
    scores = [number_cell(value) for value in trial.values]
    if scores and trial.deviation is not None:
        scores[0] = number_cell(trial.values[0], trial.deviation)
    cells = (
        TableCell(str(rank), rank, note="front" if trial.on_front else "")
        if is_complete
        else TableCell("pruned", math.nan),
        *scores,
        *((number_cell(_tested(trial, content.metric)),) if has_test else ()),
        TableCell(outcome.name, pieces=split_name(outcome.name)),
        *((number_cell(outcome.fit_seconds),) if "fit_seconds" not in content.goal else ()),
        number_cell(outcome.seconds),
        TableCell(str(outcome.job), outcome.job),
        TableCell(str(outcome.run_id or "-")[:8]),
    )
    return TableRow(cells, "best" if trial.leads else "front" if trial.on_front else "" if is_complete else "pruned")


def split_name(name: str) -> tuple[str, ...]:
    """Split the name of a composition at the commas between overrides, but not at those within values."""
    return tuple(OVERRIDE_SEPARATOR.split(name))


def _tested(trial: Trial, metric: str) -> float | None:
    return trial.outcome.metrics.get(f"test/{metric}")


def make_failures(content: Content) -> Table | None:
    """Make the table of failures with their errors; None if nothing failed."""
    outcomes = [outcome.outcome for outcome in content.trials if outcome.state == FAILED]
    if not outcomes:
        return None
    columns = (
        number_column("trial" if content.kind == "search" else "job"),
        TableColumn("composition"),
        TableColumn("error"),
    )
    rows = (
        (
            TableCell(str(outcome.job), outcome.job),
            TableCell(outcome.name, pieces=split_name(outcome.name)),
            TableCell(outcome.error or outcome.status),
        )
        for outcome in outcomes
    )
    return Table(columns, tuple(TableRow(cells) for cells in rows))


def make_scores(metrics: Mapping[str, float], objective: str) -> Table | None:
    """Make the table of scores with a row for each metric and a column for each part; None without scores."""
    parts = [part for part in DATA_PARTS if any(name.startswith(f"{part}/") for name in metrics)]
    if not parts:
        return None
    rows = tuple(_score(metrics, name, parts, name == objective) for name in _names(metrics, objective))
    labels = {"cv": "folds", "validation": "validation", "train": "train", "test": "test"}
    return Table((TableColumn("metric"), *(number_column(labels[part]) for part in parts)), rows)


def make_importances(text: str | None) -> Table | None:
    """Make the table of the model's own importances, added up by column; None if the run recorded none.

    Args:
        text: JSON of the run's `feature_importance.json`; None if there is no such file.
    """
    sums: dict[str, list[float]] = {}
    for feature in json.loads(text or "[]"):
        sums.setdefault(feature["column"], []).append(abs(feature["importance"]))
    ranked = sorted(sums.items(), key=lambda item: -sum(item[1]))[:MOST_COLUMNS]
    columns = (
        TableColumn("column"),
        number_column("importance", note="sum of its features"),
        number_column("features"),
    )
    rows = (
        TableRow((TableCell(name), number_cell(sum(values)), TableCell(str(len(values)), len(values))))
        for name, values in ranked
    )
    return Table(columns, tuple(rows)) if ranked else None


def _names(metrics: Mapping[str, float], objective: str) -> Iterator[str]:
    names = dict.fromkeys(name.partition("/")[2] for name in metrics if name.partition("/")[0] in DATA_PARTS)
    if objective in names:
        yield objective
    yield from (name for name in names if name and name != objective and not name.endswith("_std"))


def _score(metrics: Mapping[str, float], name: str, parts: list[str], is_chosen: bool) -> TableRow:
    cells = (number_cell(metrics.get(f"{part}/{name}"), metrics.get(f"{part}/{name}_std")) for part in parts)
    return TableRow((TableCell(name), *cells), "best" if is_chosen else "")
