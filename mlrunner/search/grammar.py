"""What a search varies, as Hydra's override grammar writes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from mlrunner.core.errors import ConfigError
from mlrunner.search.distributions import choices, distribution, stepped, written

ZIP = re.compile(r"(?P<name>[\w.]+)=zip\((?P<inside>.*)\)", re.DOTALL)
OPEN, CLOSED, QUOTES = "([{", ")]}", "'\""
SEED = re.compile(r"(^|\.)(seed|random_state|random_seed)$")
REASON = re.compile(r"while evaluating '.*': (.+)")
MODEL = "model"


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
        if isinstance(self.distribution, FloatDistribution) and self.distribution.step is not None:
            value = stepped(self.distribution, value)
        return (written(self.key, value),)

    @property
    def keys(self) -> tuple[str, ...]:
        """Name the keys that it sets, however they are added."""
        texts = next(iter(self.zipped.values())) if self.zipped is not None else (self.key,)
        return tuple(identity(text) for text in texts)

    def without(self, key: str) -> Dimension | None:
        """Leave a key out, which a zip may do without; None when nothing is left."""
        if self.zipped is None:
            return None if identity(self.key) == key else self
        rows = [tuple(text for text in row if identity(text) != key) for row in self.zipped.values()]
        left = {",".join(row): row for row in rows if row}
        return replace(self, distribution=CategoricalDistribution(list(left)), zipped=left) if left else None

    def model_of(self, value: Any) -> str | None:
        """Name the model that a value chooses; None when it chooses none."""
        found = [text.partition("=")[2] for text in self.overrides(value) if identity(text) == MODEL]
        return found[0] if found else None

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
            count = round((found.high - found.low) / found.step) + 1
            return [stepped(found, found.low + place * found.step) for place in range(count)]
        raise ConfigError(
            f"{self.key}={self.told} has no end of values, so no grid; name some with choice(…) or range(…), or choose "
            "another hydra/sweeper/sampler."
        )


def identity(text: str) -> str:
    """Name the key of an override, with its package, whether it is changed, added or deleted."""
    return text.partition("=")[0].lstrip("+~")


def parse(text: str, loader: Any = None) -> Override:
    """Parse an override.

    Raises:
        ConfigError: When it is none.
    """
    try:
        return OverridesParser.create(config_loader=loader).parse_overrides([text])[0]
    except HydraException as error:
        raise ConfigError(
            f"'{text}' is not an override{_reason(str(error))}; write key=choice(a,b), key=range(1,5), "
            "key=interval(0.1,1) or key=tag(log,interval(0.1,10))."
        ) from error


def _reason(message: str) -> str:
    """Tell why a function of the grammar refuses what it is given."""
    if "NoneType is incompatible" in message and "'choice(" in message:
        return ", for choice(…) takes no null, which key=null,8 does"
    found = REASON.search(message)
    return f" ({found[1]})" if found else ""


def dimension(override: Override) -> Dimension:
    """Read a sweep override.

    Raises:
        ConfigError: When the range is empty, upside down or contradicts itself.
    """
    refuse_seed(override)
    key, told = override.get_key_element(), _told(override)
    try:
        found = distribution(override)
    except (ValueError, HydraException) as error:
        raise ConfigError(f"{key}={told} is no range: {str(error).rstrip('.')}.") from error
    return Dimension(key, key, found, told)


def _told(override: Override) -> str:
    return str(override.input_line).partition("=")[2]


def refuse_seed(override: Override) -> None:
    """Refuse to search a seed.

    Raises:
        ConfigError: When the key is one.
    """
    if SEED.search(override.key_or_group):
        raise ConfigError(
            f"{override.get_key_element()}={_told(override)}: a seed is not searched, for the luckiest would win; set "
            "hydra.sweeper.repeats=5 to average each trial over five seeds."
        )


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
    for one in parts:
        refuse_seed(one)
    columns = [[written(one.get_key_element(), value) for value in _values(one, text)] for one in parts]
    sizes = [len(column) for column in columns]
    if len(set(sizes)) > 1:
        raise ConfigError(f"{text}: its keys have {', '.join(map(str, sizes))} values; give each the same number.")
    rows = {",".join(row): row for row in zip(*columns, strict=True)}
    told = text.partition("=")[2]
    return Dimension(match["name"], match["name"], CategoricalDistribution(list(rows)), told, zipped=rows)


def _values(part: Override, whole: str) -> list[Any]:
    try:
        found = choices(part)
        if not found:
            raise ValueError("it has no values")
        return found
    except (ValueError, HydraException) as error:
        raise ConfigError(f"{whole}: {part.input_line} is no range: {str(error).rstrip('.')}.") from error


def split(text: str) -> list[str]:
    """Split at the commas that stand outside of brackets and quotes."""
    return ["".join(part).strip() for part in _parts(text) if part]


def _parts(text: str) -> Iterator[list[str]]:
    part: list[str] = []
    depth, quote, escaped = 0, "", False
    for sign in text:
        if escaped or sign == "\\":
            escaped = not escaped
        elif quote:
            quote = "" if sign == quote else quote
        elif sign in QUOTES:
            quote = sign
        elif sign == "," and depth == 0:
            yield part
            part = []
            continue
        else:
            depth += (sign in OPEN) - (sign in CLOSED)
        part.append(sign)
    yield part
