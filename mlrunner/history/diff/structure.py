"""Compare trees of settings by their structure: a key that was inserted is one line, and moves nothing below it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mlrunner.composition.keys import GROUPS


class Absent:
    """Marks that a side has no such key; null is a value."""

    def __repr__(self) -> str:
        return "-"


ABSENT = Absent()


@dataclass(frozen=True)
class Change:
    """A key that is not the same on all sides.

    Args:
        key: Its full dotted name.
        values: One a side, resolved; `ABSENT` where there is none.
        follows: What it follows from: a choice (`model`) or another key (`seed`); None where it was set itself.
    """

    key: str
    values: tuple[Any, ...]
    follows: str | None = None

    @property
    def kind(self) -> Literal["added", "removed", "changed"]:
        """`added`, `removed` or `changed`, seen from the first side."""
        if self.values[0] is ABSENT:
            return "added"
        return "removed" if all(value is ABSENT for value in self.values[1:]) else "changed"


def changes(sides: Sequence[Any], key: str = "") -> Iterator[Change]:
    """Find what differs between trees of plain values.

    Args:
        sides: The trees; at least two.
        key: Where they are; empty at the top.

    Returns:
        A change for each key that differs: a whole subtree where one side has none of it.
    """
    if all(isinstance(side, dict) for side in sides):
        names = sorted({str(name) for side in sides for name in side}, key=_order(sides)) if not key else _names(sides)
        for name in names:
            below = [_get(side, name) for side in sides]
            yield from changes(below, f"{key}.{name}" if key else name)
    elif any(not same(sides[0], side) for side in sides[1:]):
        yield Change(key, tuple(sides))


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are the same: 1, 1.0 and true are three values, NaN is one."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other or (one != one and other != other))


def _get(side: dict[Any, Any], name: str) -> Any:
    """Find a value by its name as it is typed: a number may be a key."""
    if name in side:
        return side[name]
    return next((value for key, value in side.items() if str(key) == name), ABSENT)


def _names(sides: Sequence[dict[Any, Any]]) -> list[str]:
    """Merge the names of all sides, in the order in which they stand."""
    return list(dict.fromkeys(str(name) for side in sides for name in side))


def _order(sides: Sequence[dict[Any, Any]]) -> Any:
    known = [*GROUPS, *[name for name in _names(sides) if name not in GROUPS]]
    return known.index


def elements(one: list[Any], other: list[Any]) -> tuple[list[Any], list[Any]]:
    """Compare two lists element by element.

    Returns:
        What is only in the first, and what is only in the second, in their order.
    """
    texts = [[json.dumps(value, sort_keys=True, default=str) for value in side] for side in (one, other)]
    gone: list[Any] = []
    come: list[Any] = []
    for tag, start, stop, first, last in difflib.SequenceMatcher(None, texts[0], texts[1], False).get_opcodes():
        if tag != "equal":
            gone += one[start:stop]
            come += other[first:last]
    return gone, come
