"""Arguments of estimators that name columns, such as `monotone_constraints={carat: 1}`: the names reach the estimator.

The encoders then return tables with column names and not arrays. A number keeps the name of its column; texts are
encoded as several numbers, so no constraint can name them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlrunner.core.errors import ConfigError, nearest
from mlrunner.groups.model.booster_arguments import get_library

MONOTONE = ("monotone_constraints", "monotonic_cst")
INTERACTION = "interaction_constraints"


def list_named(arguments: Mapping[str, Any]) -> list[tuple[str, str]]:
    """List the arguments that name columns, each with a name."""
    return [(argument, name) for argument, value in arguments.items() for name in _list_names(argument, value)]


def _list_names(argument: str, value: Any) -> Iterator[str]:
    if argument in MONOTONE and isinstance(value, Mapping):
        yield from map(str, value)
    elif argument == INTERACTION and isinstance(value, list):
        yield from (name for group in value if isinstance(group, list) for name in group if isinstance(name, str))


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
    """Return one sentence for each constraint that is not in the form that names columns.

    Args:
        arguments: Arguments of the estimator.
        cls: Class of the estimator.
        key: Configuration key of the arguments.
    """
    if get_library(cls) == "lightgbm":
        return [
            f"{key}.{argument}: LightGBM takes no names of columns; leave it out, or choose model=xgboost or "
            "model=catboost."
            for argument in dict(list_named(arguments))
        ]
    return [
        f"{key}.{argument}={_format(arguments[argument])} is a list, but {cls.__name__} needs columns with their "
        "directions; write a mapping such as {age: 1, price: -1}."
        for argument in MONOTONE
        if isinstance(arguments.get(argument), list) and get_library(cls) in ("xgboost", "catboost", "sklearn")
    ]


def _format(value: list[Any]) -> str:
    return f"[{','.join(map(str, value))}]"
