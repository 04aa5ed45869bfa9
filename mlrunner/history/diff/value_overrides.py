"""Find overrides that set values: of the forms that Hydra's grammar offers, the shortest that works."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mlrunner.composition.compose import ConfigComposer
from mlrunner.composition.keys import PLACES
from mlrunner.composition.override_syntax import write_value
from mlrunner.core.errors import ConfigError
from mlrunner.history.diff.structure import ABSENT, equal_values

IGNORED_KEYS = (*PLACES, "output")  # of a machine, or of what a run prints
Config = dict[str, Any]
Candidate = tuple[str, ...]


@dataclass(frozen=True)
class ValueDifference:
    """A value that differs between two compositions.

    Args:
        path: Names of its keys, unconverted: 1 and "1" are different keys, and a name may contain a dot.
        old: Value in the first composition; `ABSENT` if it has none.
        new: Value in the second composition.
    """

    path: tuple[Any, ...]
    old: Any
    new: Any

    @property
    def key(self) -> str:
        """The full dotted key."""
        return join_path(self.path)


def join_path(path: tuple[Any, ...]) -> str:
    """Write a path as the left side of an override."""
    return ".".join(map(str, path))


def without_ignored(config: Config) -> Config:
    """Remove the keys that overrides between compositions leave alone."""
    return {key: value for key, value in config.items() if key not in IGNORED_KEYS}


def value_differences(current: Config, goal: Config) -> list[ValueDifference]:
    """Find the values that differ, except for ignored keys."""
    return list(_differences(without_ignored(current), without_ignored(goal), ()))


def _differences(current: Any, goal: Any, path: tuple[Any, ...]) -> Iterator[ValueDifference]:
    if isinstance(current, dict) and isinstance(goal, dict):
        for name in dict.fromkeys((*current, *goal)):
            yield from _differences(current.get(name, ABSENT), goal.get(name, ABSENT), (*path, name))
    elif not equal_values(current, goal):
        yield ValueDifference(path, current, goal)


def find_value_overrides(hydra: ConfigComposer, current: Config, goal: Config) -> tuple[list[str], Config]:
    """Find the overrides that set the values that differ, as far as overrides can.

    Args:
        hydra: Composer that tries the overrides.
        current: Composition with unresolved interpolations.
        goal: Another composition.

    Returns:
        The overrides, and the composition that they result in.
    """
    overrides: list[str] = []
    for difference in value_differences(current, goal):
        candidate, current = _find_candidate(hydra, current, goal, difference)
        overrides += candidate
    return overrides, current


def _find_candidate(
    hydra: ConfigComposer, current: Config, goal: Config, difference: ValueDifference
) -> tuple[Candidate, Config]:
    """Try the candidates; one that Hydra's grammar reads differently does not reduce the differences."""
    count = len(value_differences(current, goal))
    for candidate in _candidates(difference, goal):
        try:
            result = hydra.set(current, candidate)
        except (ConfigError, TypeError):  # no such key; a list and a dictionary cannot be merged
            continue
        if len(value_differences(result, goal)) < count:
            return candidate, result
    return (), current


def _candidates(difference: ValueDifference, goal: Config) -> Iterator[Candidate]:
    """Yield the candidates, the shortest first."""
    for candidates in (_direct(difference), _within_dictionary(difference), _replacing_parent(difference, goal)):
        try:
            yield from candidates
        except ValueError:  # the grammar cannot write a key of the value
            continue


def _direct(difference: ValueDifference) -> Iterator[Candidate]:
    key = difference.key
    if difference.new is ABSENT:
        yield (f"~{key}",)
        yield f"{key}=0", f"~{key}"  # Hydra does not delete null
        return
    value = write_value(difference.new)
    if difference.old is ABSENT:
        yield (f"+{key}={value}",)
        return
    yield (f"{key}={value}",)
    yield f"~{key}", f"+{key}={value}"  # if Hydra would merge the two


def _within_dictionary(difference: ValueDifference) -> Iterator[Candidate]:
    """Write keys within a dictionary, which accepts names that the left side of an override does not."""
    value = difference.new
    if value is ABSENT:
        return
    for place in range(len(difference.path) - 1, 0, -1):
        value = {difference.path[place]: value}
        yield (f"+{join_path(difference.path[:place])}={write_value(value)}",)


def _replacing_parent(difference: ValueDifference, goal: Config) -> Iterator[Candidate]:
    """Replace a dictionary that contains the value; not a group, because that would delete the choice."""
    for place in range(len(difference.path) - 1, 1, -1):
        value: Any = goal
        for name in difference.path[:place]:
            value = value[name]
        key = join_path(difference.path[:place])
        yield f"~{key}", f"+{key}={write_value(value)}"
