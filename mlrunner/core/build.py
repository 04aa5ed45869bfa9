"""Build the object that the `_target_` of a config group names."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import re
from collections.abc import Mapping
from typing import Any, TypeVar, cast, dataclass_transform

import pydantic
import pydantic.dataclasses

from mlrunner.core.errors import ConfigError, ProblemsError, nearest

Group = dict[str, Any]
WHOLE, NUMBER, YES_NO, KEYS = "a whole number", "a number", "true or false", "keys with values, like {a: 1}"
EXPECTED = {
    "int_parsing": WHOLE,
    "int_type": WHOLE,
    "int_from_float": WHOLE,
    "float_parsing": NUMBER,
    "float_type": NUMBER,
    "bool_parsing": YES_NO,
    "bool_type": YES_NO,
    "string_type": "text",
    "list_type": "a list, like [a,b]",
    "dict_type": KEYS,
    "model_type": KEYS,
    "dataclass_type": KEYS,
    "path_type": "a path",
}


def locate(target: str, key: str) -> Any:
    """Import the object at a dotted path.

    Args:
        target: Path such as `mlrunner.groups.split.RandomDivide`.
        key: Configuration key that holds the path, for messages.

    Raises:
        ConfigError: When the module or the name does not exist.
    """
    path, _, name = str(target).rpartition(".")
    try:
        module = importlib.import_module(path)
    except (ImportError, ValueError) as error:
        raise ConfigError(f"{key}: cannot import '{target}' ({error}); name a class by its full path.") from error
    if not hasattr(module, name):
        raise ConfigError(f"{key}: {path} has no '{name}'; name a class by its full path.{nearest(name, dir(module))}")
    return getattr(module, name)


def build(group: Mapping[str, Any], key: str, kind: type = object) -> Any:
    """Build the object of a config group.

    Args:
        group: `_target_` and the arguments of its constructor.
        key: Key of the group, for messages.
        kind: Base class that the class must have.

    Raises:
        ConfigError: When `_target_` does not name a class of the kind.
        ProblemsError: One sentence for each invalid key or value.
    """
    if group.get("_target_") is None:
        raise ConfigError(f"{key}._target_ is not set; choose an option of conf/{key}/ or name a class.")
    cls = locate(group["_target_"], f"{key}._target_")
    _refuse_kind(cls, kind, group["_target_"], key)
    arguments = {name: value for name, value in group.items() if name != "_target_"}
    try:
        return cls(**arguments)
    except pydantic.ValidationError as error:
        raise ProblemsError(describe_errors(error, key, {"": list(inspect.signature(cls).parameters)})) from error
    except TypeError as error:
        raise ConfigError(f"{key}: {error}.") from error


def _refuse_kind(cls: Any, kind: type, target: str, key: str) -> None:
    if isinstance(cls, type) and issubclass(cls, kind):
        return
    expected = "class" if kind is object or not isinstance(cls, type) else f"{kind.__module__}.{kind.__name__}"
    raise ConfigError(
        f"{key}._target_={target} is no {expected}; choose an option of conf/{key}/, or name a class of that kind."
    )


def describe_errors(error: pydantic.ValidationError, key: str, known: Mapping[str, list[str]]) -> list[str]:
    """Describe each error of a validation in one sentence with its full key.

    Args:
        error: Validation error.
        key: Key of the validated values in the composition; empty for its top level.
        known: Valid names, by the key below `key` that holds them.
    """
    by_place: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for details in error.errors(include_url=False):
        place = tuple(str(part) for part in details["loc"] if not _is_type(part)) or ("",)
        by_place.setdefault(place, []).append(dict(details))
    inner = [place for place in by_place if not any(place == other[: len(place)] != other for other in by_place)]
    return [_describe_error(place, by_place[place], key, known) for place in inner]


def _describe_error(
    place: tuple[str, ...], alternatives: list[dict[str, Any]], key: str, known: Mapping[str, list[str]]
) -> str:
    """Describe an error; pydantic reports one alternative for each type that the value may have."""
    *holders, last = place
    details = alternatives[0]
    holder = ".".join(part for part in (key, *holders) if part)
    name = f"{holder}.{last}".strip(".")
    if details["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        names = known.get(".".join(holders), [])
        possible = ", ".join(names) or "no keys"
        return f"{name} is not a key; {holder or 'the composition'} has {possible}.{nearest(last, names)}"
    if details["type"].startswith("missing"):
        return f"{name} is not set; give it a value."
    value = _format_value(details["input"])
    if details["type"] == "string_type" and isinstance(details["input"], bool | int | float) and len(alternatives) == 1:
        quoted = f"'{value}'" if last.isdigit() else f"\"{name}='{value}'\""
        return f"{name}={value} should be text; put it in quotes: {quoted}."
    if len(alternatives) > 1:
        expected = " or ".join(
            EXPECTED.get(each["type"], str(each["msg"]).removeprefix("Input should be ")) for each in alternatives
        )
        return f"{name}={value} should be {expected}."
    return f"{name}={value} {_describe_expected(details)}"


def _is_type(part: object) -> bool:
    """Check whether a part of a location is a type: pydantic adds it where a value may have several types."""
    return part in ("str", "int", "float", "bool", "constrained-float") or (isinstance(part, str) and "[" in part)


def _format_value(value: object) -> str:
    """Write a value as it is typed on the command line."""
    return value if isinstance(value, str) and value else json.dumps(value, default=str)


def _describe_expected(details: dict[str, Any]) -> str:
    """Describe the expected value in plain words."""
    if details["type"] in EXPECTED:
        return f"should be {EXPECTED[details['type']]}."
    message = str(details["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    known = re.findall("'(.*?)'", message) if details["type"] == "literal_error" else []
    return f"{message[0].lower()}{message[1:]}.{nearest(str(details['input']), known)}"


T = TypeVar("T")
STRICT = pydantic.ConfigDict(extra="forbid", arbitrary_types_allowed=True, protected_namespaces=())


@dataclass_transform(frozen_default=True, kw_only_default=True)
def dataclass(cls: type[T]) -> type[T]:
    """Make a class a frozen dataclass that validates the names and types of its arguments."""
    return cast(type[T], pydantic.dataclasses.dataclass(frozen=True, kw_only=True, config=STRICT)(cls))


def read_mapping(value: object) -> object:
    """Read a mapping that was written as a text, and write its names as texts; return other values as they are.

    Hydra's grammar has no quoted names: "dataset.dtypes='{größe (cm): str}'" reaches a group as a text.
    """
    if isinstance(value, str) and value.startswith("{"):
        import yaml

        try:
            value = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ValueError(f"is not a mapping of YAML, like {{a: 1}}: {' '.join(str(error).split())}") from error
    return {str(name): item for name, item in value.items()} if isinstance(value, dict) else value


NamedValues = pydantic.BeforeValidator(read_mapping)  # of a field that maps names to values
