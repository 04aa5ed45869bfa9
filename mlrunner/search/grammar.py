"""Read sweep overrides in Hydra's grammar, and our `zip(…)` of keys that change together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, RangeSweep
from hydra.errors import HydraException
from optuna.distributions import CategoricalDistribution

from mlrunner.core.errors import ConfigError
from mlrunner.search.dimension import Dimension
from mlrunner.search.distributions import list_choices, read_distribution, write_override

ZIP_OVERRIDE = re.compile(r"(?P<name>[\w.]+)=zip\((?P<inside>.*)\)", re.DOTALL)
OPENING, CLOSING, QUOTES = "([{", ")]}", "'\""
SEED_KEY = re.compile(r"(^|\.)(seed|random_state|random_seed)$")
ERROR_REASON = re.compile(r"while evaluating '.*': (.+)")


def parse_override(text: str, loader: Any = None) -> Override:
    """Parse an override.

    Args:
        text: Override as typed.
        loader: Hydra's config loader, which `glob(…)` needs; None where no glob is possible.

    Raises:
        ConfigError: When the text is not an override.
    """
    try:
        return OverridesParser.create(config_loader=loader).parse_overrides([text])[0]
    except HydraException as error:
        raise ConfigError(
            f"'{text}' is not an override{_explain(str(error))}; write key=choice(a,b), key=range(1,5), "
            "key=interval(0.1,1) or key=tag(log,interval(0.1,10))."
        ) from error


def _explain(message: str) -> str:
    """Explain why a function of the grammar rejects its arguments; empty for a plain syntax error."""
    if "NoneType is incompatible" in message and "'choice(" in message:
        return ": choice(…) takes no null, write key=null,8 instead"
    match = ERROR_REASON.search(message)
    return f" ({match[1]})" if match else ""


def read_dimension(override: Override) -> Dimension:
    """Read a sweep override.

    Raises:
        ConfigError: When the range is empty, reversed or inconsistent.
    """
    key, text = override.get_key_element(), _range_text(override)
    try:
        distribution = read_distribution(override)
    except (ValueError, HydraException) as error:
        raise ConfigError(f"{key}={text} is not a valid range: {str(error).rstrip('.')}.") from error
    value = override.value()
    is_falling = isinstance(value, RangeSweep) and not value.shuffle and value.step < 0
    return Dimension(key, key, distribution, text, is_falling=is_falling)


def _range_text(override: Override) -> str:
    return str(override.input_line).partition("=")[2]


def refuse_seeds(dimensions: Iterable[Dimension]) -> None:
    """Refuse a search over seeds.

    Raises:
        ConfigError: When a dimension sets a seed.
    """
    for dimension in dimensions:
        if any(SEED_KEY.search(key) for key in dimension.keys):
            raise ConfigError(
                f"{dimension.key}={dimension.text}: a search over seeds would only pick the luckiest; set "
                "hydra.sweeper.repeats=5 to average each trial over five seeds."
            )


def read_zip(text: str, loader: Any = None) -> Dimension | None:
    """Read a named dimension whose keys change together: `size=zip(a=choice(1,2),b=choice(x,y))`.

    Returns:
        The dimension; None when the text is not a zip.

    Raises:
        ConfigError: When a part is not a list of values, or the lists differ in length.
    """
    match = ZIP_OVERRIDE.fullmatch(text)
    if match is None:
        return None
    parts = _parse_parts(text, match, loader)
    columns = [[write_override(part.get_key_element(), value) for value in _read_column(part, text)] for part in parts]
    sizes = [len(column) for column in columns]
    if len(set(sizes)) > 1:
        raise ConfigError(f"{text}: its keys have {', '.join(map(str, sizes))} values; give each the same number.")
    rows = {",".join(row): row for row in zip(*columns, strict=True)}
    distribution = CategoricalDistribution(list(rows))
    return Dimension(match["name"], match["name"], distribution, text.partition("=")[2], rows=rows)


def _parse_parts(text: str, match: re.Match[str], loader: Any) -> list[Override]:
    parts = [parse_override(part, loader) for part in split_at_commas(match["inside"])]
    fixed = [str(part.input_line) for part in parts if not (part.is_sweep_override() and part.is_discrete_sweep())]
    if fixed or len(parts) < 2:
        problem = f"'{fixed[0]}' is not a list of values" if fixed else "it names fewer than two keys"
        raise ConfigError(f"{text}: {problem}; write {match['name']}=zip(a=choice(1,2),b=choice(3,4)).")
    return parts


def _read_column(part: Override, whole: str) -> list[Any]:
    try:
        values = list_choices(part)
        if not values:
            raise ValueError("it has no values")
        return values
    except (ValueError, HydraException) as error:
        raise ConfigError(f"{whole}: {part.input_line} is not a valid range: {str(error).rstrip('.')}.") from error


def split_at_commas(text: str) -> list[str]:
    """Split a text at the commas outside of brackets and quotes."""
    return ["".join(part).strip() for part in _split(text) if part]


def _split(text: str) -> Iterator[list[str]]:
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
            depth += (sign in OPENING) - (sign in CLOSING)
        part.append(sign)
    yield part
