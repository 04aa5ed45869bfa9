"""Overrides that set values: of the ways that Hydra's grammar has to say one, the shortest that does it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mlrunner.composition.compose import Composing
from mlrunner.composition.keys import PLACES
from mlrunner.composition.override_syntax import written
from mlrunner.core.errors import ConfigError
from mlrunner.history.diff.structure import ABSENT, same

UNTOLD = (*PLACES, "output")  # of a machine, or of how a run prints
Way = tuple[str, ...]


@dataclass(frozen=True)
class Apart:
    """A value that is not the same in two compositions.

    Args:
        path: The names of its keys as they are: 1 and "1" are two, and a name may hold a dot.
        old: Here; `ABSENT` where there is none.
        new: And there.
    """

    path: tuple[Any, ...]
    old: Any
    new: Any

    @property
    def key(self) -> str:
        """Its full dotted name."""
        return dotted(self.path)


def dotted(path: tuple[Any, ...]) -> str:
    """Write a path as the left side of an override."""
    return ".".join(map(str, path))


def told(config: dict[str, Any]) -> dict[str, Any]:
    """Leave out what a line says nothing of."""
    return {key: value for key, value in config.items() if key not in UNTOLD}


def apart(now: dict[str, Any], goal: dict[str, Any]) -> list[Apart]:
    """Find what is not the same, but for what a line says nothing of."""
    return list(_apart(told(now), told(goal), ()))


def _apart(now: Any, goal: Any, path: tuple[Any, ...]) -> Iterator[Apart]:
    if isinstance(now, dict) and isinstance(goal, dict):
        for name in dict.fromkeys((*now, *goal)):
            yield from _apart(now.get(name, ABSENT), goal.get(name, ABSENT), (*path, name))
    elif not same(now, goal):
        yield Apart(path, now, goal)


def settings(hydra: Composing, now: dict[str, Any], goal: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """Find the overrides that set what is not the same, as far as there are any.

    Args:
        hydra: Tries them.
        now: A composition, its interpolations unresolved.
        goal: Another one.

    Returns:
        The overrides, and what comes of them.
    """
    texts: list[str] = []
    for one in apart(now, goal):
        way, now = _way(hydra, now, goal, one)
        texts += way
    return texts, now


def _way(hydra: Composing, now: dict[str, Any], goal: dict[str, Any], one: Apart) -> tuple[Way, dict[str, Any]]:
    """Try the ways to set a value; what the grammar reads otherwise than it was meant brings the goal no nearer."""
    count = len(apart(now, goal))
    for way in _ways(one, goal):
        try:
            then = hydra.set(now, way)
        except (ConfigError, TypeError):  # no such key; a list and a dictionary do not merge
            continue
        if len(apart(then, goal)) < count:
            return way, then
    return (), now


def _ways(one: Apart, goal: dict[str, Any]) -> Iterator[Way]:
    """Name the ways, the shortest first."""
    for ways in (_alone(one), _inside(one), _anew(one, goal)):
        try:
            yield from ways
        except ValueError:  # the grammar cannot write a key of the value
            continue


def _alone(one: Apart) -> Iterator[Way]:
    key = one.key
    if one.new is ABSENT:
        yield (f"~{key}",)
        yield f"{key}=0", f"~{key}"  # Hydra deletes no null
        return
    value = written(one.new)
    if one.old is ABSENT:
        yield (f"+{key}={value}",)
        return
    yield (f"{key}={value}",)
    yield f"~{key}", f"+{key}={value}"  # where Hydra would merge the two


def _inside(one: Apart) -> Iterator[Way]:
    """Name its keys in a dictionary, whose grammar takes names that the left side of an override cannot have."""
    value = one.new
    if value is ABSENT:
        return
    for place in range(len(one.path) - 1, 0, -1):
        value = {one.path[place]: value}
        yield (f"+{dotted(one.path[:place])}={written(value)}",)


def _anew(one: Apart, goal: dict[str, Any]) -> Iterator[Way]:
    """Replace what holds it; not a group, whose deletion would be that of the choice."""
    for place in range(len(one.path) - 1, 1, -1):
        value: Any = goal
        for name in one.path[:place]:
            value = value[name]
        key = dotted(one.path[:place])
        yield f"~{key}", f"+{key}={written(value)}"
