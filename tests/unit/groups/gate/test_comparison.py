"""Numbers in reasons."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlrunner.groups.gate.comparison import format_pair, format_setting, format_value
from mlrunner.groups.gate.thresholds import Threshold
from tests.support.gates import make_inputs


@given(st.floats(-1e12, 1), st.floats(-1e12, 1))
@example(0.79996, 0.8)
@example(1.0, -0.0)
def test_numbers_of_a_reason_agree_with_the_decision(value: float, threshold: float) -> None:
    deploy, reason = Threshold(metric="r2", threshold=threshold).decide(make_inputs(r2=value), None)
    match = re.fullmatch(r"test/r2 (\S+) is (?:at least|below) (\S+)", reason)
    assert match is not None
    assert float(match[2]) == threshold
    assert (float(match[1]) >= threshold) is deploy


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
@example(0.43115, 0.43125)
@example(1e300, 1.0000001e300)
def test_different_numbers_are_formatted_differently_and_in_order(value_a: float, value_b: float) -> None:
    first, second = format_pair(value_a, value_b)
    assert (float(first) < float(second)) is (value_a < value_b)
    assert float(first) - float(second) == pytest.approx(value_a - value_b, rel=0.051, abs=0)
    assert (float(format_value(value_a, value_b)) < value_b) is (value_a < value_b)


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.35, "0.35"), (50.0, "50"), (-0.0, "0"), (1e-05, "1e-05"), (100000.0, "100000"), (0.123456789, "0.123456789")],
)
def test_setting_is_formatted_as_typed(number: float, text: str) -> None:
    assert format_setting(number) == text
