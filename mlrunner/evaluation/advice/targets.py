"""Warnings about the target: rows without one, classes that are numbers, and rare classes."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from mlrunner.core.column_kinds import infer_kind
from mlrunner.core.column_roles import MANY_CLASSES
from mlrunner.core.warning_names import Notice
from mlrunner.evaluation.advice.facts import TableFacts, list_names
from mlrunner.evaluation.advice.texts import count_numbers

FEW_ROWS = 10  # rows of a class; a score of fewer in each part is chance


def warn_of_missing_target(facts: TableFacts) -> Iterator[Notice]:
    """Count the rows that are left out because their target is missing."""
    name = facts.roles.target
    missing = int(facts.table[name].isna().sum()) if name in facts.table else 0
    if missing:
        rows = len(facts.table)
        yield Notice("missing_target", f"{missing:,} of {rows:,} rows have no {name} and are left out.")


def warn_of_many_classes(facts: TableFacts) -> Iterator[Notice]:
    """Tell a classification of many classes, above all of numbers that are text."""
    if facts.task != "classification" or facts.target is None:
        return
    name, column = facts.roles.target, facts.table[facts.roles.target]
    count = int(column.nunique())
    if count <= MANY_CLASSES:
        return
    if infer_kind(column).is_numeric:
        yield Notice("many_classes", f"{name} has {count:,} classes, which are numbers; dataset.task=regression.")
    elif count_numbers(column) >= 0.9 * column.notna().sum():
        example = column.dropna().iloc[0]
        yield Notice("many_classes", f"{name} holds numbers as text ('{example}'), which became {count:,} classes.")
    else:
        yield Notice("many_classes", f"{name} has {count:,} classes.")


def warn_of_rare_classes(facts: TableFacts) -> Iterator[Notice]:
    """Name the classes that have very few rows."""
    if facts.task != "classification" or facts.target is None:
        return
    counts: pd.Series[int] = facts.table[facts.roles.target].value_counts()
    rare = counts[(counts > 0) & (counts < FEW_ROWS)]
    if len(rare):
        texts = [f"{label} ({count})" for label, count in rare.items()]
        noun = "class has" if len(rare) == 1 else "classes have"
        text = f"{len(rare)} {noun} fewer than {FEW_ROWS} rows: {list_names(texts)}; their scores are chance."
        yield Notice("rare_classes", text)
