"""What the page says, apart from how it looks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

MARKS = re.compile(r"([\\`*_{}\[\]<>()#+.!|~$:^-])")  # what Streamlit's labels and messages read as Markdown
SAFE = re.compile(r"[^\W_]+(?:(?:_+|[ ,/%()-]+)[^\W_]+)*")  # most names; a backslash would be read aloud
OFF = {"mae": "off by {} on average", "rmse": "off by {} (root mean square)"}
HUGE = 1e15  # from here on a number is written with an exponent
RIGHT = ("accuracy", "balanced_accuracy")


def plain(text: object) -> str:
    """Write a text so that Markdown shows it as it is."""
    told = str(text)
    return told if SAFE.fullmatch(told) else MARKS.sub(r"\\\1", told)


def number(value: Any) -> str:
    """Write a number in four significant digits, anything else as it is; a dash for none."""
    if value is None:
        return "-"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return f"{value:,.0f}" if isinstance(value, int) or 9999.5 <= abs(value) < HUGE else f"{value:,.4g}"


def score(facts: Mapping[str, Any]) -> tuple[str, str]:
    """Tell how good the model is on rows that it did not see.

    Returns:
        What was measured, and the number.
    """
    metric, metrics = facts.get("metric"), facts.get("metrics") or {}
    for part in ("test", "validation"):
        if f"{part}/{metric}" in metrics:
            return f"{metric} on {part}", number(metrics[f"{part}/{metric}"])
    return "score", "-"


def expectation(facts: Mapping[str, Any]) -> str | None:
    """Tell in one sentence how far a prediction can be trusted; None when that was not measured."""
    metrics = facts.get("metrics") or {}
    for name, told in OFF.items():
        if f"test/{name}" in metrics:
            return f"On the test rows it was {told.format(number(metrics[f'test/{name}']))}."
    for name in RIGHT:
        if f"test/{name}" in metrics:
            kind = " (each class weighs the same)" if name != RIGHT[0] else ""
            return f"It was right for {metrics[f'test/{name}']:.0%} of the test rows{kind}."
    return None


def moment(seconds: float | None) -> str:
    """Write a time in this machine's time zone."""
    if not seconds:
        return "-"
    found = datetime.fromtimestamp(seconds)
    return f"{found.day} {found:%b %Y, %H:%M}"


def stopped(name: str) -> str:
    """Say that a deployment does not serve."""
    return f"{name} is stopped; start it again with mlrunner deploy --restart {name}."


def silent(name: str, url: str) -> str:
    """Say that nobody answers."""
    return (
        f"{name} does not answer at {url}; see mlrunner status, or start it again with "
        f"mlrunner deploy --restart {name}."
    )
