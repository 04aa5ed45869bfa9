"""Translate MLflow's filters and sort keys into SQL over MLflow's own tables, with the answers of its client."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mlrunner.tracking.records.filter_grammar import (
    LISTED,
    NULLS,
    NUMBERS,
    TABLES,
    TEXT,
    TEXTS,
    Clause,
    FilterField,
    OrderKey,
    SqlFragment,
)
from mlrunner.tracking.records.record import RUN_NAME_TAG

QUOTED = re.compile(TEXT)


def translate_clause(clause: Clause) -> SqlFragment:
    """Translate a clause into a condition on a row of `runs`."""
    field, comparator = clause.field, clause.comparator
    if comparator in NULLS:
        negation = "NOT " if comparator == "IS NULL" else ""
        return SqlFragment(f"{negation}EXISTS (SELECT 1 FROM {_rows(field)})", (field.key,))
    values = _values(clause)
    if field == FilterField("attribute", "run_name"):
        field = FilterField("tag", RUN_NAME_TAG)  # MLflow filters the name by this tag
    if field.entity == "attribute":
        column = f"runs.{ {**NUMBERS, **TEXTS}[field.key] }"
        return _compare(column, comparator, values)
    if field.entity == "dataset":
        return _compare_dataset(field.key, comparator, values)
    if field.entity == "metric":  # MLflow stores NaN as 0 and marks it
        mark = "OR t.is_nan" if comparator == "!=" else "AND NOT t.is_nan"
        text = f"EXISTS (SELECT 1 FROM {_rows(field)} AND (t.value {comparator} ? {mark}))"
        return SqlFragment(text, (field.key, *values))
    comparison = _compare("t.value", comparator, values)
    return SqlFragment(f"EXISTS (SELECT 1 FROM {_rows(field)} AND {comparison.text})", (field.key, *comparison.values))


def _values(clause: Clause) -> tuple[object, ...]:
    text = clause.value
    if clause.comparator in LISTED:
        return tuple(item[1:-1] for item in QUOTED.findall(text))
    if text[0] in "'\"":
        return (text[1:-1],)
    is_whole = clause.field.entity == "attribute" and text.lstrip("+-").isdigit()
    return (int(text) if is_whole else float(text),)


def _rows(field: FilterField) -> str:
    return f"{TABLES[field.entity]} t WHERE t.run_uuid = runs.run_uuid AND t.key = ?"


def _compare(column: str, comparator: str, values: tuple[object, ...]) -> SqlFragment:
    if comparator in LISTED:
        return SqlFragment(f"{column} {comparator} ({', '.join('?' * len(values))})", values)
    if comparator == "ILIKE":
        return SqlFragment(f"lower({column}) LIKE lower(?)", values)
    return SqlFragment(f"{column} {comparator} ?", values)


def _compare_dataset(key: str, comparator: str, values: tuple[object, ...]) -> SqlFragment:
    tables = "inputs i JOIN datasets d ON d.dataset_uuid = i.source_id"
    if key == "context":
        tables += " JOIN input_tags g ON g.input_uuid = i.input_uuid AND g.name = 'mlflow.data.context'"
    comparison = _compare("g.value" if key == "context" else f"d.{key}", comparator, values)
    return SqlFragment(
        f"EXISTS (SELECT 1 FROM {tables} WHERE i.destination_type = 'RUN' AND i.destination_id = runs.run_uuid "
        f"AND {comparison.text})",
        comparison.values,
    )


def translate_order(keys: Sequence[OrderKey]) -> SqlFragment:
    """Translate sort keys: NaN and missing values come last, and the newest run comes first among equals."""
    texts: list[str] = []
    values: list[object] = []
    for field, direction in keys:
        if field.entity == "attribute":
            column = f"runs.{ {**NUMBERS, **TEXTS}[field.key] }"
            texts += [f"{column} IS NULL", f"{column} {direction}"]
            continue
        mark = "CASE WHEN t.is_nan THEN 1 ELSE 0 END" if field.entity == "metric" else "0"
        texts.append(f"coalesce((SELECT {mark} FROM {_rows(field)}), 2)")
        texts.append(f"(SELECT t.value FROM {_rows(field)}) {direction}")
        values += [field.key, field.key]
    return SqlFragment(", ".join([*texts, "runs.start_time DESC", "runs.run_uuid"]), tuple(values))
