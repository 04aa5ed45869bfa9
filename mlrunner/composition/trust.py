"""Restrict a composition that was read from a store: everyone who can write to the store may have written it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from mlrunner.composition.deployment_name import RESOLVER
from mlrunner.core import environment
from mlrunner.core.errors import ProblemsError

OWN_PACKAGE = ("mlrunner.",)
ESTIMATORS = ("sklearn.", "xgboost.", "lightgbm.", "catboost.")
TRUST_VARIABLE = environment.TRUSTED_VARIABLE  # further modules, and env:NAME for variables, separated by commas
BY_TASK = "${model.targets.${dataset.task}}"  # the only interpolation for a class: each target is checked
VARIABLES = (environment.PROJECT_VARIABLE, environment.HOME_VARIABLE)  # our folders; other variables may hold secrets
LOGINS = "stack"  # the group that holds logins of this machine
FILES = "joblib"  # the library that reads the pickles of `memory`, which run code
LIMITS = "deployer."  # `deployer.memory` limits a container, and is no folder of pickles
INNERMOST = re.compile(r"\$\{([^${}]*)\}")
INSIDE = "\0"  # stands for the value of an inner interpolation


def refuse_foreign(config: dict[str, Any], groups: Sequence[str]) -> None:
    """Refuse classes and interpolations that a composition from a store must not have.

    Args:
        config: Configuration, resolved or not.
        groups: Top-level keys that will be used.

    Raises:
        ProblemsError: With one sentence for each.
    """
    trusted = environment.trusted_names()
    problems = [problem for group in groups for problem in _check_node(config.get(group), group, trusted)]
    if problems:
        raise ProblemsError(problems)


def _check_node(node: Any, key: str, trusted: Sequence[str]) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _check_folder(value, f"{key}.{name}", trusted)
            yield from _check_node(value, f"{key}.{name}", trusted)
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from _check_node(value, f"{key}.{place}", trusted)
    elif isinstance(node, str):
        yield from _check_class(node, key, trusted)
        yield from _check_interpolations(node, key, trusted)


def _check_folder(value: Any, key: str, trusted: Sequence[str]) -> Iterator[str]:
    """Refuse a cache folder: an estimator with `memory` unpickles the files that it finds there."""
    name = re.split(r"\.|__", key)[-1]  # `step__memory` sets the folder of a step
    if name == "memory" and not key.startswith(LIMITS) and value is not None and FILES not in trusted:
        yield (
            f"{key} names a folder of pickles, which run code when they are read; if you trust it, set "
            f"{TRUST_VARIABLE}={FILES} in the environment."
        )


def _check_class(text: str, key: str, trusted: Sequence[str]) -> Iterator[str]:
    """Refuse a class outside the trusted packages, and one that an interpolation names; `targets` hold classes too."""
    is_class = key.endswith("._target_") or ".targets." in key
    if "${" in text and text != BY_TASK and (is_class or key.endswith(".targets")):
        yield f"{key}={text} is a class that another key names, which a composition from a store may not."
    elif (
        is_class
        and text != BY_TASK
        and not text.startswith((*OWN_PACKAGE, *ESTIMATORS, *(f"{name}." for name in trusted)))
    ):
        yield (
            f"{key}={text} comes from the run and is of neither mlrunner nor a library of models; if you trust it, "
            f"set {TRUST_VARIABLE}={text.partition('.')[0]} in the environment."
        )


def _check_interpolations(text: str, key: str, trusted: Sequence[str]) -> Iterator[str]:
    """Refuse each interpolation that does more than refer to a key, the innermost first.

    The value of an inner interpolation is not known here and may be part of a name, so a character that no name
    contains replaces it.
    """
    while (match := INNERMOST.search(text)) is not None:
        resolver, is_call, arguments = match[1].partition(":")
        if is_call:
            yield from _check_resolver(resolver.strip(), arguments.partition(",")[0].strip(), key, trusted)
        else:
            yield from _check_key(resolver, key)
        text = f"{text[: match.start()]}{INSIDE}{text[match.end() :]}"
    if "${" in text:
        yield f"{key} holds an interpolation that cannot be read."


def _check_key(path: str, key: str) -> Iterator[str]:
    """Refuse a reference to the logins of the current user; relative paths begin with dots."""
    first = next(filter(None, re.split(r"[.\[\]\s]", path)), "")
    if first == LOGINS or INSIDE in first:
        shown = path.replace(INSIDE, "${...}")
        yield f"{key} refers to ${{{shown}}}, which a composition from a store may not: it may be a login of yours."


def _check_resolver(resolver: str, argument: str, key: str, trusted: Sequence[str]) -> Iterator[str]:
    """Refuse resolvers but our own and `oc.env`, and variables but those of our folders and the trusted ones."""
    if resolver == RESOLVER and not argument:
        return
    if resolver != "oc.env" or INSIDE in argument:
        shown = f"{resolver}:{argument}".replace(INSIDE, "${...}")
        yield f"{key} asks for {shown}, which a composition from a store may not; only keys may be named."
    elif argument not in VARIABLES and f"env:{argument}" not in trusted:
        yield (
            f"{key} reads the variable {argument} of your environment; if you trust it, set "
            f"{TRUST_VARIABLE}=env:{argument}."
        )
