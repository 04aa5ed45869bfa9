"""Write `sort(range(…))` as the range that it means.

Hydra 1.3 swaps the ends of a range to sort it, and gives 4, 2, 0 for 1, 3, 5 where no step hits the stop
(hydra issue 3228).
"""

from __future__ import annotations

import math
import re
from decimal import Decimal, InvalidOperation

from mlrunner.core.errors import ConfigError

SORTED_RANGE = re.compile(r"\bsort\(\s*range\(([^()]*)\)\s*(?:,\s*reverse\s*=\s*(true|false)\s*)?\)", re.IGNORECASE)
OTHER_SORT = re.compile(r"\bsort\((?=.*?\brange\()", re.DOTALL)
ARGUMENTS = ("start", "stop", "step")


def write_sorted_ranges(text: str) -> str:
    """Replace each `sort(range(…))` in an override.

    Args:
        text: Override, for example `a=sort(range(1,6,2),reverse=true)`.

    Returns:
        The override for Hydra: `a=range(5,-1,-2)`.

    Raises:
        ConfigError: When another function stands between `sort` and `range`.
    """
    if "sort(" not in text:
        return text
    rewritten = SORTED_RANGE.sub(_write_range, text)
    if OTHER_SORT.search(rewritten):
        key = text.partition("=")[0]
        raise ConfigError(f"{text}: sort(…) takes a range directly; write {key}=sort(range(1,6,2),reverse=true).")
    return rewritten


def _write_range(match: re.Match[str]) -> str:
    numbers = _read_arguments(match[1])
    if numbers is None:
        raise ConfigError(
            f"{match[0]}: a range to sort has a start, a stop and a step as numbers; write sort(range(1,6,2))."
        )
    start, stop, step = numbers
    count = math.ceil((stop - start) / step)
    is_reverse = (match[2] or "false").lower() == "true"
    if count < 1 or (step < 0) == is_reverse:
        return f"range({start},{stop},{step})"  # empty, which is refused where it is read, or in order already
    is_whole = all(number == number.to_integral_value() for number in numbers)
    before = step if is_whole else step / 2  # Hydra adds floats, which may end below the stop by a rounding error
    return f"range({start + (count - 1) * step},{start - before},{-step})"


def _read_arguments(text: str) -> tuple[Decimal, Decimal, Decimal] | None:
    """Read start, stop and step; None when they are not numbers, or the step is zero."""
    parts = [part.partition("=") for part in text.split(",")]
    named = {
        (key.strip() if sign else ARGUMENTS[place]): value if sign else key
        for place, (key, sign, value) in enumerate(parts[:3])
    }
    try:
        numbers = {name: Decimal(value.strip().replace("_", "")) for name, value in named.items()}
    except InvalidOperation:
        return None
    if len(parts) > 3 or set(numbers) - set(ARGUMENTS):
        return None
    if "stop" not in numbers and "start" in numbers:  # range(5) is range(0,5)
        numbers = {**numbers, "start": Decimal(0), "stop": numbers["start"]}
    start, stop, step = (numbers.get(name, Decimal(name == "step")) for name in ARGUMENTS)
    return (start, stop, step) if step and all(map(Decimal.is_finite, (start, stop, step))) else None
