"""Check that a study belongs to the same search as the one that continues it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import optuna

from mlrunner.core.errors import ProblemsError, brief
from mlrunner.search.study_setup import SEARCH_ATTRIBUTE
from mlrunner.tracking.run_log import flatten
from mlrunner.tracking.studies import SWEEPER_KEY

# never change a score
IRRELEVANT = ("output=", "tracking.", "threads=", "stack", "sweep=", "gate", "deployer", "executor")
COMPOSITION = "composition"  # values by key of the first composition, but for what is searched
GRID_SEED = "sampler.seed"  # of a grid, whose order it makes


def refuse_changes(study: optuna.Study, search: dict[str, Any], is_allowed: bool) -> None:
    """Refuse to continue a study as another search.

    Args:
        study: Study of the earlier search.
        search: Description of the current search, as plain values.
        is_allowed: Value of `hydra.sweeper.allow_changes`.

    Raises:
        ProblemsError: When the searches differ, one sentence for each difference.
    """
    before = study.user_attrs.get(SEARCH_ATTRIBUTE)
    changes = [] if before is None or is_allowed else list(_list_changes(before, search))
    if changes:
        hint = f"choose another {SWEEPER_KEY}.study_name, or accept it with {SWEEPER_KEY}.allow_changes=true."
        raise ProblemsError([f"study {study.study_name}: {change}; {hint}" for change in changes])


def describe_fixed(composition: dict[str, Any], searched: list[str]) -> dict[str, str]:
    """Describe the values that every trial has: a later session has the same unless a file was edited in between.

    Args:
        composition: First composition of the search, without secrets.
        searched: Keys of the space.
    """
    groups = {text.rstrip("=.") for text in IRRELEVANT}
    keys = [key.lstrip("+") for key in searched]
    values = {name: value for name, value in composition.items() if name not in groups}
    return {
        name: text
        for name, text in flatten(values).items()
        if not any(name == key or name.startswith(f"{key}.") for key in keys)
    }


def _list_changes(before: dict[str, Any], search: dict[str, Any]) -> Iterator[str]:
    for name in ("data", "metric", "repeats", GRID_SEED):
        if before.get(name) != search.get(name):
            yield f"{name} was {_format(before.get(name))} and is {_format(search.get(name))}"
    old, new = before["space"]["dimensions"], search["space"]["dimensions"]
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield f"{name} was {_format_range(old.get(name))} and is {_format_range(new.get(name))}"
    old_fixed, new_fixed = _list_relevant(before), _list_relevant(search)
    yield from (f"{text} is gone" for text in sorted(old_fixed - new_fixed))
    yield from (f"{text} is new" for text in sorted(new_fixed - old_fixed))
    if old == new and old_fixed == new_fixed:  # else these overrides may have changed the composition
        yield from _list_edits(before.get(COMPOSITION), search.get(COMPOSITION, {}))


def _list_edits(old: dict[str, str] | None, new: dict[str, str]) -> Iterator[str]:
    """List the values that files of the configuration set otherwise than at the start of the search."""
    changed = [] if old is None else sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
    if old is not None and changed:
        texts = [f"{key} was {old.get(key, 'absent')} and is {new.get(key, 'absent')}" for key in changed]
        yield f"a file of the configuration has changed ({brief(texts)})"


def _list_relevant(search: dict[str, Any]) -> set[str]:
    """List the fixed overrides that may change a score."""
    return {text for text in search["space"]["fixed"] if not text.startswith(IRRELEVANT)}


def _format(value: Any) -> str:
    return ", ".join(f"{key} {text}" for key, text in value.items()) if isinstance(value, dict) else str(value)


def _format_range(json_text: str | None) -> str:
    if json_text is None:
        return "not searched"
    return str(optuna.distributions.json_to_distribution(json_text)).replace("Distribution", "")
