"""Turn a group of the composition into the object that its `_target_` names."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import inspect
import json
import re
import sys
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import pydantic

from mlrunner.errors import ConfigError, ProblemsError, nearest

Group = dict[str, Any]
DATA_LIBRARIES = ("pandas", "numpy", "pyarrow", "scikit-learn")
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
        target: A path like `mlrunner.split.RandomDivide`.
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


def code_digest(built: object, *modules: str) -> str:
    """Digest the source that an object runs on and the versions of the libraries below it.

    Args:
        built: What a group was built into.
        modules: More modules that the step of the group runs on.

    ZenML's own cache key holds the source of a step and not of the strategy inside it, so an edited
    strategy would be served stale; this digest, a parameter of each cached step, mends that.
    """
    files: dict[str, bytes] = {}
    for name in [*(cls.__module__ for cls in type(built).__mro__), *modules]:
        _collect(name, files)
    versions = [f"{name} {metadata.version(name)}" for name in DATA_LIBRARIES]
    digest = hashlib.sha256(json.dumps([sys.version, versions]).encode())
    for name in sorted(files):
        digest.update(files[name])
    return digest.hexdigest()[:16]


def _collect(name: str, found: dict[str, bytes]) -> None:
    """Collect the source of a module of the user's or ours, and of those that it imports, and so on."""
    file = None if name in found else _project_file(name)
    if file is None:
        return
    found[name] = file.read_bytes()
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    for imported in _imports(found[name], package):
        _collect(imported, found)


def _project_file(name: str) -> Path | None:
    """Find the source of a module; None for what is installed, built in or not there."""
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names or (name != top and _project_file(top) is None):
        return None
    module = sys.modules.get(name)
    try:
        spec = importlib.util.find_spec(name) if module is None else None
    except (ImportError, ValueError):  # a name that is imported from a module and is none itself
        return None
    file = getattr(module, "__file__", None) or (spec.origin if spec is not None else None)
    is_installed = {"site-packages", "dist-packages"} & set(Path(str(file)).parts) and top != __package__
    return None if file is None or is_installed or not file.endswith(".py") else Path(file)


@cache
def _imports(source: bytes, package: str) -> list[str]:
    """Read which modules a source may import, wherever in it the import stands."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found += [base, *[f"{base}.{alias.name}" for alias in node.names]]
    return found
