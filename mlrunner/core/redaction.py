"""Hide secrets in names, parameters, files and messages."""

from __future__ import annotations

import re
from typing import Any

SECRETS = "password|token|api_key"


def redact(text: str) -> str:
    """Replace passwords in URLs, and values of keys that hold a secret, by `***`."""
    text = re.sub(r"(://[^/:@\s]*):[^/\s]+@", r"\1:***@", text)
    text = re.sub(rf"(?m)^(\s*(?:- )?['\"]?(?:{SECRETS})['\"]?: +)(?!null\b|\$\{{).*$", r"\1***", text)
    return re.sub(rf"\b({SECRETS})(['\"]?\s*[:=]\s*)(?!null\b|\$\{{)[^\s,}}]+", r"\1\2***", text)


def redact_tree(value: Any) -> Any:
    """Redact all texts within plain values, and the values of keys that hold a secret; a tuple becomes a list."""
    if isinstance(value, dict):
        return {
            key: "***" if re.fullmatch(SECRETS, str(key)) and item is not None else redact_tree(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [redact_tree(item) for item in value]
    return redact(value) if isinstance(value, str) else value
