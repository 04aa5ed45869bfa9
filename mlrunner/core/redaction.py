"""Hide secrets in names, parameters, files and messages."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "***"
# Ends of the names of keys that hold a secret: `sslpassword`, `aws_secret_access_key`, `sas_token`. `pull_secret`
# names an object in Kubernetes.
WORDS = ("password", "passwd", "passphrase", "pwd", "secret", "token", "authorization", "key")
SECRET = (
    r"(?:password|passwd|passphrase|pwd|(?<!pull_)secret|token|authorization"
    r"|(?:api|access|account|private|secret)[_-]?key)"
)
IN_QUERIES = rf"(?:{SECRET}|sig|signature|credential|key|auth)"  # `X-Amz-Signature`, `sig`, `key`
PORT = r"\d{1,5}(?:[/?#,\s'\"]|$)"
LEFT = r"(?!null\b|None\b|\$\{|\*\*\*)"  # what is no secret: nothing, a variable by its name, what is hidden already
VALUE = r"(?:(?:bearer|basic) )?(?:'[^']*'|\"[^\"]*\"|[^\s,}&]+)"


def _compile(*rules: str) -> list[re.Pattern[str]]:
    return [re.compile(rule, re.IGNORECASE) for rule in rules]


# Group 1 of each rule stays, and what follows is hidden. A password may hold any sign, also `/` and `@`; what looks
# like a port of a web address is no password.
USER_RULES = _compile(
    rf"(\bhttps?://[^/:@\s'\"]*:)(?!{PORT})[^\s'\"]+(?=@)",
    r"((?<!http)(?<!https)://[^/:@\s'\"]*:)[^\s'\"]+(?=@)",
    r"(\bhttps?://)(?!\*)[^/:@\s'\"]+(?=@)",
)
QUERY_RULES = _compile(rf"([?&;][\w-]*{IN_QUERIES}=){LEFT}[^&\s'\"]+")
KEY_RULES = _compile(
    rf"^(\s*(?:- )?['\"]?[\w-]*{SECRET}['\"]?: +){LEFT}.*$",
    rf"({SECRET}['\"]?\s*[:=]\s*){LEFT}{VALUE}",
    rf"(\bbearer ){LEFT}[\w.~+/=-]{{8,}}",
)
NO_VARIABLES: Mapping[str, str] = {}
_HIDDEN_GROUPS: dict[str, dict[str, Any]] = {}


def is_secret_name(name: str) -> bool:
    """Check whether a key with this name holds a secret."""
    return re.fullmatch(rf".*{SECRET}", name, re.IGNORECASE) is not None


def redact(text: str) -> str:
    """Replace passwords in URLs, and values of keys that hold a secret, by `***`."""
    if "\n" in text:
        return "\n".join(map(redact, text.split("\n")))
    lowered = text.lower()
    # Most lines have neither, and looking for words is many times faster than a pattern.
    rules = USER_RULES if "://" in text and "@" in text else []
    rules = [*rules, *QUERY_RULES] if "://" in text and "=" in text else rules
    rules = [*rules, *KEY_RULES] if any(word in lowered for word in (*WORDS, "bearer ")) else rules
    for rule in rules:
        text = rule.sub(rf"\1{HIDDEN}", text)
    return text


def redact_override(text: str) -> str:
    """Replace the secrets in an override, whose value is hidden as a whole when its key holds a secret."""
    key, equals, value = text.partition("=")
    if equals and is_secret_name(key.rpartition(".")[2]) and not value.startswith("${") and value != "null":
        return f"{key}={HIDDEN}"
    return redact(text)


def hint_hidden(command: str) -> str:
    """Add a remark to a command with a hidden secret, which does not run as it is printed."""
    return f"{command}  # with the secret in place of {HIDDEN}" if HIDDEN in command else command


def redact_values(value: Any, variables: Mapping[str, str] = NO_VARIABLES, key: str = "") -> Any:
    """Replace the secrets among nested values.

    Args:
        value: Dict, list or plain value.
        variables: Text by dotted key of the values that come from a variable of the environment: it takes the value's
            place.
        key: Dotted key of the value.
    """
    prefix = f"{key}." if key else ""
    if isinstance(value, dict):
        return {name: redact_values(item, variables, f"{prefix}{name}") for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [redact_values(item, variables, f"{prefix}{place}") for place, item in enumerate(value)]
    if key in variables:
        return variables[key]
    if value is not None and is_secret_name(key.rpartition(".")[2]):
        return HIDDEN
    return redact(value) if isinstance(value, str) else value


def hide_group(group: dict[str, Any], hidden: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a config group for records, from which `reveal_group` finds the real one in this process.

    Args:
        group: Resolved config group.
        hidden: The same group without secrets; None: without those that its keys and values show.
    """
    hidden = redact_values(group) if hidden is None else hidden
    if hidden == group:
        return group
    _HIDDEN_GROUPS[json.dumps(hidden, sort_keys=True, default=str)] = group
    return hidden


def reveal_group(hidden: dict[str, Any]) -> dict[str, Any]:
    """Return the real config group of one from `hide_group`, and any other one as it is."""
    return _HIDDEN_GROUPS.get(json.dumps(hidden, sort_keys=True, default=str), hidden) if _HIDDEN_GROUPS else hidden
