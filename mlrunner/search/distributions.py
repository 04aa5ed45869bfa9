"""The values of a range as Hydra's grammar means them, as Optuna's distributions."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override, Quote, QuotedString, RangeSweep, Transformer
from hydra.errors import HydraException
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)


def distribution(override: Override) -> BaseDistribution:
    """Read the range of a sweep override.

    Raises:
        ValueError: When the range is empty, upside down or contradicts itself.
        HydraException: When it is no range.
    """
    value = override.value()
    if isinstance(value, IntervalSweep):
        return _interval(value)
    if isinstance(value, RangeSweep) and not value.shuffle:
        return _range(value)
    found = choices(override)
    if not found:
        raise ValueError("it has no values")
    return CategoricalDistribution(list({(type(one), one): one for one in found}.values()))


def choices(override: Override) -> list[Any]:
    """List the values of a sweep override in their order, as Optuna takes them; a repeated one is there repeatedly.

    Raises:
        HydraException: When it has no list of values.
    """
    value = override.value()
    if isinstance(value, RangeSweep):
        found = list(numbers(value))
        return random.sample(found, len(found)) if value.shuffle else found
    return [encoded(one) for one in override.sweep_iterator()]


def encoded(choice: Any) -> bool | int | float | str | None:
    """Give Optuna a choice as it is where it can take it, and as Hydra's text otherwise.

    Hydra takes the quotes off inside of `choice(…)`, so a text that would be read as something else gets them back.
    """
    if choice is None or isinstance(choice, bool | int | float):
        return choice
    found = _quoted(choice)
    return found if isinstance(found, str) else Transformer.str(found)


def _quoted(value: Any) -> Any:
    """Quote a text that would be read as something else, also inside of lists."""
    if isinstance(value, list):
        return [_quoted(one) for one in value]
    if isinstance(value, dict):
        return {key: _quoted(one) for key, one in value.items()}
    if not isinstance(value, str):
        return value
    try:
        again = OverridesParser.create().parse_override(f"key={value}")._value
    except HydraException:
        again = None
    return value if again == value else QuotedString(value, Quote.single)


def written(key: str, value: Any) -> str:
    """Write an override; the value is one that Optuna was given."""
    return f"{key}={'null' if value is None else value}"


def stepped(found: FloatDistribution, value: float) -> float:
    """Give a value of a range with steps as it is written: 0.3, and not the 0.30000000000000004 that adding gives."""
    low, step = Decimal(str(found.low)), Decimal(str(found.step))
    return float(low + round((Decimal(str(value)) - low) / step) * step)


def numbers(value: RangeSweep) -> Sequence[int | float]:
    """List the values of a range in its order.

    The stop is not one of them, as everywhere in Python; steps are counted in decimals, as they are written.

    Raises:
        ValueError: When it has no end, or no step.
    """
    start, stop, step = value.start, value.stop, value.step
    if start is None or stop is None or not all(map(math.isfinite, (start, stop, step))):
        raise ValueError("a range has two ends")
    if isinstance(start, int) and isinstance(stop, int) and isinstance(step, int):
        return range(start, stop, step)
    if step == 0:
        raise ValueError("its step must not be zero")
    low, high, each = (Decimal(str(one)) for one in (start, stop, step))
    return [float(low + place * each) for place in range(math.ceil((high - low) / each))]


def _range(value: RangeSweep) -> BaseDistribution:
    found = numbers(value)
    if not found:
        raise ValueError("it has no values; the stop is not one of them")
    low, high = sorted((found[0], found[-1]))
    log = "log" in value.tags
    if log and not isinstance(found, range):
        raise ValueError("a logarithmic range has whole numbers")
    if log and abs(value.step) != 1:
        raise ValueError("a logarithmic range has steps of 1")
    if isinstance(found, range):
        return IntDistribution(int(low), int(high), log=log, step=abs(found.step))
    return FloatDistribution(low, high, step=abs(float(value.step)))


def _interval(value: IntervalSweep) -> BaseDistribution:
    if value.start is None or value.end is None or not all(map(math.isfinite, (value.start, value.end))):
        raise ValueError("an interval has two ends")
    log = "log" in value.tags
    if log and value.start <= 0:
        raise ValueError("a logarithmic interval begins above 0")
    if isinstance(value.start, int) and isinstance(value.end, int):
        return IntDistribution(value.start, value.end, log=log)
    return FloatDistribution(float(value.start), float(value.end), log=log)
