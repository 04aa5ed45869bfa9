"""Arguments of estimators that name columns, such as `monotone_constraints={carat: 1}`.

A number keeps the name of its column; texts are encoded as several numbers, so no constraint can name them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlrunner.core.errors import ConfigError, nearest
from mlrunner.core.estimators import get_library, make_safe

MONOTONE = ("monotone_constraints", "monotonic_cst")
INTERACTION = "interaction_constraints"
NAMED = (*MONOTONE, INTERACTION)


def list_named(arguments: Mapping[str, Any]) -> list[tuple[str, str]]:
    """List the arguments that name columns, each with a name."""
    return [(argument, name) for argument, value in arguments.items() for name in _list_names(argument, value)]


def _list_names(argument: str, value: Any) -> Iterator[str]:
    if argument in MONOTONE and isinstance(value, Mapping):
        yield from map(str, value)
    elif argument == INTERACTION and isinstance(value, list):
        yield from (name for group in value if isinstance(group, list) for name in group if isinstance(name, str))


def accept_names(cls: type, arguments: Mapping[str, Any]) -> tuple[type, Mapping[str, Any]]:
    """Return a class and its arguments such that it is fitted by the names that the encoders give."""
    if not list_named(arguments):
        return cls, arguments
    if get_library(cls) == "lightgbm":
        from mlrunner.groups.model.lightgbm_constraints import BY_NAME

        return BY_NAME.get(cls, cls), arguments
    return cls, {name: _make_safe(value) if name in NAMED else value for name, value in arguments.items()}


def _make_safe(value: Any) -> Any:
    """Replace the names in the value of a constraint by those that the encoders give."""
    if isinstance(value, Mapping):
        return {make_safe(str(name)): direction for name, direction in value.items()}
    if isinstance(value, list):
        return [_make_safe(inner) for inner in value]
    return make_safe(value) if isinstance(value, str) else value


def refuse_unknown_names(arguments: Mapping[str, Any], numbers: list[str], key: str) -> None:
    """Refuse names that are not columns of numbers.

    Args:
        arguments: Arguments of the estimator.
        numbers: Names of the columns that reach the estimator as they are.
        key: Configuration key of the arguments.

    Raises:
        ConfigError: When an argument names another column.
    """
    for argument, name in list_named(arguments):
        if name not in numbers:
            raise ConfigError(
                f"{key}.{argument} names '{name}', which is not a column of numbers; those are "
                f"{', '.join(numbers) or 'none'}.{nearest(name, numbers)}"
            )


def constraint_problems(arguments: Mapping[str, Any], cls: type, key: str) -> list[str]:
    """Return one sentence for each constraint that is not in the form that names columns."""
    return [
        f"{key}.{argument}={_format(arguments[argument])} is a list, but {cls.__name__} needs columns with their "
        "directions; write a mapping such as {age: 1, price: -1}."
        for argument in MONOTONE
        if isinstance(arguments.get(argument), list)
        and get_library(cls) in ("xgboost", "lightgbm", "catboost", "sklearn")
    ]


def _format(value: list[Any]) -> str:
    return f"[{','.join(map(str, value))}]"
