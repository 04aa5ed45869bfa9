"""Columns of a table as the values of a request."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from mlrunner.groups.dataset.text_values import NumberFormat
from mlrunner.serving.columns import Kind
from mlrunner.steps.prediction.column_values import extract_values

VALUES: dict[str, tuple[Any, Kind, NumberFormat | None, list[Any]]] = {
    "whole": ([1, 2], "number", None, [1.0, 2.0]),
    "gap": ([1.5, None], "number", None, [1.5, None]),
    "read": (pd.Series(["1", " 2e3 ", None], dtype="str"), "number", NumberFormat(), [1.0, 2000.0, None]),
    "unread": (pd.Series(["1", "x", None], dtype="str"), "number", NumberFormat(), [1.0, "x", None]),
    "marks": (pd.Series(["1.234,5", "x"], dtype="str"), "number", NumberFormat(",", "."), [1234.5, "x"]),
    "not_read": (pd.Series(["1"], dtype=object), "number", None, ["1"]),
    "objects": (pd.Series([1, None, 2.5, Decimal("0.5")], dtype=object), "number", None, [1.0, None, 2.5, 0.5]),
    "huge": (pd.Series([10**400], dtype=object), "number", None, [float("inf")]),
    "arrow": (pd.Series([1, None], dtype="int64[pyarrow]"), "number", None, [1.0, None]),
    "arrow_text": (pd.Series(["1"], dtype=pd.ArrowDtype(pa.string())), "number", NumberFormat(), ["1"]),
    "no_number": ([True, False], "number", None, [True, False]),
    "text": (["a", None, ""], "text", None, ["a", None, ""]),
    "text_numbers": ([1, 2], "text", None, ["1", "2"]),
    "text_arrow": (pd.Series([7, None], dtype="int64[pyarrow]"), "text", NumberFormat(), ["7", None]),
    "text_codes": (pd.Series([1, "A", None, 2.5], dtype=object), "text", None, ["1", "A", None, "2.5"]),
    "text_dates": (pd.to_datetime(["2018-02-08", None]), "text", None, ["2018-02-08 00:00:00", None]),
    "text_ids": (pd.Series([uuid.UUID(int=1)], dtype=object), "text", None, [str(uuid.UUID(int=1))]),
    "truth": ([True, False], "boolean", None, [True, False]),
    "truth_gap": ([1.0, None, 0.0, 2.0], "boolean", None, [True, None, False, 2.0]),
    "truth_read": (pd.Series(["TRUE", "0", "x"], dtype="str"), "boolean", NumberFormat(), [True, False, "x"]),
    "truth_words": (pd.Series(["true"], dtype=object), "boolean", None, ["true"]),
    "moment": (["2018-01-01", None], "moment", None, ["2018-01-01", None]),
    "moments": (pd.to_datetime(["2018-01-01 10:00", None]), "moment", None, ["2018-01-01T10:00:00", None]),
    "days": (pd.Series([datetime.date(2018, 1, 1)], dtype=object), "moment", None, ["2018-01-01"]),
    "zone": (pd.to_datetime(["2018-01-01 10:00+02:00"]), "moment", None, ["2018-01-01T10:00:00+02:00"]),
}


@pytest.mark.parametrize(("values", "kind", "number_format", "expected"), VALUES.values(), ids=VALUES)
def test_values(values: Any, kind: Kind, number_format: NumberFormat | None, expected: list[Any]) -> None:
    extracted = list(extract_values(pd.Series(values), kind, number_format))
    plain = [None if isinstance(value, float) and np.isnan(value) else value for value in extracted]
    assert plain == expected
    assert [type(value) for value in plain if not isinstance(value, float)] == [
        type(value) for value in expected if not isinstance(value, float)
    ]


def test_numbers_in_text_are_parsed_as_by_pandas(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    texts = [repr(float(x)) for x in rng.normal(size=3000) * 10.0 ** rng.integers(-200, 200, 3000)]
    (tmp_path / "t.csv").write_text("x\n" + "\n".join(texts) + "\n")
    whole = pd.read_csv(tmp_path / "t.csv")["x"].to_numpy()
    assert (extract_values(pd.Series(texts, dtype="str"), "number", NumberFormat()) == whole).all()
