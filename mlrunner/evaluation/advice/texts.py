"""Warning about numbers that came as text: with units, other decimal signs, or words for gaps."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pandas as pd

from mlrunner.core.column_kinds import Kind, infer_kind
from mlrunner.core.warning_names import Notice
from mlrunner.evaluation.advice.facts import MIN_ROWS, TableFacts, list_names

NUMBER = r"[-+]?(\d+([.,]\d+)*|[.,]\d+)([eE][-+]?\d+)?"
NUMERIC_TEXT = rf"\W{{0,3}}\s*{NUMBER}\s*(%|[^\W\d_]{{1,3}}|\W{{0,2}})"  # with a currency sign, a unit, a per cent sign
GROUPED = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?")
DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+")
DATE = r"\d{1,4}([./-])\d{1,2}\1\d{1,4}"  # such as 13.01.2020, which is no number with marks
NUMBERS_SHARE = 0.9  # share of texts that are numbers; the others are words for a gap


def count_numbers(column: pd.Series) -> int:
    """Count the texts that are numbers, with or without a unit."""
    texts = column.dropna().astype(str).str.strip()
    return int(texts.str.fullmatch(NUMERIC_TEXT).sum())


def warn_of_numbers_as_text(facts: TableFacts) -> Iterator[Notice]:
    """Name the text columns that hold numbers, and what to set for the first."""
    names = [name for name, column in facts.columns.items() if _holds_numbers(column)]
    if not names:
        return
    hints = list(dict.fromkeys(advise(facts.columns[name]) for name in names))
    verb = "holds" if len(names) == 1 else "hold"
    yield Notice("numbers_as_text", f"{list_names(names)} {verb} numbers as text: {'; '.join(hints[:3])}.")


def _holds_numbers(column: pd.Series) -> bool:
    if infer_kind(column) not in (Kind.TEXT, Kind.CATEGORY):
        return False
    texts = column.dropna().astype(str).str.strip()
    if len(texts) < MIN_ROWS or texts.nunique() < 3 or _is_code(texts) or texts.str.fullmatch(DATE).any():
        return False
    return count_numbers(texts) >= NUMBERS_SHARE * len(texts)


def _is_code(texts: pd.Series) -> bool:
    """Check whether digits are codes: with leading zeros, as in 007, they were kept as text on purpose."""
    return bool(texts.str.fullmatch(r"0\d+").any())


def advise(column: pd.Series) -> str:
    """Say what to set so that the texts of a column are read as numbers."""
    texts = column.dropna().astype(str).str.strip()
    is_plain = texts.str.fullmatch(NUMBER)
    words = texts[~is_plain & ~texts.str.fullmatch(NUMERIC_TEXT)]
    if is_plain.sum() + len(words) < len(texts):
        sample = texts[~is_plain & texts.str.fullmatch(NUMERIC_TEXT)].iloc[0]
        return f"'{sample}' has a sign or unit, write the number alone"
    plain = texts[is_plain]
    if len(words):
        gaps = ",".join(f"'{word}'" for word in words.unique()[:3])
        return f'"dataset.options.na_values=[{gaps}]"'
    with_comma = plain[plain.str.contains(",")]
    if len(with_comma) and with_comma.str.fullmatch(GROUPED).all():
        return "\"dataset.options.thousands=','\""
    if len(with_comma) and with_comma.str.fullmatch(DECIMAL_COMMA).all():
        return "\"dataset.options.decimal=','\""
    return f"'dataset.dtypes={{{column.name}: float}}'"
