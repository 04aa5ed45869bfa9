"""The tables of an explanation: one for all rows together, and one that lists each row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from mlrunner.core.column_kinds import infer_kind
from mlrunner.core.formatting import format_number
from mlrunner.core.table import Table, TableCell, TableColumn, TableRow
from mlrunner.evaluation.predictions import Array
from mlrunner.groups.features.encoders import to_floats, to_texts
from mlrunner.history.explanation import Explanation

BASE = "(base)"
LEAST_CORRELATION = 0.1  # below it, a column has no direction


def measure_columns(explanation: Explanation) -> list[tuple[str, float]]:
    """Return the mean absolute contribution of each column, the greatest first; of several classes, their mean."""
    means = np.abs(explanation.contributions.values).mean(axis=(0, 2)).tolist()
    pairs = zip(explanation.contributions.columns, means, strict=True)
    return sorted(pairs, key=lambda pair: -pair[1])


def make_summary(explanation: Explanation, top: int = 0) -> Table:
    """Make the table with a row for each column.

    Args:
        explanation: Explanation of a sample of rows.
        top: Number of columns to list; 0: all.
    """
    means = measure_columns(explanation)
    total = sum(mean for _, mean in means) or 1.0
    columns = (
        TableColumn("column"),
        TableColumn("mean |contribution|", is_number=True),
        TableColumn("share", is_number=True),
        TableColumn("direction"),
    )
    rows = []
    for name, mean in means[: top or None]:
        direction = describe_direction(explanation, name)
        share = mean / total
        cells = (_text(name), _number(mean), TableCell(f"{share:.1%}", share), _text(direction))
        rows.append(TableRow(cells))
    return Table(columns, tuple(rows))


def describe_direction(explanation: Explanation, name: str) -> str:
    """Describe how the contribution of a column depends on its value; empty if it does not.

    Of several classes, the one to which the column contributes most is described, after its label.
    """
    contributions = explanation.contributions
    if name not in explanation.rows:
        return ""
    outputs = contributions.values[:, contributions.columns.index(name)]
    output = int(np.abs(outputs).mean(axis=0).argmax())
    label = f"class {contributions.classes[output]}: " if outputs.shape[1] > 1 else ""
    text = _describe_dependence(explanation.rows[name].reset_index(drop=True), outputs[:, output])
    return f"{label}{text}" if text else ""


def _describe_dependence(column: pd.Series[Any], values: Array) -> str:
    if np.ptp(values) == 0:
        return ""
    if infer_kind(column).is_numeric or pd.api.types.is_datetime64_any_dtype(column.dtype):
        return _describe_correlation(to_floats(column), values)
    means = pd.Series(values).groupby(to_texts(column)).mean().sort_values()
    return f"highest for {means.index[-1]}, lowest for {means.index[0]}"


def _describe_correlation(numbers: Array, values: Array) -> str:
    """Describe the rank correlation of a column of numbers with its contributions."""
    correlation = float(pd.Series(numbers).corr(pd.Series(values), method="spearman"))
    if not abs(correlation) >= LEAST_CORRELATION:
        return "rises and falls"
    return f"{'rises' if correlation > 0 else 'falls'} with the value ({correlation:+.2f})"


def make_row_table(explanation: Explanation, top: int = 5) -> Table:
    """Make the table with the greatest contributions to each prediction; those of a row add up to its raw prediction.

    Args:
        explanation: Explanation of some rows.
        top: Number of columns to list for each row, the others are added up; 0: all.
    """
    columns = (
        TableColumn("row", is_number=True),
        TableColumn("prediction", is_number=explanation.predictions.dtype.kind in "iuf"),
        TableColumn("raw", is_number=True),
        TableColumn("column"),
        TableColumn("value"),
        TableColumn("contribution", is_number=True),
    )
    lines = [line for row in range(len(explanation.rows)) for line in _list_lines(explanation, row, top)]
    return Table(columns, tuple(lines))


def _list_lines(explanation: Explanation, row: int, top: int) -> Iterator[TableRow]:
    """Yield the lines of a row; the first shows the prediction, all have it as a value."""
    contributions, prediction = explanation.contributions, explanation.predictions[row].item()
    output = 0 if len(contributions.classes) < 2 else contributions.classes.index(prediction)
    values = contributions.values[row, :, output]
    order = np.argsort(-np.abs(values), kind="stable")
    listed = order[: top or None]
    raw = float(contributions.raw[row, output])
    inputs = explanation.rows.iloc[row]
    parts = [(BASE, "", float(contributions.base[output]))]
    parts += [
        (contributions.columns[at], _show(inputs.get(contributions.columns[at], "")), values[at]) for at in listed
    ]
    if len(listed) < len(order):
        parts.append((f"({len(order) - len(listed)} other columns)", "", float(values[order[len(listed) :]].sum())))
    for number, (name, value, contribution) in enumerate(parts):
        first = number == 0
        text = format_number(prediction) if isinstance(prediction, float) else str(prediction)
        head = (TableCell(str(row) if first else "", row), TableCell(text if first else "", prediction))
        raw_cell = TableCell(format_number(raw) if first else "", raw)
        yield TableRow((*head, raw_cell, _text(name), _text(value), _number(float(contribution), sign=True)))


def _show(value: object) -> str:
    return "" if pd.isna(value) else format_number(value) if isinstance(value, float) else str(value)  # type: ignore[call-overload]


def _text(text: str) -> TableCell:
    return TableCell(text, text)


def _number(value: float, sign: bool = False) -> TableCell:
    return TableCell(f"{'+' if sign and value >= 0 else ''}{format_number(value)}", value)
