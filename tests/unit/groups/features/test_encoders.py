"""Encoders of single columns."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from mlrunner.core.errors import DataError
from mlrunner.groups.features.encoders import MISSING, FloatConverter, TextConverter, TextHasher, to_floats, to_texts
from mlrunner.groups.features.target_encoding import TargetMeanEncoder

DAY = 86_400.0


@pytest.mark.parametrize(
    ("column", "floats"),
    [
        pytest.param(pd.Series([True, False]), [1, 0], id="bool"),
        pytest.param(pd.Series([1, None], dtype="Int64"), [1, np.nan], id="nullable int"),
        pytest.param(pd.Series([1, None, 2.5], dtype=object), [1, np.nan, 2.5], id="object"),
        pytest.param(pd.Series([Decimal("0.5"), None], dtype=object), [0.5, np.nan], id="decimal"),
        pytest.param(pd.Series(["3.5", None]), [3.5, np.nan], id="digits as text"),
        pytest.param(pd.to_datetime(pd.Series(["1970-01-02", None])), [DAY, np.nan], id="date"),
        pytest.param(pd.Series([datetime(1970, 1, 2, tzinfo=UTC)]), [DAY], id="date with zone"),
        pytest.param(pd.to_timedelta(pd.Series(["1D", None])), [DAY, np.nan], id="duration"),
        pytest.param(pd.Series([None, None], dtype=object), [np.nan, np.nan], id="nothing"),
        pytest.param(pd.Series([], dtype=object), [], id="no row"),
    ],
)
def test_to_floats(column: pd.Series, floats: list[float]) -> None:
    result = to_floats(column)
    assert result.dtype == np.float64
    np.testing.assert_array_equal(result, floats)


def test_a_word_among_numbers_is_refused_by_name() -> None:
    with pytest.raises(DataError, match=r"^Column 'price' needs numbers, but got another value: could not convert"):
        to_floats(pd.Series([1, "dear"], name="price", dtype=object))


@pytest.mark.parametrize(
    ("column", "texts"),
    [
        pytest.param(pd.Series(["a", None]), ["a", MISSING], id="text"),
        pytest.param(pd.Series([1, None], dtype=object), ["1", MISSING], id="object"),
        pytest.param(pd.Series(pd.Categorical(["x", None])), ["x", MISSING], id="category"),
        pytest.param(pd.Series([], dtype=object), [], id="no row"),
    ],
)
def test_to_texts_leaves_its_input_unchanged(column: pd.Series, texts: list[str]) -> None:
    before = column.copy()
    assert to_texts(column).tolist() == texts
    pd.testing.assert_series_equal(column, before)


@pytest.mark.parametrize(
    "encoder", [FloatConverter(), TextConverter(), TextHasher(4), TargetMeanEncoder(True, 1.0, 3, 5)]
)
def test_encoders_can_be_cloned(encoder: Any) -> None:
    assert clone(encoder).get_params() == encoder.get_params()


def test_hashing_distinguishes_words_and_ignores_missing_values() -> None:
    table = pd.DataFrame({"a": ["late late", None, ""], "b": ["x", "x", "x"]})
    hashed = TextHasher(8).fit(table)
    counts = hashed.transform(table)
    assert counts.shape == (3, 16)
    assert counts[0, :8].any()
    assert not counts[1:, :8].any()
    assert hashed.get_feature_names_out()[8] == "b#0"
