"""Write values in the grammar of Hydra's overrides."""

from __future__ import annotations

import math
import re
from typing import Any

# A text that needs no quotes, unless it is one of `WORDS`.
PLAIN = re.compile(r"(\$\{\w[\w.]*\}|[A-Za-z_/])(\$\{\w[\w.]*\}|[\w./:+-])*", re.ASCII)
WORDS = re.compile(r"true|false|null|nan|inf|choice|range|interval|glob|tag|sort|shuffle|cast", re.IGNORECASE)
NAME = re.compile(r"[\w/\-\\+.$%*@?|()\[\]{}:=, \t]+", re.ASCII)  # a key of a dictionary
ESCAPED = re.compile(r"[\\()\[\]{}:=, \t]")  # characters of a key that need a backslash


def write_value(value: Any) -> str:
    """Write a value as the right side of an override, which Hydra reads as the same value.

    Args:
        value: Value that YAML can hold; an interpolation within a text stays one.

    Raises:
        ValueError: When a dictionary has a key that the grammar cannot express.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list):
        return f"[{','.join(map(write_value, value))}]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{_key(key)}:{write_value(item)}" for key, item in value.items()) + "}"
    return _text(str(value))


def _key(key: Any) -> str:
    if isinstance(key, int) and not isinstance(key, bool):
        return str(key)
    if isinstance(key, str) and NAME.fullmatch(key) and not WORDS.fullmatch(key) and not _is_number(key):
        return ESCAPED.sub(r"\\\g<0>", key)
    raise ValueError(f"no override can write the key {key!r}")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _text(text: str) -> str:
    if PLAIN.fullmatch(text) and not WORDS.fullmatch(text):
        return text
    # A backslash escapes only before a quote: backslashes there and at the end of the text are doubled.
    inside = re.sub(r"(\\*)'", lambda match: f"{match[1] * 2}\\'", text)
    tail = re.search(r"\\+$", inside)
    return f"'{inside}{tail[0] if tail else ''}'"


def explain_call(text: str, error: BaseException) -> str | None:
    """Explain an override whose value calls a function of Hydra's grammar wrongly; None for any other error."""
    reason = re.search(r"while evaluating '.*?': (?!Unknown function)(.*)", str(error))
    return None if reason is None else f"{text} is not possible: {reason[1].rstrip('.')}."
