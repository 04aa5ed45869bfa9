"""A sorted range has the values of the range, in order."""

from __future__ import annotations

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from mlrunner.core.errors import ConfigError
from mlrunner.core.sorted_ranges import write_sorted_ranges


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("sort(range(1,6,2),reverse=true)", [5, 3, 1]),
        ("sort(range(0,5,2),reverse=true)", [4, 2, 0]),
        ("sort(range(1, 6, 2))", [1, 3, 5]),
        ("sort(range(6,1,-2))", [2, 4, 6]),
        ("sort(range(6,1,-2),reverse=True)", [6, 4, 2]),
        ("sort(range(3),reverse=true)", [2, 1, 0]),
        ("sort(range(start=1,stop=4),reverse=true)", [3, 2, 1]),
        ("sort(range(0,1,0.3),reverse=true)", [0.9, 0.6, 0.3, 0.0]),
        ("sort(choice(2,3,1),reverse=true)", [3, 2, 1]),
        ("range(1,6,2)", [1, 3, 5]),
    ],
)
def test_values_are_those_of_the_range(text: str, values: list[float]) -> None:
    override = OverridesParser.create().parse_override(write_sorted_ranges(f"a={text}"))
    assert list(override.sweep_iterator()) == pytest.approx(values)


def test_each_range_of_a_zip_is_sorted() -> None:
    text = "zip(a=sort(range(1,6,2),reverse=true),b=sort(range(3),reverse=true))"
    assert write_sorted_ranges(text) == "zip(a=range(5,-1,-2),b=range(2,-1,-1))"


@pytest.mark.parametrize(
    "text", ["a=sort(tag(log,range(1,6,2)),reverse=true)", "a=sort(range(1,x))", "a=sort(range(1,9,0))"]
)
def test_a_range_that_cannot_be_sorted_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigError, match=r"write (a=)?sort\(range\(1,6,2\)"):
        write_sorted_ranges(text)
