"""Numbers in reasons."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlrunner.groups.gate.comparison import format_pair, format_setting, format_value
from mlrunner.groups.gate.thresholds import Threshold
from tests.support.gates import scored


@given(st.floats(-1e12, 1), st.floats(-1e12, 1))
@example(0.79996, 0.8)
@example(1.0, -0.0)
def test_the_numbers_of_a_reason_bear_it_out(value: float, bar: float) -> None:
    deploy, reason = Threshold(metric="r2", threshold=bar).decide(scored(r2=value), None)
    found = re.fullmatch(r"test/r2 (\S+) is (?:at least|below) (\S+)", reason)
    assert found is not None
    assert float(found[2]) == bar
    assert (float(found[1]) >= bar) is deploy


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
@example(0.43115, 0.43125)
@example(1e300, 1.0000001e300)
def test_different_numbers_read_as_different_and_in_order(one: float, other: float) -> None:
    first, second = format_pair(one, other)
    assert (float(first) < float(second)) is (one < other)
    assert float(first) - float(second) == pytest.approx(one - other, rel=0.051, abs=0)
    assert (float(format_value(one, other)) < other) is (one < other)


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.35, "0.35"), (50.0, "50"), (-0.0, "0"), (1e-05, "1e-05"), (100000.0, "100000"), (0.123456789, "0.123456789")],
)
def test_a_setting_reads_as_it_was_typed(number: float, text: str) -> None:
    assert format_setting(number) == text
