"""Turn a group of the composition into the object that its `_target_` names."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import pydantic

from mlrunner.errors import ConfigError, ProblemsError, nearest

Group = dict[str, Any]
DATA_LIBRARIES = ("pandas", "numpy", "pyarrow", "scikit-learn")


def locate(target: str, key: str) -> Any:
    """Import what a dotted path names.

    Args:
        target: A path like `mlrunner.split.RandomDivide`.
        key: The configuration key that holds it, for the message.

    Raises:
        ConfigError: When there is no such module or no such name in it.
    """
    module, _, name = str(target).rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"{key}: cannot import '{target}' ({error}); name a class by its full path.") from error


def build(group: Mapping[str, Any], key: str) -> Any:
    """Build the object that a group describes.

    Args:
        group: `_target_` and the arguments of its constructor.
        key: The group's place in the composition, for the messages.

    Raises:
        ProblemsError: With one sentence for each wrong key or value.
    """
    if group.get("_target_") is None:
        raise ConfigError(f"{key}._target_ is not set; choose an option of conf/{key}/ or name a class.")
    cls = locate(group["_target_"], f"{key}._target_")
    arguments = {name: value for name, value in group.items() if name != "_target_"}
    try:
        return cls(**arguments)
    except pydantic.ValidationError as error:
        known = list(inspect.signature(cls).parameters)
        raise ProblemsError(sentences(error, key, known)) from error
    except TypeError as error:
        raise ConfigError(f"{key}: {error}.") from error


def sentences(error: pydantic.ValidationError, key: str, known: list[str]) -> list[str]:
    """Say each mistake in one sentence with its full key."""
    return [_sentence(dict(found), key, known) for found in error.errors(include_url=False)]


def _sentence(found: dict[str, Any], key: str, known: list[str]) -> str:
    name = ".".join([part for part in [key, *map(str, found["loc"])] if part])
    last = str(found["loc"][-1]) if found["loc"] else ""
    if found["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        return f"{name} is not a key; {key or 'the composition'} has {', '.join(known)}.{nearest(last, known)}"
    if found["type"].startswith("missing"):
        return f"{name} is not set; give it a value."
    message = str(found["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    return f"{name}={found['input']!r} {message[0].lower()}{message[1:]}."


def code_digest(built: object) -> str:
    """Digest the source that an object runs on and the versions of the libraries below it.

    ZenML's own cache key holds the source of a step and not of the strategy inside it, so an edited
    strategy would be served stale; this digest, a parameter of each cached step, mends that.
    """
    modules: dict[str, ModuleType] = {}
    for cls in type(built).__mro__:
        _collect(sys.modules.get(cls.__module__), modules)
    versions = [f"{name} {metadata.version(name)}" for name in DATA_LIBRARIES]
    digest = hashlib.sha256(json.dumps([sys.version, versions]).encode())
    for name in sorted(modules):
        digest.update(Path(str(modules[name].__file__)).read_bytes())
    return digest.hexdigest()[:16]


def _collect(module: ModuleType | None, found: dict[str, ModuleType]) -> None:
    """Collect a module of the user's or ours, and those that it imports, and so on."""
    if module is None or module.__name__ in found or not _is_project_code(module):
        return
    found[module.__name__] = module
    for value in vars(module).values():
        name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        _collect(sys.modules.get(str(name)), found)


def _is_project_code(module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and "site-packages" not in file and not file.startswith((sys.base_prefix, sys.prefix))
