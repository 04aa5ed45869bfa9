"""Check that the sizes of a split are possible, for the config group `split`."""

from __future__ import annotations

import math
from collections.abc import Mapping

from mlrunner.core.errors import ConfigError

TOLERANCE = 1e-9  # of a sum of shares


def raise_first(problems: list[str]) -> None:
    """Raise a `ConfigError` with the first sentence, if there is one."""
    for problem in problems:
        raise ConfigError(problem)


def complete_shares(shares: Mapping[str, float | None]) -> dict[str, float]:
    """Replace the share that is None by the rest."""
    rest = 1 - sum(share for share in shares.values() if share is not None)
    return {name: rest if share is None else share for name, share in shares.items()}


def share_problems(shares: Mapping[str, float | None]) -> list[str]:
    """Return one sentence for each reason why shares do not sum to 1.

    Args:
        shares: Share of each part by name; None takes the rest.
    """
    numbers = {name: share for name, share in shares.items() if share is not None}
    problems = [
        f"split.{name} is {share:g}; a share must be above 0 and below 1."
        for name, share in numbers.items()
        if not 0 < share < 1
    ]
    if problems:
        return problems
    nulls = [name for name in shares if name not in numbers]
    if len(nulls) > 1:
        return [f"{_join_keys(nulls)} are null, but only one can take the rest; give the others a number."]
    return _sum_problems(numbers, nulls)


def _sum_problems(numbers: dict[str, float], nulls: list[str]) -> list[str]:
    total = sum(numbers.values())
    subject = f"{_join_keys(numbers)} are {_join(f'{share:g}' for share in numbers.values())}"
    if nulls and total > 1 - TOLERANCE:
        return [f"{subject}, which leaves {1 - total:g} for split.{nulls[0]}; lower one of them."]
    if not nulls and abs(total - 1) > TOLERANCE:
        return [f"{subject}, which sum to {total:g}; they must sum to 1, or one can be null to take the rest."]
    return []


def part_problems(shares: Mapping[str, float], rows: int, groups: int | None) -> list[str]:
    """Return one sentence for each part that would be empty.

    Args:
        shares: Share of each part by name.
        rows: Number of rows.
        groups: Number of groups that stay together; None: each row by itself.
    """
    parts, units = len(shares), rows if groups is None else groups
    if units < parts:
        what = "rows" if groups is None else "groups"
        return [f"split needs at least {parts} {what}, one each for {_join(shares)}, but the data has {units}."]
    return [
        f"split.{name} is {share:g}, which is less than one of {rows} rows; "
        f"raise it to at least {math.ceil(1000 / rows) / 1000:g}, or read more rows."
        for name, share in shares.items()
        if round(share * rows) < 1
    ]


def fold_problems(folds: int, test: float, rows: int, groups: int | None, least: int = 1) -> list[str]:
    """Return a sentence when the rows beside the test are too few for the folds.

    Args:
        folds: Number of folds.
        test: Share of the test.
        rows: Number of rows.
        groups: Number of groups that stay together; None: each row by itself.
        least: Least number of rows or groups for each fold.
    """
    if folds < 2:
        return [f"split.folds is {folds}; cross-validation needs at least 2."]
    what, units = ("rows", rows) if groups is None else ("groups", groups)
    left = min(units - 1, round((1 - test) * units))
    if left < folds * least:
        return [
            f"split.folds is {folds}, but of {units} {what} split.test={test:g} leaves {left}; "
            f"{suggest_folds(left // least)}read more rows."
        ]
    return []


def suggest_folds(most: int) -> str:
    """Return the start of a hint that names the largest possible number of folds, or nothing."""
    return f"choose split.folds={most} or fewer, or " if most > 1 else ""


def class_problems(smallest_class: int | None, parts: int, subject: str, folds: int = 0) -> list[str]:
    """Return a sentence when the rarest class cannot be in every part.

    Args:
        smallest_class: Number of members of the rarest class; None for regression.
        parts: Number of parts.
        subject: Words for the parts, for the message.
        folds: Number of folds among the parts.
    """
    if smallest_class is None or smallest_class >= parts:
        return []
    fewer = folds - (parts - smallest_class)  # a random split into folds could leave a fold without the class
    advice = f"choose split.folds={fewer}" if fewer > 1 else "choose split=80_20"
    return [
        f"the rarest class of the target has {smallest_class} members (rows or whole groups), but {subject} "
        f"need at least {parts}; {advice}, or leave that class out."
    ]


def _join_keys(names: Mapping[str, float] | list[str]) -> str:
    return _join(f"split.{name}" for name in names)


def _join(words: object) -> str:
    *most, last = [str(word) for word in words]  # type: ignore[attr-defined]
    return f"{', '.join(most)} and {last}" if most else last
