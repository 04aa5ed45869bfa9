"""Numbers for people, and floats for JSON."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from mlrunner.core.formatting import format_number, format_seconds, nan_to_none, none_to_nan

FLOATS = some.floats(allow_nan=True, allow_infinity=True)
VALUES = some.recursive(
    some.one_of(FLOATS, some.integers(), some.text(), some.none()),
    lambda inner: some.one_of(some.lists(inner, max_size=3), some.dictionaries(some.text(), inner, max_size=3)),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.123456, "0.1235"),
        (0.5, "0.5"),
        (1234.5, "1,234"),
        (9999.4, "9,999"),
        (9999.5, "10,000"),
        (123456789.0, "123,456,789"),
        (1e12, "1e+12"),
        (-0.00012345, "-0.0001234"),
        (math.nan, "-"),
        (None, "-"),
        (math.inf, "inf"),
    ],
)
def test_a_number_has_four_significant_digits(value: float | None, text: str) -> None:
    assert format_number(value) == text


def test_a_number_may_keep_its_zeros_and_show_its_spread() -> None:
    assert format_number(0.5, keep_zeros=True) == "0.5000"
    assert format_number(1234.0, keep_zeros=True) == "1,234"
    assert format_number(0.5, spread=0.0123) == "0.5 ± 0.012"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.123, "0.12 s"), (12.34, "12.3 s"), (99.95, "1.7 min"), (5940.0, "1.6 h")]
)
def test_a_duration_has_the_unit_that_fits(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


@given(VALUES)
def test_without_nan_a_value_is_valid_json(value: object) -> None:
    json.dumps(nan_to_none(value), allow_nan=False)


@given(FLOATS)
def test_none_becomes_nan_and_a_number_stays(number: float) -> None:
    assert math.isnan(none_to_nan(None))
    assert none_to_nan(nan_to_none(number)) == number or not math.isfinite(number)
