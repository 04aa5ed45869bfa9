"""Filters and orders of MLflow's grammar as SQL over its own tables, with the answers of its own client."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mlrunner.tracking.records.filter_grammar import (
    LISTED,
    NULLS,
    NUMBERS,
    RUN_NAME,
    TABLES,
    TEXT,
    TEXTS,
    Clause,
    Key,
    Named,
    Sql,
)

QUOTED = re.compile(TEXT)


def condition(clause: Clause) -> Sql:
    """Translate a clause into a condition on a row of `runs`."""
    about, comparator = clause.about, clause.comparator
    if comparator in NULLS:
        negation = "NOT " if comparator == "IS NULL" else ""
        return Sql(f"{negation}EXISTS (SELECT 1 FROM {_rows(about)})", (about.key,))
    values = _values(clause)
    if about == Named("attribute", "run_name"):
        about = Named("tag", RUN_NAME)
    if about.entity == "attribute":
        column = f"runs.{ {**NUMBERS, **TEXTS}[about.key] }"
        return _matched(column, comparator, values)
    if about.entity == "dataset":
        return _of_dataset(about.key, comparator, values)
    if about.entity == "metric":  # MLflow stores NaN as 0 with a mark
        mark = "OR t.is_nan" if comparator == "!=" else "AND NOT t.is_nan"
        return Sql(f"EXISTS (SELECT 1 FROM {_rows(about)} AND (t.value {comparator} ? {mark}))", (about.key, *values))
    matched = _matched("t.value", comparator, values)
    return Sql(f"EXISTS (SELECT 1 FROM {_rows(about)} AND {matched.text})", (about.key, *matched.values))


def _values(clause: Clause) -> tuple[object, ...]:
    text = clause.value
    if clause.comparator in LISTED:
        return tuple(item[1:-1] for item in QUOTED.findall(text))
    if text[0] in "'\"":
        return (text[1:-1],)
    is_whole = clause.about.entity == "attribute" and text.lstrip("+-").isdigit()
    return (int(text) if is_whole else float(text),)


def _rows(about: Named) -> str:
    return f"{TABLES[about.entity]} t WHERE t.run_uuid = runs.run_uuid AND t.key = ?"


def _matched(column: str, comparator: str, values: tuple[object, ...]) -> Sql:
    if comparator in LISTED:
        return Sql(f"{column} {comparator} ({', '.join('?' * len(values))})", values)
    if comparator == "ILIKE":
        return Sql(f"lower({column}) LIKE lower(?)", values)
    return Sql(f"{column} {comparator} ?", values)


def _of_dataset(key: str, comparator: str, values: tuple[object, ...]) -> Sql:
    joined = "inputs i JOIN datasets d ON d.dataset_uuid = i.source_id"
    if key == "context":
        joined += " JOIN input_tags g ON g.input_uuid = i.input_uuid AND g.name = 'mlflow.data.context'"
    matched = _matched("g.value" if key == "context" else f"d.{key}", comparator, values)
    return Sql(
        f"EXISTS (SELECT 1 FROM {joined} WHERE i.destination_type = 'RUN' AND i.destination_id = runs.run_uuid "
        f"AND {matched.text})",
        matched.values,
    )


def order(keys: Sequence[Key]) -> Sql:
    """Translate an order: NaN and what a run does not have come last, and the newest first where runs are equal."""
    texts: list[str] = []
    values: list[object] = []
    for about, way in keys:
        if about.entity == "attribute":
            column = f"runs.{ {**NUMBERS, **TEXTS}[about.key] }"
            texts += [f"{column} IS NULL", f"{column} {way}"]
            continue
        mark = "CASE WHEN t.is_nan THEN 1 ELSE 0 END" if about.entity == "metric" else "0"
        texts += [f"coalesce((SELECT {mark} FROM {_rows(about)}), 2)", f"(SELECT t.value FROM {_rows(about)}) {way}"]
        values += [about.key, about.key]
    return Sql(", ".join([*texts, "runs.start_time DESC", "runs.run_uuid"]), tuple(values))
