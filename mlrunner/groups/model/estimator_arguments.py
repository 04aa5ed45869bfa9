"""Construct estimators from a `_target_` and arguments, as in `model.estimator`, and check both."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from mlrunner.core.errors import ConfigError, nearest
from mlrunner.core.estimators import get_library
from mlrunner.groups.model.booster_arguments import XGBOOST_PARAMETERS, booster_problems
from mlrunner.groups.model.lightgbm_private import parameter_aliases
from mlrunner.groups.model.named_features import accept_names, constraint_problems

OPTIONAL_PACKAGES = ("lightgbm", "catboost")
ESTIMATOR_METHODS = ("fit", "predict")


def locate(target: str, key: str) -> type:
    """Import a class.

    Raises:
        ConfigError: When the package, the module or the class does not exist.
    """
    path, _, name = target.rpartition(".")
    try:
        module = importlib.import_module(path)
    except ImportError as error:
        raise ConfigError(_explain_import_error(target, key, error)) from error
    except ValueError as error:
        raise ConfigError(f"{key}: '{target}' is not a path to a class; write module.Class.") from error
    cls = getattr(module, name, None)
    if cls is None:
        raise ConfigError(f"{key}: {path} has no class '{name}'.{nearest(name, dir(module))}")
    if not isinstance(cls, type):
        raise ConfigError(f"{key}: {target} is not a class; name one with fit and predict.")
    return cls


def _explain_import_error(target: str, key: str, error: ImportError) -> str:
    package = target.partition(".")[0]
    if package in OPTIONAL_PACKAGES and error.name == package:
        return f"{key}: {target} needs {package}, which is not installed; run pip install 'mlrunner[{package}]'."
    return f"{key}: cannot import '{target}' ({error}); install its package or correct the path."


def construct(settings: Mapping[str, Any], key: str) -> Any:
    """Construct an object from its `_target_` and arguments, nested objects first.

    Args:
        settings: `_target_` and the arguments.
        key: Configuration key of the settings, for the messages.

    Raises:
        ConfigError: When the class does not exist or refuses its arguments.
    """
    cls, settings = accept_names(locate(str(settings["_target_"]), f"{key}._target_"), settings)
    try:
        return cls(
            **{name: _construct_value(value, f"{key}.{name}") for name, value in settings.items() if name != "_target_"}
        )
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError(f"{key}: {cls.__name__} refuses its arguments ({error}).") from error


def _construct_value(value: Any, key: str) -> Any:
    if isinstance(value, Mapping):
        if "_target_" in value:
            return construct(value, key)
        return {name: _construct_value(inner, f"{key}.{name}") for name, inner in value.items()}
    if isinstance(value, list):
        return [_construct_value(inner, f"{key}.{at}") for at, inner in enumerate(value)]
    return value


def problems(settings: Mapping[str, Any], key: str, methods: tuple[str, ...] = ESTIMATOR_METHODS) -> list[str]:
    """Return one sentence for each mistake in a class and its arguments, including nested ones.

    Args:
        settings: `_target_` and the arguments.
        key: Configuration key of the settings, for the messages.
        methods: Methods that the class must have; nested objects need none.
    """
    try:
        cls = locate(str(settings["_target_"]), f"{key}._target_")
    except ConfigError as error:
        return [str(error)]
    lacking = [method for method in methods if not hasattr(cls, method)]
    if lacking:
        return [f"{key}._target_: {settings['_target_']} has no {' and no '.join(lacking)}; name an estimator's class."]
    arguments = {name: value for name, value in settings.items() if name != "_target_"}
    unknown = [_unknown_argument(name, cls, key) for name in arguments if not accepts_argument(cls, name)]
    nested = [problem for name, value in arguments.items() for problem in _nested_problems(value, f"{key}.{name}")]
    return [*unknown, *nested, *booster_problems(arguments, cls, key), *constraint_problems(arguments, cls, key)]


def _nested_problems(value: Any, key: str) -> Iterator[str]:
    if isinstance(value, Mapping) and "_target_" in value:
        yield from problems(value, key, methods=())
    elif isinstance(value, Mapping | list):
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for name, inner in items:
            yield from _nested_problems(inner, f"{key}.{name}")


def _unknown_argument(name: str, cls: type, key: str) -> str:
    hint = nearest(name, _signature(cls)) or nearest(name, argument_names(cls))
    return f"{key}.{name}: {cls.__name__} has no such argument.{hint}"


def accepts_argument(cls: type, name: str) -> bool:
    """Check whether a constructor accepts an argument, by name or through `**kwargs`.

    The names that XGBoost and LightGBM accept through `**kwargs` are known; any other open constructor accepts all.
    """
    if name in argument_names(cls):
        return True
    return _accepts_any_argument(cls) and not _has_known_names(cls)


def _has_known_names(cls: type) -> bool:
    """Check whether the names that a booster accepts through `**kwargs` are known."""
    library = get_library(cls)
    return library == "xgboost" or (library == "lightgbm" and parameter_aliases() is not None)


def argument_names(cls: type) -> set[str]:
    """Return the names of a constructor's arguments, including aliases."""
    if get_library(cls) == "xgboost":
        return _signature(cls) | XGBOOST_PARAMETERS
    return _signature(cls) | (parameter_aliases() or set()) if get_library(cls) == "lightgbm" else _signature(cls)


def _signature(cls: type) -> set[str]:
    """Return the names in the signatures of a constructor and of the base classes that receive its `**kwargs`."""
    names: set[str] = set()
    for base in _constructors(cls):
        parameters = _parameters(base)
        names |= {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return names - {"self"}


def _constructors(cls: type) -> list[type]:
    return [base for base in cls.__mro__ if "__init__" in vars(base) and base is not object]


def _accepts_any_argument(cls: type) -> bool:
    """Check whether every constructor in the class hierarchy accepts `**kwargs`."""
    return all(any(p.kind is p.VAR_KEYWORD for p in _parameters(base)) for base in _constructors(cls))


def _parameters(base: type) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(vars(base)["__init__"]).parameters.values())
    except (TypeError, ValueError):  # compiled classes have no signature
        return [inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD)]
