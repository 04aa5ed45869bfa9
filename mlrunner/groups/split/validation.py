"""Whether the sizes of a split are possible; serves the config group `split`."""

from __future__ import annotations

import math
from collections.abc import Mapping

TOLERANCE = 1e-9  # of a sum of shares


def completed(shares: Mapping[str, float | None]) -> dict[str, float]:
    """Give the rest to the share that is null."""
    rest = 1 - sum(share for share in shares.values() if share is not None)
    return {name: rest if share is None else share for name, share in shares.items()}


def share_problems(shares: Mapping[str, float | None]) -> list[str]:
    """Say why the shares of a whole do not add up, by name of the part."""
    given = {name: share for name, share in shares.items() if share is not None}
    wrong = [
        f"split.{name} is {share:g}; a share must be above 0 and below 1."
        for name, share in given.items()
        if not 0 < share < 1
    ]
    if wrong:
        return wrong
    open_shares = [name for name in shares if name not in given]
    if len(open_shares) > 1:
        return [f"{_keys(open_shares)} are null, but only one can take the rest; give the others a number."]
    total, told = (
        sum(given.values()),
        f"{_keys(given)} are {_listed(f'{share:g}' for share in given.values())}",
    )
    if open_shares and total > 1 - TOLERANCE:
        return [f"{told}, which leaves {1 - total:g} for split.{open_shares[0]}; lower one of them."]
    if not open_shares and abs(total - 1) > TOLERANCE:
        return [f"{told}, which sum to {total:g}; they must sum to 1, or one can be null to take the rest."]
    return []


def part_problems(shares: Mapping[str, float], rows: int, groups: int | None) -> list[str]:
    """Say which part of a table would be empty."""
    parts, units = len(shares), rows if groups is None else groups
    if units < parts:
        what = "rows" if groups is None else "groups"
        return [f"split needs at least {parts} {what}, one each for {_listed(shares)}, but the data has {units}."]
    return [
        f"split.{name} is {share:g}, which of {rows} rows is none; "
        f"raise it to at least {math.ceil(1000 / rows) / 1000:g}, or read more rows."
        for name, share in shares.items()
        if round(share * rows) < 1
    ]


def fold_problems(folds: int, test: float, rows: int, groups: int | None) -> list[str]:
    """Say why what is left beside the test cannot be shared into folds."""
    if folds < 2:
        return [f"split.folds is {folds}; cross-validation needs at least 2."]
    what, units = ("rows", rows) if groups is None else ("groups", groups)
    left = min(units - 1, round((1 - test) * units))
    if left < folds:
        return [
            f"split.folds is {folds}, but of {units} {what} split.test={test:g} leaves {left}; "
            f"{fewer_folds(left)}read more rows."
        ]
    return []


def fewer_folds(most: int) -> str:
    """Offer a number of folds, if there is one."""
    return f"choose at most {most} folds, or " if most > 1 else ""


def class_problems(smallest_class: int | None, parts: int, told: str) -> list[str]:
    """Say that the rarest class cannot be in every part."""
    if smallest_class is None or smallest_class >= parts:
        return []
    return [
        f"the rarest class of the target has {smallest_class} members (rows or whole groups), but {told} "
        f"need at least {parts}; choose split=80_20 or split=kfold, or leave that class out."
    ]


def _keys(names: Mapping[str, float] | list[str]) -> str:
    return _listed(f"split.{name}" for name in names)


def _listed(words: object) -> str:
    *most, last = [str(word) for word in words]  # type: ignore[attr-defined]
    return f"{', '.join(most)} and {last}" if most else last
