"""Read `hydra.sweeper.search_space`, as Hydra 1.1 had it: a type, and its bounds or choices."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mlrunner.core.errors import ConfigError, nearest
from mlrunner.search.distributions import encoded, written
from mlrunner.tracking.studies import KEY

TYPES = ("int", "float", "categorical")
NAMES = ("type", "low", "high", "step", "log", "choices")


def read(search_space: Mapping[str, Any]) -> dict[str, Any]:
    """Write each range in Hydra's grammar; what has no type stays as it is.

    Raises:
        ConfigError: When a range lacks a bound, or has a type or a key that is none.
    """
    return {key: _range(key, one) if isinstance(one, dict) else one for key, one in search_space.items()}


def _range(key: str, one: dict[str, Any]) -> str:
    for name in one:
        if name not in NAMES:
            raise _wrong(key, f"{name} is not a key of a range, which are {', '.join(NAMES)}.{nearest(name, NAMES)}")
    kind = one.get("type") or ("categorical" if "choices" in one else "float")
    if kind not in TYPES:
        raise _wrong(key, f"type={kind} is none of {', '.join(TYPES)}.{nearest(str(kind), TYPES)}")
    if kind == "categorical":
        return _choices(key, one.get("choices"))
    low, high = _number(key, one, "low"), _number(key, one, "high")
    if one.get("step") is not None:
        step = Decimal(str(_number(key, one, "step")))
        end = Decimal(str(high)) + (1 if kind == "int" else step / 2)  # which a range leaves out
        inside = f"range({low},{end},{step})"
    else:
        inside = f"interval({low},{high})"
    inside = inside if kind == "float" and one.get("step") is None else f"{kind}({inside})"
    return f"tag(log,{inside})" if one.get("log") else inside


def _choices(key: str, values: Any) -> str:
    if not isinstance(values, list) or not values:
        raise _wrong(key, "a categorical range needs choices; give it a list, like [a,b].")
    texts = [written("", encoded(value)).removeprefix("=") for value in values]
    return ",".join(texts) if len(texts) > 1 else f"choice({texts[0]})"


def _number(key: str, one: dict[str, Any], name: str) -> int | float:
    value = one.get(name)
    if value is None:
        raise _wrong(key, f"{name} is not set; give it a number.")
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _wrong(key, f"{name}={value} should be a number.")
    return value


def _wrong(key: str, told: str) -> ConfigError:
    return ConfigError(f"{KEY}.search_space: {key}: {told}")
