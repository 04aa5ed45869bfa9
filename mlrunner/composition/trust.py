"""Restrict a composition that was read from a store: everyone who can write to the store may have written it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from mlrunner.composition.deployment_name import RESOLVER
from mlrunner.core import environment
from mlrunner.core.allowed_classes import LIBRARIES, find, is_fitted_part, is_within
from mlrunner.core.errors import ProblemsError

TRUST_VARIABLE = environment.TRUSTED_VARIABLE  # further modules, and env:NAME for variables, separated by commas
BY_TASK = "${model.targets.${dataset.task}}"  # the only interpolation for a class: each target is checked
# Our folders; other variables may hold secrets.
VARIABLES = (environment.PROJECT_VARIABLE, environment.HOME_VARIABLE, environment.RESOURCES_VARIABLE)
LOGINS = "stack"  # the group that holds logins of this machine
FILES = "joblib"  # the library that reads the pickles of `memory`, which run code
OPENED = re.compile(  # arguments of boosters and callbacks that name files and hosts, with LightGBM's aliases
    "allow_writing_files|directory|fs|machines|mlist|nodes|parser_config_file|save_snapshot|snapshot_file|train_dir|"
    "workers|(input|output)_model|model_(in|out)(put)?|machine_list(_file(name)?)?|forced_?(splits|bins)(_file(name)?)?"
)
METRICS = ("sklearn.metrics",)
PLAIN_KEY = re.compile(r"[\w.]+")  # without quotes, which could hide a name
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
    trusted = tuple(environment.trusted_names())
    problems = [problem for group in groups for problem in _check_node(config.get(group), group, trusted)]
    if problems:
        raise ProblemsError(problems)


def _check_node(node: Any, key: str, trusted: Sequence[str]) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            if key.partition(".")[0] == "model":
                yield from _check_argument(value, f"{key}.{name}", trusted)
            yield from _check_node(value, f"{key}.{name}", trusted)
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from _check_node(value, f"{key}.{place}", trusted)
    elif isinstance(node, str):
        yield from _check_class(node, key, trusted)
        yield from _check_interpolations(node, key, trusted)


def _check_argument(value: Any, key: str, trusted: Sequence[str]) -> Iterator[str]:
    """Refuse files and hosts; an estimator with `memory` unpickles the files that it finds there."""
    name = re.split(r"\.|__", key)[-1]  # `step__memory` sets the folder of a step
    if value in (None, False):
        return
    if OPENED.fullmatch(name) or (name == "input" and value in ("file", "filename")):
        yield f"{key}={value} opens a file or a connection, which a composition from a store may not; leave it out."
    elif name == "memory" and FILES not in trusted:
        yield (
            f"{key} names a folder of pickles, which run code when they are read; if you trust it, set "
            f"{TRUST_VARIABLE}={FILES} in the environment."
        )


def _check_class(text: str, key: str, trusted: Sequence[str]) -> Iterator[str]:
    """Refuse a class that an interpolation names, and one that may not stand there; `targets` hold classes too."""
    is_class = key.endswith("._target_") or ".targets." in key
    if "${" in text and text != BY_TASK and (is_class or key.endswith(".targets")):
        yield f"{key}={text} is a class that another key names, which a composition from a store may not."
    elif is_class and text != BY_TASK:
        yield from _check_definition(text, key, trusted)


def _check_definition(path: str, key: str, trusted: Sequence[str]) -> Iterator[str]:
    """Refuse what is defined elsewhere than in the group of its key or a library of models, and another kind."""
    own = tuple(f"mlrunner.groups.{part}" for part in key.split("."))
    try:
        value = find(path, (*own, *LIBRARIES), trusted)
    except LookupError as error:
        module = str(error.args[0])
        top = module.partition(".")[0]
        yield (
            f"{key}={path} comes from the run and is of neither mlrunner nor a library of models; if you trust it, "
            f"set {TRUST_VARIABLE}={module if top in ('mlrunner', *LIBRARIES) else top} in the environment."
        )
        return
    if value is None or is_within(value.__module__, trusted):  # what does not exist, the start of a run reports
        return
    if key.startswith("metric."):
        is_allowed = not isinstance(value, type) and is_within(value.__module__, METRICS)
    else:
        is_allowed = isinstance(value, type) if is_within(value.__module__, own) else is_fitted_part(value)
    if not is_allowed:
        yield (
            f"{key}={path} comes from the run and may not stand there; only an estimator, transformer, kernel, "
            "splitter or callback may, and as a metric a function of sklearn.metrics."
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
        text = path.replace(INSIDE, "${...}")
        yield f"{key} refers to ${{{text}}}, which a composition from a store may not: it may be a login of yours."


def _check_resolver(resolver: str, argument: str, key: str, trusted: Sequence[str]) -> Iterator[str]:
    """Refuse resolvers but our own, `oc.select` and `oc.env`, and all but our own and the trusted variables."""
    if resolver == RESOLVER and not argument:
        return
    if resolver == "oc.select" and PLAIN_KEY.fullmatch(argument):  # a key that may be missing
        yield from _check_key(argument, key)
        return
    if resolver != "oc.env" or INSIDE in argument:
        text = f"{resolver}:{argument}".replace(INSIDE, "${...}")
        yield f"{key} asks for {text}, which a composition from a store may not; only keys may be named."
    elif argument not in VARIABLES and f"env:{argument}" not in trusted:
        yield (
            f"{key} reads the variable {argument} of your environment; if you trust it, set "
            f"{TRUST_VARIABLE}=env:{argument}."
        )
