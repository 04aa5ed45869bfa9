"""Convert ranges of Hydra's override grammar to Optuna distributions."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override, Quote, QuotedString, RangeSweep, Transformer
from hydra.errors import HydraException
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

STEP_TOLERANCE = 1e-8  # of a step, as in Optuna: 0.1 + 0.2 lies on a grid of 0.1


def read_distribution(override: Override) -> BaseDistribution:
    """Convert the range of a sweep override.

    Raises:
        ValueError: When the range is empty, reversed or inconsistent.
        HydraException: When the override has no range.
    """
    value = override.value()
    if isinstance(value, IntervalSweep):
        return _convert_interval(value)
    if isinstance(value, RangeSweep) and not value.shuffle:
        return _convert_range(value)
    choices = list_choices(override)
    if not choices:
        raise ValueError("it has no values")
    return CategoricalDistribution(list({(type(choice), choice): choice for choice in choices}.values()))


def list_choices(override: Override) -> list[Any]:
    """List the values of a sweep override in order, duplicates included, as Optuna accepts them.

    Raises:
        HydraException: When the override has no list of values.
    """
    value = override.value()
    if isinstance(value, RangeSweep):
        numbers = list(_list_numbers(value))
        return random.sample(numbers, len(numbers)) if value.shuffle else numbers
    return [encode_choice(choice) for choice in override.sweep_iterator()]


def encode_choice(choice: Any) -> bool | int | float | str | None:
    """Convert a choice to a type that Optuna stores: itself, or its text in Hydra's grammar.

    Hydra removes the quotes inside of `choice(…)`, so they are restored where the text would read as another value.
    """
    if choice is None or isinstance(choice, bool | int | float):
        return choice
    quoted = _quote(choice)
    return quoted if isinstance(quoted, str) else Transformer.str(quoted)


def _quote(value: Any) -> Any:
    """Quote texts that would read as another value, also inside of lists and dictionaries."""
    if isinstance(value, list):
        return [_quote(item) for item in value]
    if isinstance(value, dict):
        return {key: _quote(item) for key, item in value.items()}
    if not isinstance(value, str):
        return value
    try:
        reread = OverridesParser.create().parse_override(f"key={value}").value()
    except HydraException:
        reread = None
    return value if reread == value else QuotedString(value, Quote.single)


def write_override(key: str, value: Any) -> str:
    """Write an override from a key and an Optuna parameter value."""
    return f"{key}={'null' if value is None else value}"


def round_to_step(distribution: FloatDistribution, value: float) -> float:
    """Round a value to the decimal grid of its range: 0.3 instead of 0.30000000000000004."""
    low, step = Decimal(str(distribution.low)), Decimal(str(distribution.step))
    return float(low + round((Decimal(str(value)) - low) / step) * step)


def contains(distribution: BaseDistribution, value: float) -> bool:
    """Check whether a number is a value of a numeric distribution."""
    if not isinstance(distribution, IntDistribution | FloatDistribution):
        return False
    low, step = distribution.low, distribution.step
    if not low <= value <= distribution.high:
        return False
    if isinstance(distribution, IntDistribution) or step is None:
        return step is None or (value - low) % step == 0
    return abs((value - low) / step - round((value - low) / step)) < STEP_TOLERANCE


def _list_numbers(value: RangeSweep) -> Sequence[int | float]:
    """List the values of `range(start,stop,step)` in order, without the stop; decimal steps are added exactly."""
    start, stop, step = value.start, value.stop, value.step
    if start is None or stop is None or not all(map(math.isfinite, (start, stop, step))):
        raise ValueError("a range has two ends")
    if isinstance(start, int) and isinstance(stop, int) and isinstance(step, int):
        return range(start, stop, step)
    if step == 0:
        raise ValueError("its step must not be zero")
    low, high, each = (Decimal(str(number)) for number in (start, stop, step))
    return [float(low + place * each) for place in range(math.ceil((high - low) / each))]


def _convert_range(value: RangeSweep) -> BaseDistribution:
    numbers = _list_numbers(value)
    if not numbers:
        raise ValueError("it has no values; the stop is excluded")
    low, high = sorted((numbers[0], numbers[-1]))
    log = "log" in value.tags
    if log and not isinstance(numbers, range):
        raise ValueError("a logarithmic range must consist of whole numbers")
    if log and abs(value.step) != 1:
        raise ValueError("the step of a logarithmic range must be 1")
    if isinstance(numbers, range):
        return IntDistribution(int(low), int(high), log=log, step=abs(numbers.step))
    return FloatDistribution(low, high, step=abs(float(value.step)))


def _convert_interval(value: IntervalSweep) -> BaseDistribution:
    if value.start is None or value.end is None or not all(map(math.isfinite, (value.start, value.end))):
        raise ValueError("an interval has two ends")
    log = "log" in value.tags
    if log and value.start <= 0:
        raise ValueError("a logarithmic interval must start above 0")
    if isinstance(value.start, int) and isinstance(value.end, int):
        return IntDistribution(value.start, value.end, log=log)
    return FloatDistribution(float(value.start), float(value.end), log=log)
