"""Rules of `hydra.sweeper.exclude`: combinations that a search does not try."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable

from mlrunner.core.errors import ConfigError
from mlrunner.core.overrides import get_key
from mlrunner.search.grammar import QUOTES, split_at_commas
from mlrunner.tracking.studies import SWEEPER_KEY


def read_exclusions(rules: list[str]) -> tuple[tuple[str, ...], ...]:
    """Read `hydra.sweeper.exclude`, whose rules are combinations such as `model=rf,cleaning=full`.

    Raises:
        ConfigError: When a part of a rule is not KEY=VALUE.
    """
    conjunctions = [tuple(split_at_commas(rule)) for rule in rules]
    for rule, parts in zip(rules, conjunctions, strict=True):
        if not parts or not all("=" in part for part in parts):
            raise ConfigError(
                f"{SWEEPER_KEY}.exclude: '{rule}' is not a combination; write it like model=rf,cleaning=full."
            )
    return tuple(conjunctions)


def matches(overrides: Iterable[str], rule: tuple[str, ...]) -> bool:
    """Check whether a combination meets every condition of a rule.

    Args:
        overrides: Overrides of the combination.
        rule: Conditions KEY=PATTERN with shell wildcards.
    """
    return all(any(_is_met(text, condition) for text in overrides) for condition in rule)


def _is_met(text: str, condition: str) -> bool:
    if get_key(text) != get_key(condition):
        return False
    values, patterns = (_list_spellings(side.partition("=")[2]) for side in (text, condition))
    return any(fnmatch.fnmatchcase(value, pattern) for value in values for pattern in patterns)


def _list_spellings(value: str) -> set[str]:
    """List the ways to write a value in a rule: with or without its quotes, and booleans in lower case."""
    if value in ("True", "False"):
        return {value.lower()}
    if len(value) > 1 and value[0] == value[-1] and value[0] in QUOTES:
        return {value, value[1:-1].replace(f"\\{value[0]}", value[0])}
    return {value}
