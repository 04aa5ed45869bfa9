"""The names of the warnings that a run may give, for `warnings.ignore`; importing this module is fast."""

from __future__ import annotations

from typing import NamedTuple

DATA_WARNINGS = {
    "constant_columns": "columns with one value",
    "duplicate_columns": "columns that repeat another column",
    "id_columns": "columns whose value differs in nearly every row",
    "index_columns": "columns that number the rows",
    "leaking_columns": "columns that tell the target, alone or together",
    "many_classes": "a target of numbers in text, or of many classes",
    "missing_target": "rows without a target",
    "numbers_as_text": "text columns that hold numbers",
    "rare_classes": "classes with very few rows",
    "sorted_by_target": "rows in the order of the target, split at random",
    "sorted_by_time": "rows in the order of a date, split at random",
}
READING_WARNINGS = {
    "leading_zeros": "codes that were read as numbers, without their leading zeros",
    "unreadable_values": "texts that became missing in a column of numbers or truth values",
}
SCORE_WARNINGS = {
    "no_better_than_trivial": "a model that is not better than a constant prediction",
    "validation_differs_from_test": "validation and test errors that differ by more than chance",
}
WARNINGS = {**READING_WARNINGS, **DATA_WARNINGS, **SCORE_WARNINGS}


class Notice(NamedTuple):
    """A warning of a run.

    Args:
        name: Name, one of `WARNINGS`.
        text: One short sentence.
    """

    name: str
    text: str
