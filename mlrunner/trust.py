"""What a composition from a store may do: anybody who writes to the store may have written it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from typing import Any

from mlrunner.errors import ProblemsError

OURS = ("mlrunner.",)
ESTIMATORS = ("sklearn.", "xgboost.", "lightgbm.", "catboost.")
MORE = "MLRUNNER_TRUSTED"  # further modules, and env:NAME for variables, by comma
BY_TASK = "${model.targets.${dataset.task}}"  # the one class that another key may name: each target is looked at
INNERMOST = re.compile(r"\$\{([^${}]*)\}")


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
            yield from _problems(value, f"{key}.{name}", more)
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from _problems(value, f"{key}.{place}", more)
    elif isinstance(node, str):
        is_class = key.endswith(("._target_", ".targets")) or ".targets." in key
        if is_class and node != BY_TASK and not _is_trusted(node, more):
            yield (
                f"{key}={node} comes from the run and is of neither mlrunner nor a library of models; if you trust it, "
                f"set {MORE}={node.partition('.')[0]} in the environment."
            )
        yield from _interpolated(node, key, more)


def _is_trusted(target: str, more: Sequence[str]) -> bool:
    return "${" not in target and target.startswith((*OURS, *ESTIMATORS, *(f"{name}." for name in more)))


def _interpolated(text: str, key: str, more: Sequence[str]) -> Iterator[str]:
    """Refuse every interpolation that does more than name a key, the innermost first.

    What that one becomes is not known here and may be part of a name: `_` stands for it, which is nobody's name.
    """
    while (found := INNERMOST.search(text)) is not None:
        resolver, is_call, arguments = found[1].partition(":")
        if is_call:
            yield from _called(resolver.strip(), arguments.partition(",")[0].strip(), found[0], key, more)
        text = f"{text[: found.start()]}_{text[found.end() :]}"
    if "${" in text:
        yield f"{key} holds {json.dumps(text)}, which cannot be read."


def _called(resolver: str, argument: str, text: str, key: str, more: Sequence[str]) -> Iterator[str]:
    """Refuse what reads the environment of whoever reproduces, but for our own variables and those that are trusted."""
    if resolver != "oc.env":
        yield f"{key} holds {json.dumps(text)}, which a composition from a store may not; only keys may be named."
    elif not argument.startswith("MLRUNNER_") and f"env:{argument}" not in more:
        yield f"{key} reads the variable {argument} of your environment; if you trust it, set {MORE}=env:{argument}."
