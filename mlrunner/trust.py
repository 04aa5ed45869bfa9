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
INTERPOLATION = re.compile(r"\$\{\s*([\w.]+)\s*:\s*([^}]*)\}")


def refuse_foreign(config: dict[str, Any], groups: Sequence[str]) -> None:
    """Refuse classes that a composition from a store may not name, and interpolations that it may not hold.

    Args:
        config: Resolved or not.
        groups: The keys of it that will be used.

    Raises:
        ProblemsError: With a sentence for each.
    """
    more = [name for name in os.environ.get(MORE, "").split(",") if name]
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
        is_class = key.endswith("._target_") or ".targets." in key
        if is_class and "${" not in node and not node.startswith((*OURS, *ESTIMATORS, *(f"{name}." for name in more))):
            yield (
                f"{key}={node} comes from the run and is of neither mlrunner nor a library of models; if you trust it, "
                f"set {MORE}={node.partition('.')[0]} in the environment."
            )
        yield from (told for found in INTERPOLATION.finditer(node) for told in _foreign(key, found, more))


def _foreign(key: str, found: re.Match[str], more: Sequence[str]) -> Iterator[str]:
    """Refuse what reads the environment of whoever reproduces, but for our own variables and those that are trusted."""
    resolver, argument = found[1], found[2].partition(",")[0].strip()
    if resolver != "oc.env":
        yield f"{key} holds {json.dumps(found[0])}, which a composition from a store may not; only keys may be named."
    elif not argument.startswith("MLRUNNER_") and f"env:{argument}" not in more:
        yield f"{key} reads the variable {argument} of your environment; if you trust it, set {MORE}=env:{argument}."
