"""What a composition from a store may do: anybody who writes to the store may have written it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import Any

from mlrunner.core.errors import ProblemsError

OURS = ("mlrunner.",)
ESTIMATORS = ("sklearn.", "xgboost.", "lightgbm.", "catboost.")
MORE = "MLRUNNER_TRUSTED"  # further modules, and env:NAME for variables, by comma
BY_TASK = "${model.targets.${dataset.task}}"  # the one class that another key may name: each target is looked at
VARIABLES = ("MLRUNNER_PROJECT", "MLRUNNER_HOME")  # where our folders are; others of ours hold secrets
LOGINS = "stack"  # this machine's
FILES = "joblib"  # reads what it has kept as code
LIMITS = "deployer."  # a container's memory is another one
INNERMOST = re.compile(r"\$\{([^${}]*)\}")
INSIDE = "\0"  # stands for what an interpolation became


def refuse_foreign(config: dict[str, Any], groups: Sequence[str]) -> None:
    """Refuse classes that a composition from a store may not name, and interpolations that it may not hold.

    Args:
        config: Resolved or not.
        groups: The keys of it that will be used.

    Raises:
        ProblemsError: With a sentence for each.
    """
    more = [name for name in map(str.strip, os.environ.get(MORE, "").split(",")) if name]
    problems = [problem for group in groups for problem in _problems(config.get(group), group, more)]
    if problems:
        raise ProblemsError(problems)


def _problems(node: Any, key: str, more: Sequence[str]) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _kept(value, f"{key}.{name}", more)
            yield from _problems(value, f"{key}.{name}", more)
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from _problems(value, f"{key}.{place}", more)
    elif isinstance(node, str):
        yield from _class(node, key, more)
        yield from _interpolated(node, key, more)


def _kept(value: Any, key: str, more: Sequence[str]) -> Iterator[str]:
    """Refuse a folder of fitted steps: an estimator's `memory` unpickles what anybody may have put there."""
    name = re.split(r"\.|__", key)[-1]  # `step__memory` sets that of a step
    if name == "memory" and not key.startswith(LIMITS) and value is not None and FILES not in more:
        yield (
            f"{key} names a folder of pickles, which run code when they are read; if you trust it, set {MORE}={FILES} "
            "in the environment."
        )


def _class(text: str, key: str, more: Sequence[str]) -> Iterator[str]:
    """Refuse a class of nobody who is trusted, and one that another key names; each of a model's targets is a class."""
    is_class = key.endswith("._target_") or ".targets." in key
    if "${" in text and text != BY_TASK and (is_class or key.endswith(".targets")):
        yield f"{key}={text} is a class that another key names, which a composition from a store may not."
    elif is_class and text != BY_TASK and not text.startswith((*OURS, *ESTIMATORS, *(f"{name}." for name in more))):
        yield (
            f"{key}={text} comes from the run and is of neither mlrunner nor a library of models; if you trust it, "
            f"set {MORE}={text.partition('.')[0]} in the environment."
        )


def _interpolated(text: str, key: str, more: Sequence[str]) -> Iterator[str]:
    """Refuse every interpolation that does more than name a key, the innermost first.

    What that one becomes is not known here and may be part of a name: a letter stands for it that is in none.
    """
    while (found := INNERMOST.search(text)) is not None:
        resolver, is_call, arguments = found[1].partition(":")
        if is_call:
            yield from _called(resolver.strip(), arguments.partition(",")[0].strip(), key, more)
        else:
            yield from _named(resolver, key)
        text = f"{text[: found.start()]}{INSIDE}{text[found.end() :]}"
    if "${" in text:
        yield f"{key} holds an interpolation that cannot be read."


def _named(path: str, key: str) -> Iterator[str]:
    """Refuse the logins of whoever reproduces; relative paths begin with dots."""
    first = next(filter(None, re.split(r"[.\[\]\s]", path)), "")
    if first == LOGINS or INSIDE in first:
        told = path.replace(INSIDE, "${...}")
        yield f"{key} refers to ${{{told}}}, which a composition from a store may not: it may be a login of yours."


def _called(resolver: str, argument: str, key: str, more: Sequence[str]) -> Iterator[str]:
    """Refuse what reads the environment of whoever reproduces, but for our own folders and what is trusted."""
    if resolver != "oc.env" or INSIDE in argument:
        told = f"{resolver}:{argument}".replace(INSIDE, "${...}")
        yield f"{key} asks for {told}, which a composition from a store may not; only keys may be named."
    elif argument not in VARIABLES and f"env:{argument}" not in more:
        yield f"{key} reads the variable {argument} of your environment; if you trust it, set {MORE}=env:{argument}."
