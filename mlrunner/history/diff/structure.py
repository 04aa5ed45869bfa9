"""Compare trees of settings key by key; an inserted key is one change and does not affect the others."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mlrunner.composition.keys import GROUPS


class Absent:
    """Marker of a key that a side does not have, as null is a value."""

    def __repr__(self) -> str:
        return "-"


ABSENT = Absent()


@dataclass(frozen=True)
class Change:
    """A key whose values differ between sides.

    Args:
        key: Full dotted key.
        values: Resolved value of each side; `ABSENT` if it has none.
        follows: Choice (`model`) or key (`seed`) that determines the value; None if it was set directly.
    """

    key: str
    values: tuple[Any, ...]
    follows: str | None = None

    @property
    def kind(self) -> Literal["added", "removed", "changed"]:
        """The kind of change from the first side to the others."""
        if self.values[0] is ABSENT:
            return "added"
        return "removed" if all(value is ABSENT for value in self.values[1:]) else "changed"


def find_changes(sides: Sequence[Any], key: str = "") -> Iterator[Change]:
    """Find the differences between trees of plain values.

    Args:
        sides: At least two trees.
        key: Key of the trees; empty at the top.

    Returns:
        A change for each key that differs; a whole subtree is one change if a side does not have it.
    """
    if all(isinstance(side, dict) for side in sides):
        names = sorted({str(name) for side in sides for name in side}, key=_order(sides)) if not key else _names(sides)
        for name in names:
            below = [_get(side, name) for side in sides]
            yield from find_changes(below, f"{key}.{name}" if key else name)
    elif any(not equal_values(sides[0], side) for side in sides[1:]):
        yield Change(key, tuple(sides))


def equal_values(first: Any, second: Any) -> bool:
    """Check whether two values are equal: 1, 1.0 and true are different, NaN equals NaN."""
    if type(first) is not type(second):
        return False
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(equal_values(first[name], second[name]) for name in first)
    if isinstance(first, list):
        return len(first) == len(second) and all(map(equal_values, first, second))
    return bool(first == second or (first != first and second != second))


def _get(side: dict[Any, Any], name: str) -> Any:
    """Return the value of a name as it is written in overrides; the key may be a number."""
    if name in side:
        return side[name]
    return next((value for key, value in side.items() if str(key) == name), ABSENT)


def _names(sides: Sequence[dict[Any, Any]]) -> list[str]:
    """Merge the names of all sides in their order."""
    return list(dict.fromkeys(str(name) for side in sides for name in side))


def _order(sides: Sequence[dict[Any, Any]]) -> Any:
    names = [*GROUPS, *[name for name in _names(sides) if name not in GROUPS]]
    return names.index


def compare_lists(first: list[Any], second: list[Any]) -> tuple[list[Any], list[Any]]:
    """Compare two lists element by element.

    Returns:
        The elements that are only in the first list, and those that are only in the second, in their order.
    """
    texts = [[json.dumps(value, sort_keys=True, default=str) for value in side] for side in (first, second)]
    removed: list[Any] = []
    added: list[Any] = []
    for tag, start, stop, begin, last in difflib.SequenceMatcher(None, texts[0], texts[1], False).get_opcodes():
        if tag != "equal":
            removed += first[start:stop]
            added += second[begin:last]
    return removed, added
