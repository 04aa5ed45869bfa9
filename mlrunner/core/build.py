"""Turn a group of the composition into the object that its `_target_` names."""

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
WHOLE, NUMBER, YES_NO = "a whole number", "a number", "true or false"
WANTED = {
    "int_parsing": WHOLE,
    "int_type": WHOLE,
    "int_from_float": WHOLE,
    "float_parsing": NUMBER,
    "float_type": NUMBER,
    "bool_parsing": YES_NO,
    "bool_type": YES_NO,
    "string_type": "text",
    "list_type": "a list, like [a,b]",
    "dict_type": "keys with values, like {a: 1}",
}


def locate(target: str, key: str) -> Any:
    """Import what a dotted path names.

    Args:
        target: A path like `mlrunner.groups.split.RandomDivide`.
        key: The configuration key that holds it, for the message.

    Raises:
        ConfigError: When there is no such module or no such name in it.
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
    """Build the object that a group describes.

    Args:
        group: `_target_` and the arguments of its constructor.
        key: The group's place in the composition, for the messages.
        kind: What the class must inherit from.

    Raises:
        ConfigError: When `_target_` names no class, or one of another kind.
        ProblemsError: With one sentence for each wrong key or value.
    """
    if group.get("_target_") is None:
        raise ConfigError(f"{key}._target_ is not set; choose an option of conf/{key}/ or name a class.")
    cls = locate(group["_target_"], f"{key}._target_")
    _refuse_kind(cls, kind, group["_target_"], key)
    arguments = {name: value for name, value in group.items() if name != "_target_"}
    try:
        return cls(**arguments)
    except pydantic.ValidationError as error:
        raise ProblemsError(sentences(error, key, {"": list(inspect.signature(cls).parameters)})) from error
    except TypeError as error:
        raise ConfigError(f"{key}: {error}.") from error


def _refuse_kind(cls: Any, kind: type, target: str, key: str) -> None:
    if isinstance(cls, type) and issubclass(cls, kind):
        return
    wanted = "class" if kind is object or not isinstance(cls, type) else f"{kind.__module__}.{kind.__name__}"
    raise ConfigError(
        f"{key}._target_={target} is no {wanted}; choose an option of conf/{key}/, or name a class of that kind."
    )


def sentences(error: pydantic.ValidationError, key: str, known: Mapping[str, list[str]]) -> list[str]:
    """Say each mistake in one sentence with its full key.

    Args:
        error: What pydantic found.
        key: Where the values are in the composition; empty at its top.
        known: The names that are possible, by the key below `key` that holds them.
    """
    by_place: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for found in error.errors(include_url=False):
        place = tuple(str(part) for part in found["loc"] if not _is_type(part)) or ("",)
        by_place.setdefault(place, []).append(dict(found))
    return [_sentence(place, found, key, known) for place, found in by_place.items()]


def _sentence(place: tuple[str, ...], every: list[dict[str, Any]], key: str, known: Mapping[str, list[str]]) -> str:
    """Say a mistake; a value that may have several types makes pydantic find one for each."""
    *holders, last = place
    found = every[0]
    holder = ".".join(part for part in (key, *holders) if part)
    name = f"{holder}.{last}".strip(".")
    if found["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        names = known.get(".".join(holders), [])
        possible = ", ".join(names) or "no keys"
        return f"{name} is not a key; {holder or 'the composition'} has {possible}.{nearest(last, names)}"
    if found["type"].startswith("missing"):
        return f"{name} is not set; give it a value."
    if len(every) > 1:
        wanted = " or ".join(WANTED.get(one["type"], str(one["msg"])) for one in every)
        return f"{name}={_shown(found['input'])} should be {wanted}."
    return f"{name}={_shown(found['input'])} {_wanted(found)}"


def _is_type(part: object) -> bool:
    """Tell the types that pydantic puts between the keys when a value may have several."""
    return part in ("str", "int", "float", "bool") or (isinstance(part, str) and "[" in part)


def _shown(value: object) -> str:
    """Write a value as it is typed on the command line."""
    return value if isinstance(value, str) and value else json.dumps(value, default=str)


def _wanted(found: dict[str, Any]) -> str:
    """Say what was expected, in the words of a person and not of a parser."""
    if found["type"] in WANTED:
        return f"should be {WANTED[found['type']]}."
    message = str(found["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    known = re.findall("'(.*?)'", message) if found["type"] == "literal_error" else []
    return f"{message[0].lower()}{message[1:]}.{nearest(str(found['input']), known)}"


T = TypeVar("T")
STRICT = pydantic.ConfigDict(extra="forbid", arbitrary_types_allowed=True, protected_namespaces=())


@dataclass_transform(frozen_default=True, kw_only_default=True)
def dataclass(cls: type[T]) -> type[T]:
    """Make a class a frozen dataclass whose constructor checks names and types."""
    return cast(type[T], pydantic.dataclasses.dataclass(frozen=True, kw_only=True, config=STRICT)(cls))
