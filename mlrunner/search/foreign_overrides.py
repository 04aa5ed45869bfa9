"""Overrides of a search that were read from a store: everyone who can write to the store may have written them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from hydra.core.override_parser.types import Glob, Override, QuotedString

from mlrunner.composition.foreign_sources import ADDRESS
from mlrunner.composition.trust import refuse_foreign
from mlrunner.core.errors import ConfigError, ProblemsError
from mlrunner.core.overrides import split_flags
from mlrunner.core.redaction import HIDDEN
from mlrunner.search.grammar import parse_override, split_at_commas

PARAMS = "hydra.sweeper.params."
ZIP = re.compile(r"zip\((.*)\)", re.DOTALL)
PLAIN = re.compile(r"[\w+-][\w.+-]*")  # an option of a group: no path
CHOSEN = {"hydra/sweeper", "hydra/sweeper/sampler", "hydra/sweeper/pruner"}
SETTINGS = {  # of hydra.sweeper; the others open storages, read files or import functions
    *("n_trials", "n_jobs", "timeout", "patience", "target", "first", "repeats", "fail_fast", "retries"),
    *("max_failure_rate", "exclude", "refit", "direction", "sampler", "pruner", "params"),
}
OWN = {"stack", "executor", "deployer", "gate", "hydra", "home", "project", "resources"}  # of this machine
SOURCES = ("dataset.url", "dataset.query")


def separate_overrides(texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Separate the overrides that say what is searched from those that say with which machines, logins and files.

    Args:
        texts: Overrides of a search, from a store.

    Returns:
        The overrides to use, and those that the user has to type again.

    Raises:
        ProblemsError: When an override sets a class or a value that a composition from a store must not have.
    """
    used: list[str] = []
    left_out: list[str] = []
    problems: list[str] = []
    for text in texts:
        try:
            parts = list(_read(text))
            is_used = HIDDEN not in text and all(_is_used(part) for part in parts)
            (used if is_used else left_out).append(text)
            for part in parts if is_used else ():
                _refuse(part)
        except ProblemsError as error:
            problems += error.problems
        except ConfigError as error:
            problems.append(str(error))
    if problems:
        raise ProblemsError(problems)
    return used, left_out


def _read(text: str) -> Iterator[Override]:
    """Parse an override; a range of `hydra.sweeper.params` is one of its key, and a zip one of each of its keys."""
    if split_flags([text])[0]:
        raise ConfigError(f"{text} comes from the run and is no override.")
    override = parse_override(text)
    key = _get_key(override)
    if not key.startswith(PARAMS):
        yield override
        return
    value = override.value()
    inside = value if isinstance(value, str) else text.partition("=")[2]
    zipped = ZIP.fullmatch(inside)
    for part in split_at_commas(zipped[1]) if zipped is not None else [f"{key.removeprefix(PARAMS)}={inside}"]:
        yield parse_override(part)


def _get_key(override: Override) -> str:
    return str(override.get_key_element()).lstrip("+~")


def _is_used(override: Override) -> bool:
    key, values = _get_key(override), list(_list_values(override))
    if key in CHOSEN:
        return True
    if key.startswith("hydra.sweeper."):
        return key.split(".")[2] in SETTINGS and key != PARAMS.rstrip(".")
    if "." not in key and any(isinstance(value, dict | list) for value in values):  # it may hold any key
        return False
    is_address = key in ("dataset.path", "dataset.loader") and any(ADDRESS.search(str(value)) for value in values)
    return re.split(r"[./@]", key)[0] not in OWN and key not in SOURCES and not is_address


def _refuse(override: Override) -> None:
    """Refuse what a composition from a store must not have, in each value of an override."""
    key = _get_key(override)
    for value in _list_values(override):
        if ("." not in key or "@" in key) and isinstance(value, str) and not PLAIN.fullmatch(value):
            raise ConfigError(f"{key}={value} comes from the run and names no option.")
        config: dict[str, Any] = {}
        node = config
        *parents, last = re.split(r"[.@]", key)
        for name in parents:
            node = node.setdefault(name, {})
        node[last] = value
        refuse_foreign(config, list(config))


def _list_values(override: Override) -> list[Any]:
    """List the values of an override; numbers of a range and names of existing options, as of a glob, do no harm."""
    value = override.value()
    if not override.is_sweep_override():
        return [value]
    has_values = override.is_choice_sweep() and not isinstance(value, Glob)
    return list(map(_to_plain, override.sweep_iterator())) if has_values else []


def _to_plain(value: Any) -> Any:
    """Return a value without Hydra's quotes."""
    if isinstance(value, dict):
        return {str(key): _to_plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return list(map(_to_plain, value))
    return value.text if isinstance(value, QuotedString) else value
