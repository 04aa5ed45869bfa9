"""Parse YAML that others may have written: limited in size and depth, and without aliases.

With aliases a text of a few lines stands for more values than fit into memory; what Hydra writes has none.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from mlrunner.core.errors import ConfigError

MAX_CHARACTERS = 8_000_000
MAX_DEPTH = 100
ALIAS = re.compile(r"(?:^|[\s,\[{])\*[^\s,\[\]{}]", re.MULTILINE)  # what may be one; a text may look like it


def read_yaml(text: str) -> Any:
    """Parse YAML with libyaml where PyYAML has it, which is ten times as fast.

    Raises:
        ConfigError: If the text is too long or too deep, or holds an alias.
        yaml.YAMLError: If it is no YAML.
    """
    if len(text) > MAX_CHARACTERS:
        raise ConfigError(f"A YAML file has {len(text):,} characters, which is too long; it has not been written here.")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    if ALIAS.search(text) and any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=loader)):
        raise ConfigError(
            "A YAML file holds an alias (*name), which could stand for a huge value; write the value out."
        )
    try:
        document = yaml.load(text, Loader=loader)
        is_deep = _is_deeper(document, MAX_DEPTH)
    except RecursionError:
        is_deep = True
    if is_deep:
        raise ConfigError(f"A YAML file nests more than {MAX_DEPTH} values; it has not been written here.")
    return document


def _is_deeper(node: Any, depth: int) -> bool:
    if not isinstance(node, dict | list):
        return False
    return depth == 0 or any(
        _is_deeper(value, depth - 1) for value in (node.values() if isinstance(node, dict) else node)
    )
