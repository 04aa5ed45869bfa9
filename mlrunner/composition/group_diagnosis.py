"""Explain what is wrong with an override of a config group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hydra.core.override_parser.types import Override
from hydra.types import RunMode

from mlrunner.core.errors import nearest


def list_places(loader: Any, name: str) -> dict[str, Any]:
    """Return the groups of the defaults list, as `group` or `group@package`, with their default options."""
    cfg = loader.load_configuration(name, [], run_mode=RunMode.RUN)
    return dict(cfg.hydra.runtime.choices)


def check_group(override: Override, loader: Any, places: Mapping[str, Any]) -> Iterator[str]:
    """Refuse an option that the group does not have, and a group that cannot be chosen in this way.

    Args:
        override: Override of a group.
        loader: Hydra's config loader.
        places: Groups of the defaults list, with their default options.
    """
    problem = _check_place(override, places)
    if override.is_delete():
        yield from problem
        return
    group, value = override.key_or_group, override.value()
    known = loader.get_group_options(group)
    possible = ", ".join(known) or "no options"
    if value is None:
        yield f"{group}=null is not an option; {group} has {possible}."
        return
    options = sweep_values(override) if override.is_sweep_override() else _as_texts(value)
    unknown = [option for option in options if option not in known]
    yield from (
        problem
        if not unknown
        else (
            f"{group}={option} is not an option; {group} has {possible}.{nearest(option, known)}" for option in unknown
        )
    )


def _check_place(override: Override, places: Mapping[str, Any]) -> Iterator[str]:
    """Refuse to choose a group that is not in the defaults list, to add one that is, and to delete another option."""
    text, key = str(override.input_line), override.get_key_element().lstrip("+~")
    option = text.partition("=")[2]
    if override.is_delete():
        if key not in places or option not in ("", places[key]):
            there = f"the default {key} is {places[key]}" if key in places else f"the defaults list has no {key}"
            yield f"{text}: {there}; leave this override out."
    elif override.is_add() or override.is_force_add():
        if key in places:
            yield f"{text}: the defaults list has {key} already; write {key}={option}."
        elif override.is_force_add():
            yield f"{text}: a group is added with a single +; write +{key}={option}."
    elif key not in places and not key.startswith("hydra/sweeper/"):  # which a sweeper brings
        others = [f"{place}={option}" for place in places if place.partition("@")[0] == override.key_or_group]
        yield f"{text}: the defaults list has no {key}; write {' or '.join(others) or f'+{key}={option}'}."


def sweep_values(override: Override) -> list[str]:
    """Return the options of a grid; one like '80_20' is quoted on the command line."""
    return [text.strip("'\"") for text in override.sweep_string_iterator()]


def _as_texts(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]
