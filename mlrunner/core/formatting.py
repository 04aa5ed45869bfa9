"""Write numbers for people, and floats for JSON."""

from __future__ import annotations

import math
import re
from typing import Any

MISSING = "-"
HUGE = 1e12  # numbers from here on are written with an exponent
LARGE = 9999.5  # numbers from here on are written without decimals
# What a terminal obeys instead of showing it: escapes, other control characters, and changes of direction.
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


def format_number(value: float | None, spread: float | None = None, keep_zeros: bool = False) -> str:
    """Write a number in four significant digits, with thousands separators.

    Args:
        value: Number; None and NaN are written as a dash.
        spread: Standard deviation, written in two significant digits after `±`; None leaves it out.
        keep_zeros: Whether to keep trailing zeros, so that the digits of a column line up.
    """
    if value is None or math.isnan(value):
        return MISSING
    if LARGE <= abs(value) < HUGE:
        text = f"{value:,.0f}"
    else:
        text = f"{value:#,.4g}".rstrip(".") if keep_zeros else f"{value:,.4g}"
    return text if spread is None else f"{text} ± {spread:.2g}"


def format_seconds(seconds: float) -> str:
    """Write a duration in seconds, minutes or hours."""
    if seconds < 99.95:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5940 else f"{seconds / 3600:.1f} h"


def nan_to_none(value: Any) -> Any:
    """Replace NaN and infinities by None, which JSON can hold, also within dictionaries, lists and tuples."""
    if isinstance(value, dict):
        return {key: nan_to_none(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [nan_to_none(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def none_to_nan(value: float | None) -> float:
    """Replace None by NaN."""
    return math.nan if value is None else value


def remove_controls(text: str) -> str:
    """Remove what a terminal obeys instead of showing it; line breaks and tabs stay."""
    return CONTROLS.sub("", text)
