"""Warnings about feature columns that teach a model nothing, or that it will not have."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from mlrunner.core.column_kinds import Kind, infer_kind
from mlrunner.core.warning_names import Notice
from mlrunner.evaluation.advice.facts import MIN_ROWS, TableFacts, list_names, write_ignore

NEARLY_UNIQUE = 0.95  # share of distinct values among the present ones
ID_NAME = re.compile(r"(?i:(^|[_\W])(id|ids|uuid|guid|key|no|nr|num|number|code|index)$)|(?<=[a-z])(ID|Id|Key|No|Nr)$")
MAX_TEXT = 40  # characters on average; longer texts are sentences, whose words repeat


def find_constants(facts: TableFacts) -> list[str]:
    """Find the columns that have one value, or none."""
    names = [name for name, count in facts.distinct.items() if count + _has_gaps(facts, name) <= 1]
    return names if len(facts.sample) > 1 else []


def warn_of_constants(facts: TableFacts) -> Iterator[Notice]:
    """Name the columns that have one value, or none."""
    if names := find_constants(facts):
        yield Notice("constant_columns", f"{_subject(names)} one value in every row; {write_ignore(names)}.")


def _has_gaps(facts: TableFacts, name: str) -> bool:
    return bool((facts.codes[name] < 0).any())


def _subject(names: list[str]) -> str:
    return f"{list_names(names)} {'has' if len(names) == 1 else 'have'}"


def find_duplicates(facts: TableFacts) -> dict[str, str]:
    """Find the columns that repeat an earlier column; return its name by theirs."""
    first: dict[bytes, str] = {}
    repeated = {}
    for name, distinct in facts.distinct.items():
        if distinct > 1:
            earlier = first.setdefault(_identify(facts, name), name)
            if earlier != name:
                repeated[name] = earlier
    return repeated


def warn_of_duplicates(facts: TableFacts) -> Iterator[Notice]:
    """Name the columns that repeat an earlier column."""
    if repeated := find_duplicates(facts):
        pairs = [f"{name} repeats {earlier}" for name, earlier in repeated.items()]
        yield Notice("duplicate_columns", f"{list_names(pairs, 3)}; {write_ignore(list(repeated))}.")


def _identify(facts: TableFacts, name: str) -> bytes:
    """Return equal bytes for columns that say the same; where most values occur once, only equal values do."""
    if facts.distinct[name] * 2 <= len(facts.sample):
        return facts.codes[name].to_numpy().tobytes()
    return pd.util.hash_pandas_object(facts.columns[name], index=False).to_numpy().tobytes()


def find_row_numbers(facts: TableFacts) -> list[str]:
    """Find the columns that number the rows: whole numbers in strictly rising order."""
    unique = [name for name, count in facts.distinct.items() if count == len(facts.sample) >= MIN_ROWS]
    return [name for name in unique if _numbers_rows(facts.table[name])]


def _numbers_rows(column: pd.Series) -> bool:
    if infer_kind(column) is not Kind.NUMBER or column.hasnans:
        return False
    steps = np.diff(column.to_numpy(dtype=float))
    return bool(((steps > 0) & (steps % 1 == 0)).all())


def warn_of_index(facts: TableFacts) -> Iterator[Notice]:
    """Name the columns that number the rows, as pandas and databases write them."""
    names = find_row_numbers(facts)
    if names:
        verb = "numbers" if len(names) == 1 else "number"
        yield Notice("index_columns", f"{list_names(names)} {verb} the rows in their order; {write_ignore(names)}.")


def find_ids(facts: TableFacts) -> list[str]:
    """Find the columns whose value differs in nearly every row: short texts, and whole numbers that are named ids."""
    numbers = find_row_numbers(facts)
    return [name for name in facts.columns if name not in numbers and _is_id(facts, name)]


def warn_of_ids(facts: TableFacts) -> Iterator[Notice]:
    """Name the columns whose value differs in nearly every row."""
    if names := find_ids(facts):
        verb = "differs" if len(names) == 1 else "differ"
        yield Notice(
            "id_columns", f"{list_names(names)} {verb} in nearly every row, like an id; {write_ignore(names)}."
        )


def _is_id(facts: TableFacts, name: str) -> bool:
    column = facts.columns[name]
    present = int((facts.codes[name] >= 0).sum())
    if present < MIN_ROWS or facts.distinct[name] < NEARLY_UNIQUE * present:
        return False
    kind = infer_kind(column)
    if kind in (Kind.BOOLEAN, Kind.MOMENT):
        return False
    if kind is Kind.NUMBER:
        known = column.dropna().to_numpy(dtype=float)
        return bool(ID_NAME.search(name)) and bool((known % 1 == 0).all())
    return not _holds_dates_or_numbers(column) and bool(column.dropna().astype(str).str.len().mean() <= MAX_TEXT)


def _holds_dates_or_numbers(column: pd.Series) -> bool:
    """Check whether texts begin with a digit and hold no letter but T and Z: dates, amounts and durations."""
    texts = column.dropna().astype(str).head(100)
    return bool(texts.str.fullmatch(r"\W*\d[\d\s.,:/TZ+\-%]*\W*").mean() > 0.9)
