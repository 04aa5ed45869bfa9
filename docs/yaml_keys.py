"""Read the keys of the YAML files of `conf/`, with their defaults and comments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Any, NamedTuple

import yaml


class Key(NamedTuple):
    """A key of a YAML file, its default as the file writes it, and its comment."""

    name: str
    default: str
    meaning: str


def comment_of(line: str) -> str:
    """Return the comment of a line; a # within quotes starts none."""
    masked = re.sub(r"\"[^\"]*\"|'[^']*'", lambda match: "_" * len(match[0]), line)
    match = re.search(r"(?:^|\s)#\s+(?=\S)", masked)
    return line[match.end() :].strip() if match else ""


def comment_near(lines: list[str], *places: int) -> str:
    """Return the comment on the first of these lines that has one, or else on the line above the first."""
    above = lines[places[0] - 1] if places[0] else ""
    return next(filter(None, (comment_of(lines[place]) for place in places)), "") or (
        comment_of(above) if above.lstrip().startswith("#") else ""
    )


def read_title(text: str) -> str:
    """Return the comment that a file begins with, without Hydra's `@package`."""
    head = [line.removeprefix("# ") for line in takewhile(lambda line: line.startswith("#"), text.splitlines())]
    return " ".join(line for line in head if not line.startswith("@package"))


def read_keys(text: str) -> list[Key]:
    """Read the keys of a YAML file, nested ones by their full name; a `_target_` without a comment is left out."""
    root, lines = yaml.compose(text), text.splitlines()
    return [] if root is None else [*_walk(root, "", text, lines)]


def read_choices(text: str) -> list[Key]:
    """Read the options that the defaults list of a YAML file chooses."""
    lists = [value for key, value in yaml.compose(text).value if key.value == "defaults"]
    items = [item for item in lists[0].value if isinstance(item, yaml.MappingNode)] if lists else []
    return [key for item in items for key in _walk(item, "", text, text.splitlines()) if key.meaning]


def _walk(node: yaml.MappingNode, prefix: str, text: str, lines: list[str]) -> Iterator[Key]:
    for key, value in node.value:
        name, line = f"{prefix}{key.value}", key.start_mark.line
        if isinstance(value, yaml.MappingNode) and not value.flow_style:
            if meaning := comment_near(lines, line):
                yield Key(name, "", meaning)
            yield from _walk(value, f"{name}.", text, lines)
        elif name not in ("defaults", "_target_"):
            meaning = comment_near(lines, line, min(value.end_mark.line, len(lines) - 1))
            if meaning or key.value != "_target_":
                yield Key(name, source_of(value, text), meaning)


def source_of(value: yaml.Node, text: str) -> str:
    """Return a value as the file writes it; on one line, and of a text with several lines only that it is one."""
    source = text[value.start_mark.index : value.end_mark.index].strip()
    if "\n" not in source:
        return source
    is_text = isinstance(value, yaml.ScalarNode)
    return "(a text)" if is_text else as_yaml(yaml.constructor.SafeConstructor().construct_document(value))


def as_yaml(value: Any) -> str:
    """Write a value as YAML does, on one line."""
    return yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix("\n...\n").strip()
