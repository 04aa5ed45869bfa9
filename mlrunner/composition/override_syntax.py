"""Write a value so that Hydra's grammar reads the same value."""

from __future__ import annotations

import math
import re
from typing import Any

# Of a text that needs no quotes, unless it is one of these words.
PLAIN = re.compile(r"(\$\{\w[\w.]*\}|[A-Za-z_/])(\$\{\w[\w.]*\}|[\w./:+-])*", re.ASCII)
WORDS = re.compile(r"true|false|null|nan|inf|choice|range|interval|glob|tag|sort|shuffle|cast", re.IGNORECASE)
NAME = re.compile(r"[\w/\-\\+.$%*@?|()\[\]{}:=, \t]+", re.ASCII)  # of a key of a dictionary
ESCAPED = re.compile(r"[\\()\[\]{}:=, \t]")  # of its characters, what means something else without a backslash


def written(value: Any) -> str:
    """Write a plain value as the right side of an override.

    Args:
        value: What YAML can hold; a text with an interpolation stays one.

    Raises:
        ValueError: When the grammar has no way to say it: a dictionary with a key that it cannot write.
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
        return f"[{','.join(map(written, value))}]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{_key(key)}:{written(one)}" for key, one in value.items()) + "}"
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
    # A backslash counts only before a quote: those are doubled, and so are those that end the text.
    inside = re.sub(r"(\\*)'", lambda found: f"{found[1] * 2}\\'", text)
    tail = re.search(r"\\+$", inside)
    return f"'{inside}{tail[0] if tail else ''}'"
