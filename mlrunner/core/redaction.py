"""Hide secrets in names, parameters, files and messages."""

from __future__ import annotations

import re

SECRETS = "password|token|api_key"


def redact(text: str) -> str:
    """Replace passwords in URLs, and values of keys that hold a secret, by `***`."""
    text = re.sub(r"(://[^/:@\s]*):[^/\s]+@", r"\1:***@", text)
    text = re.sub(rf"(?m)^(\s*(?:- )?['\"]?(?:{SECRETS})['\"]?: +)(?!null\b|\$\{{).*$", r"\1***", text)
    return re.sub(rf"\b({SECRETS})(['\"]?\s*[:=]\s*)(?!null\b|\$\{{)[^\s,}}]+", r"\1\2***", text)
