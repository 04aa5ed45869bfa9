"""Rewrite overrides as users type them into what Hydra's grammar reads as the same.

Hydra reads `dataset.target=2024` as a number and `split=80_20` as 8020, and refuses new names in an empty mapping.
"""

from __future__ import annotations

import re

from mlrunner.core.errors import ConfigError
from mlrunner.core.overrides import quote_option
from mlrunner.core.sorted_ranges import write_sorted_ranges

# Keys whose values are texts, or lists of texts: names of columns, files and studies.
TEXT_KEYS = {
    *(f"dataset.{name}" for name in ("group", "ignore", "name", "note", "path", "query", "target", "time", "weight")),
    *("deployer.name", "hydra.sweeper.study_name", "tracking.experiment", "tracking.name"),
}
# Mappings that are empty by default, by whether their values are texts, so that a name may not be split at its dots.
MAPPINGS = {
    "cleaning.clip": True,
    "cleaning.fill": True,
    "dataset.dtypes": True,
    "dataset.options": False,
    "executor.options": False,
    "metric": False,
    "tracking.tags": True,
}
# What Hydra reads as a number or a truth value; null stays null.
LOOKALIKE = re.compile(r"[+-]?(\d[\d_]*(\.[\d_]*)?|\.\d[\d_]*)(e[+-]?\d[\d_]*)?|[+-]?inf|nan|true|false", re.IGNORECASE)
TOKENS = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[^\[\](),'"]+|.""", re.DOTALL)
QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""")
PLAIN_MAPPING = re.compile(r"[\w/\-\\+.$%*@?|()\[\]{}:=, \t]*", re.ASCII)  # what Hydra's grammar takes without quotes
QUOTED_KEY = re.compile(r"""['"]\s*:""")
KEY = re.compile(r"(?P<prefix>\+{0,2})(?P<key>[^=+~]*)=(?P<value>.*)", re.DOTALL)


def prepare_override(text: str) -> str:
    """Rewrite an override so that Hydra reads what was meant.

    Args:
        text: Override as typed, for example `dataset.target=2024`, `split=80_20` or `dataset.dtypes={code: str}`.

    Returns:
        The override for Hydra: `dataset.target='2024'`, `split='80_20'`, `++dataset.dtypes={code: str}`.

    Raises:
        ConfigError: When a name with dots is written as a key below a mapping of texts, or a range cannot be sorted.
    """
    text = write_sorted_ranges(text)
    match = KEY.fullmatch(text)
    if match is None:
        return text
    key, value = match["key"], match["value"]
    if key in TEXT_KEYS:
        return f"{match['prefix']}{key}={quote_lookalikes(value)}"
    mapping = next((name for name in MAPPINGS if key == name or key.startswith(f"{name}.")), None)
    if mapping is None:
        return quote_option(text)
    if key == mapping:
        return f"{match['prefix'] or '++'}{key}={_quote_mapping(value)}" if value.startswith("{") else text
    name = key.removeprefix(f"{mapping}.")
    if MAPPINGS[mapping] and "." in name:
        raise ConfigError(
            f"{key}={value} splits a name at its dot; write it in braces, '{mapping}={{{name}: {value}}}'."
        )
    return f"{match['prefix'] or '++'}{key}={value}"


def quote_lookalikes(value: str) -> str:
    """Quote each text that Hydra would read as a number or a truth value, alone, in a list or in a choice."""
    return "".join(map(_quote_lookalike, TOKENS.findall(value)))


def _quote_lookalike(token: str) -> str:
    return f"'{token.strip()}'" if LOOKALIKE.fullmatch(token.strip()) else token


def _quote_mapping(value: str) -> str:
    """Quote a mapping with names that Hydra's grammar does not have; it is read as YAML later."""
    if PLAIN_MAPPING.fullmatch(QUOTED.sub("", value)) and not QUOTED_KEY.search(value):
        return value
    return "'" + value.replace("'", "\\'") + "'"
