"""Ranges as Hydra's override grammar writes them, as Optuna's distributions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
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

from mlrunner.errors import ConfigError

ZIP = re.compile(r"(?P<name>[\w.]+)=zip\((?P<inside>.*)\)", re.DOTALL)
OPEN, CLOSED, QUOTES = "([{", ")]}", "'\""
SEED = re.compile(r"(^|\.)(seed|random_state|random_seed)$")


@dataclass(frozen=True)
class Dimension:
    """One thing that a search varies.

    Args:
        name: Of Optuna's parameter; a key that several models share has the model before it (`rf:model.estimator.x`).
        key: What the override sets, as it stands before the `=`.
        distribution: Its values.
        told: The range as it was written.
        model: The model option that it belongs to; None for all.
        zipped: For each value, the overrides that change together; None when the value itself is the override.
    """

    name: str
    key: str
    distribution: BaseDistribution
    told: str
    model: str | None = None
    zipped: dict[str, tuple[str, ...]] | None = None

    def overrides(self, value: Any) -> tuple[str, ...]:
        """Write a value as Hydra reads it."""
        if self.zipped is not None:
            return self.zipped[str(value)]
        return (_text(self.key, value),)

    @property
    def values(self) -> list[Any]:
        """List the values, for a grid.

        Raises:
            ConfigError: When there is no end to them.
        """
        found = self.distribution
        if isinstance(found, CategoricalDistribution):
            return list(found.choices)
        if isinstance(found, IntDistribution) and not found.log:
            return list(range(found.low, found.high + 1, found.step))
        if isinstance(found, FloatDistribution) and found.step is not None:
            return [found.low + place * found.step for place in range(round((found.high - found.low) / found.step) + 1)]
        raise ConfigError(
            f"{self.key}={self.told} has no end of values, so no grid; name some with choice(…) or range(…), or choose "
            "another hydra/sweeper/sampler."
        )


def _text(key: str, value: Any) -> str:
    return f"{key}={'null' if value is None else value}"


def parse(text: str, loader: Any = None) -> Override:
    """Parse an override.

    Raises:
        ConfigError: When it is none.
    """
    try:
        return OverridesParser.create(config_loader=loader).parse_override(text)
    except HydraException as error:
        raise ConfigError(
            f"'{text}' is not an override; write key=choice(a,b), key=range(1,5), key=interval(0.1,1) or "
            "key=tag(log,interval(0.1,10))."
        ) from error


def dimension(override: Override) -> Dimension:
    """Read a sweep override.

    Raises:
        ConfigError: When the range is empty, upside down or contradicts itself.
    """
    key, told = override.get_key_element(), str(override.input_line).partition("=")[2]
    if SEED.search(override.key_or_group):
        raise ConfigError(
            f"{key}={told}: a seed is not searched, for the luckiest would win; set hydra.sweeper.repeats=5 to average "
            "each trial over five seeds."
        )
    try:
        found = _distribution(override)
    except (ValueError, HydraException) as error:
        raise ConfigError(f"{key}={told} is no range: {str(error).rstrip('.')}.") from error
    return Dimension(key, key, found, told)


def _distribution(override: Override) -> BaseDistribution:
    value = override.value()
    if isinstance(value, IntervalSweep):
        return _interval(value)
    if isinstance(value, RangeSweep) and not value.shuffle:
        return _range(value)
    choices = [encoded(choice) for choice in override.sweep_iterator()]
    if not choices:
        raise ValueError("it has no values")
    return CategoricalDistribution(choices)


def encoded(choice: Any) -> bool | int | float | str | None:
    """Give Optuna a choice as it is where it can take it, and as Hydra's text otherwise.

    Hydra takes the quotes off inside of `choice(…)`, so a text that would be read as something else gets them back.
    """
    if choice is None or isinstance(choice, bool | int | float):
        return choice
    if isinstance(choice, QuotedString) or not isinstance(choice, str):
        return Transformer.str(choice)
    try:
        again = OverridesParser.create().parse_override(f"key={choice}")
    except HydraException:
        return QuotedString(choice, Quote.single).with_quotes()
    return choice if again._value == choice else QuotedString(choice, Quote.single).with_quotes()


def _interval(value: IntervalSweep) -> BaseDistribution:
    if value.start is None or value.end is None:
        raise ValueError("an interval has two ends")
    log = "log" in value.tags
    if log and value.start <= 0:
        raise ValueError("a logarithmic interval begins above 0")
    if isinstance(value.start, int) and isinstance(value.end, int):
        return IntDistribution(value.start, value.end, log=log)
    return FloatDistribution(float(value.start), float(value.end), log=log)


def _range(value: RangeSweep) -> BaseDistribution:
    """The stop of a range is not one of its values, as everywhere in Python."""
    found = list(value.range())
    if not found:
        raise ValueError("it has no values; the stop is not one of them")
    low, high, step = min(found), max(found), abs(value.step)
    log = "log" in value.tags
    if log and step != 1:
        raise ValueError("a logarithmic range has steps of 1")
    if all(isinstance(one, int) for one in found):
        return IntDistribution(int(low), int(high), log=log, step=int(step))
    return FloatDistribution(float(low), float(high), step=float(step))


def zipped(text: str, loader: Any = None) -> Dimension | None:
    """Read a named dimension whose keys change together: `size=zip(a=choice(1,2),b=choice(x,y))`.

    Returns:
        The dimension; None when the text is no zip.

    Raises:
        ConfigError: When a part is no list of values, or their lengths differ.
    """
    match = ZIP.fullmatch(text)
    if match is None:
        return None
    parts = [parse(part, loader) for part in split(match["inside"])]
    plain = [str(one.input_line) for one in parts if not (one.is_sweep_override() and one.is_discrete_sweep())]
    if plain or len(parts) < 2:
        told = f"'{plain[0]}' is no list of values" if plain else "it names fewer than two keys"
        raise ConfigError(f"{text}: {told}; write {match['name']}=zip(a=choice(1,2),b=choice(3,4)).")
    columns = [[_text(one.get_key_element(), encoded(value)) for value in one.sweep_iterator()] for one in parts]
    sizes = [len(column) for column in columns]
    if len(set(sizes)) > 1:
        raise ConfigError(f"{text}: its keys have {', '.join(map(str, sizes))} values; give each the same number.")
    rows = {",".join(row): row for row in zip(*columns, strict=True)}
    told = text.partition("=")[2]
    return Dimension(match["name"], match["name"], CategoricalDistribution(list(rows)), told, zipped=rows)


def split(text: str) -> list[str]:
    """Split at the commas that stand outside of brackets and quotes."""
    return ["".join(part).strip() for part in _parts(text) if part]


def _parts(text: str) -> Iterator[list[str]]:
    part: list[str] = []
    depth, quote = 0, ""
    for sign in text:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in QUOTES:
            quote = sign
        depth += (sign in OPEN) - (sign in CLOSED) if not quote else 0
        if sign == "," and depth == 0 and not quote:
            yield part
            part = []
        else:
            part.append(sign)
    yield part
