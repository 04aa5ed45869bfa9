"""Predictions that are no answers are found and counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlrunner.core.finite import describe_invalid, find_invalid

NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([1.0, NAN, INF, -INF, 0.0]), [False, True, True, True, False]),
        (np.array([1.0, NAN], dtype=np.float32), [False, True]),
        (np.array([1, 2]), [False, False]),
        (np.array([True]), [False]),
        (np.array(["a", "nan"]), [False, False]),
        (np.array(["a", None, NAN], dtype=object), [False, True, True]),
        (np.array([[0.5, 0.5], [NAN, 0.5]]), [[False, False], [True, False]]),
        (np.empty(0), []),
    ],
)
def test_nan_infinity_and_none_are_invalid(values: Any, expected: list[Any]) -> None:
    assert find_invalid(values).tolist() == expected


def test_the_words_count_rows() -> None:
    assert describe_invalid(16, 8000, np.array([1.0, NAN])) == "predicts NaN in 16 of 8,000 rows"
    assert describe_invalid(1, 2, np.array([1.0, INF])) == "predicts NaN or infinity in 1 of 2 rows"
