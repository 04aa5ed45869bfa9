"""Estimators from a `_target_` and constructor arguments, as in `model.estimator`, and what is wrong with them."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from mlrunner.core.errors import ConfigError, nearest

EXTRAS = ("lightgbm", "catboost")
METHODS = ("fit", "predict")


def locate(target: str, key: str) -> type:
    """Import an estimator's class.

    Args:
        target: Its full path.
        key: The configuration key that holds the path, for the message.

    Raises:
        ConfigError: When its package, its module or the class is not there.
    """
    path, _, name = target.rpartition(".")
    try:
        module = importlib.import_module(path)
    except ImportError as error:
        raise ConfigError(_absent(target, key, error)) from error
    except ValueError as error:
        raise ConfigError(f"{key}: '{target}' is no path to a class; write module.Class.") from error
    found = getattr(module, name, None)
    if found is None:
        raise ConfigError(f"{key}: {path} has no class '{name}'.{nearest(name, dir(module))}")
    if not isinstance(found, type):
        raise ConfigError(f"{key}: {target} is not a class; name one with fit and predict.")
    return found


def _absent(target: str, key: str, error: ImportError) -> str:
    package = target.partition(".")[0]
    if package in EXTRAS and error.name == package:
        return f"{key}: {target} needs {package}, which is not installed; run pip install 'mlrunner[{package}]'."
    return f"{key}: cannot import '{target}' ({error}); install its package or correct the path."


def construct(settings: Mapping[str, Any], key: str) -> Any:
    """Build what `_target_` and its arguments describe, nested ones first.

    Raises:
        ConfigError: When the class is not there or refuses its arguments.
    """
    cls = locate(str(settings["_target_"]), f"{key}._target_")
    try:
        return cls(**{name: _value(value, f"{key}.{name}") for name, value in settings.items() if name != "_target_"})
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError(f"{key}: {cls.__name__} refuses its arguments ({error}).") from error


def _value(value: Any, key: str) -> Any:
    if isinstance(value, Mapping):
        if "_target_" in value:
            return construct(value, key)
        return {name: _value(inner, f"{key}.{name}") for name, inner in value.items()}
    if isinstance(value, list):
        return [_value(inner, f"{key}.{at}") for at, inner in enumerate(value)]
    return value


def problems(settings: Mapping[str, Any], key: str, methods: tuple[str, ...] = METHODS) -> list[str]:
    """Say what is wrong with a class and its arguments, nested ones included, a sentence each.

    Args:
        settings: `_target_` and the arguments.
        key: Their place in the composition.
        methods: What the class must have; nothing is asked of those that are arguments.
    """
    try:
        cls = locate(str(settings["_target_"]), f"{key}._target_")
    except ConfigError as error:
        return [str(error)]
    lacking = [method for method in methods if not hasattr(cls, method)]
    if lacking:
        return [f"{key}._target_: {settings['_target_']} has no {' and no '.join(lacking)}; name an estimator's class."]
    given = {name: value for name, value in settings.items() if name != "_target_"}
    unknown = [_unknown(name, cls, key) for name in given if not accepts(cls, name)]
    inner = [found for name, value in given.items() for found in _nested(value, f"{key}.{name}")]
    return [*unknown, *inner, *_early(given, cls, key)]


def _nested(value: Any, key: str) -> Iterator[str]:
    if isinstance(value, Mapping) and "_target_" in value:
        yield from problems(value, key, methods=())
    elif isinstance(value, Mapping | list):
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for name, inner in items:
            yield from _nested(inner, f"{key}.{name}")


def _unknown(name: str, cls: type, key: str) -> str:
    likely = nearest(name, _signature(cls)) or nearest(name, known(cls))
    return f"{key}.{name}: {cls.__name__} has no such argument.{likely}"


def _early(given: Mapping[str, Any], cls: type, key: str) -> list[str]:
    """Refuse early stopping by a booster that is shown nothing but training rows."""
    if _library(cls) not in ("xgboost", "lightgbm", "catboost"):
        return []
    named = [name for name, value in given.items() if name.startswith("early_stopping_round") and value is not None]
    return [
        f"{key}.{name}: a model sees training rows only, so none are left to stop by; set the number of rounds."
        for name in named
    ]


def accepts(cls: type, name: str) -> bool:
    """Tell whether a constructor takes an argument, through `**kwargs` too.

    Boosters say elsewhere what their `**kwargs` may be; of any other open constructor nothing is known.
    """
    if name in known(cls):
        return True
    return _is_open(cls) and _library(cls) not in ("xgboost", "lightgbm")


def known(cls: type) -> set[str]:
    """Collect the names of a constructor's arguments, other names for the same included."""
    return _signature(cls) | _aliases(cls)


def _signature(cls: type) -> set[str]:
    """Read the names from the signatures, up the classes that a constructor hands its `**kwargs` to."""
    names: set[str] = set()
    for base in _constructors(cls):
        parameters = _parameters(base)
        names |= {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return names - {"self"}


def _constructors(cls: type) -> list[type]:
    return [base for base in cls.__mro__ if "__init__" in vars(base) and base is not object]


def _is_open(cls: type) -> bool:
    """Tell whether no class in the line of constructors refuses an unknown name."""
    return all(any(p.kind is p.VAR_KEYWORD for p in _parameters(base)) for base in _constructors(cls))


def _parameters(base: type) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(vars(base)["__init__"]).parameters.values())
    except (TypeError, ValueError):  # compiled classes do not tell
        return [inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD)]


def _aliases(cls: type) -> set[str]:
    """LightGBM's other names for its parameters (`feature_fraction`), which its constructor takes unnamed."""
    if _library(cls) != "lightgbm":
        return set()
    from lightgbm.basic import _ConfigAliases

    table: dict[str, list[str]] = _ConfigAliases._get_all_param_aliases()
    return {alias for name, others in table.items() for alias in (name, *others)}


def _library(cls: type) -> str:
    return cls.__module__.partition(".")[0]
