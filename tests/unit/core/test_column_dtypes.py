"""The kinds of columns, by values and by declared types, and the dtypes that `normalize` gives them."""

import datetime
import uuid
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from mlrunner.core.column_dtypes import normalize, normalize_column
from mlrunner.core.column_kinds import Kind, infer_kind, infer_kinds

BIG = 2**53 + 1  # the first whole number that float64 does not hold
UTC, PARIS = datetime.UTC, datetime.timezone(datetime.timedelta(hours=1))
DAY, TIME = datetime.date(2020, 3, 1), datetime.datetime(2020, 3, 1, 12)

OBJECTS = {  # values, kind, dtype, values after `normalize`
    "whole": ([1, 2], Kind.NUMBER, "int64", [1, 2]),
    "whole, gap": ([BIG, None], Kind.NUMBER, "Int64", [BIG, None]),
    "beyond int64": ([2**64 - 1, None], Kind.NUMBER, "UInt64", [2**64 - 1, None]),
    "beyond uint64": ([10**30, None], Kind.TEXT, "str", [f"1{'0' * 30}", None]),
    "floats": ([1.5, None], Kind.NUMBER, "float64", [1.5, None]),
    "decimals": ([Decimal("1.25"), None], Kind.NUMBER, "float64", [1.25, None]),
    "whole decimals": ([Decimal(BIG), None], Kind.NUMBER, "Int64", [BIG, None]),
    "numbers of several types": ([True, 2, 0.5], Kind.NUMBER, "float64", [1.0, 2.0, 0.5]),
    "infinite": ([float("inf"), Decimal(1)], Kind.NUMBER, "float64", [float("inf"), 1.0]),
    "large floats": ([1e300, None], Kind.NUMBER, "float64", [1e300, None]),
    "durations": ([datetime.timedelta(hours=1), None], Kind.NUMBER, "float64", [3600.0, None]),
    "nothing": ([None, None], Kind.NUMBER, "float64", [None, None]),
    "truth": ([True, False], Kind.BOOLEAN, "bool", [True, False]),
    "truth, gap": ([True, None], Kind.BOOLEAN, "boolean", [True, None]),
    "text": (["a", None], Kind.TEXT, "str", ["a", None]),
    "numbers and texts": ([1, "A", None], Kind.TEXT, "str", ["1", "A", None]),
    "times": ([datetime.time(7, 30), None], Kind.TEXT, "str", ["07:30:00", None]),
    "uuids": ([uuid.UUID(int=1)], Kind.TEXT, "str", ["00000000-0000-0000-0000-000000000001"]),
    "half a surrogate pair": (["\ud800"], Kind.TEXT, "str", ["\ud800"]),
    "days": ([DAY, None], Kind.MOMENT, "datetime64[s]", [pd.Timestamp(DAY), None]),
    "days and times": ([DAY, TIME], Kind.MOMENT, "datetime64[us]", [pd.Timestamp(DAY), pd.Timestamp(TIME)]),
    "two zones": (
        [TIME.replace(tzinfo=UTC), TIME.replace(tzinfo=PARIS)],
        Kind.MOMENT,
        "datetime64[us, UTC]",
        [pd.Timestamp("2020-03-01 12:00Z"), pd.Timestamp("2020-03-01 11:00Z")],
    ),
    "lists": ([["a"], None], Kind.UNSUPPORTED, "object", [["a"], None]),
    "mappings": ([{"a": 1}], Kind.UNSUPPORTED, "object", [{"a": 1}]),
    "bytes": ([b"a", None], Kind.UNSUPPORTED, "object", [b"a", None]),
    "complex": ([1j, 2.0], Kind.UNSUPPORTED, "object", [1j, 2.0]),
}
ARROW = {
    "int64": ([BIG, None], pa.int64(), Kind.NUMBER, "Int64", [BIG, None]),
    "int8": ([1, 2], pa.int8(), Kind.NUMBER, "int8", [1, 2]),
    "double": ([0.5, None], pa.float64(), Kind.NUMBER, "float64", [0.5, None]),
    "bool": ([True, None], pa.bool_(), Kind.BOOLEAN, "boolean", [True, None]),
    "decimal": ([Decimal("0.50"), None], pa.decimal128(5, 2), Kind.NUMBER, "float64", [0.5, None]),
    "string": (["a", None], pa.string(), Kind.TEXT, "str", ["a", None]),
    "dictionary": (["a", None], pa.dictionary(pa.int8(), pa.string()), Kind.CATEGORY, "category", ["a", None]),
    "date": ([DAY, None], pa.date32(), Kind.MOMENT, "datetime64[s]", [pd.Timestamp(DAY), None]),
    "duration": ([datetime.timedelta(minutes=1)], pa.duration("s"), Kind.NUMBER, "float64", [60.0]),
    "null": ([None], pa.null(), Kind.NUMBER, "float64", [None]),
    "list": ([[1], None], pa.list_(pa.int64()), Kind.UNSUPPORTED, "object", [[1], None]),
}
PANDAS = {
    "Int64 without gaps": (pd.Series([1, 2], dtype="Int64"), Kind.NUMBER, "int64"),
    "Int8 with a gap": (pd.Series([1, None], dtype="Int8"), Kind.NUMBER, "Int8"),
    "Float64": (pd.Series([1.5, None], dtype="Float64"), Kind.NUMBER, "float64"),
    "boolean without gaps": (pd.Series([True], dtype="boolean"), Kind.BOOLEAN, "bool"),
    "string": (pd.Series(["a", None], dtype="string"), Kind.TEXT, "str"),
    "category of numbers": (pd.Series([1, 2], dtype="category"), Kind.CATEGORY, "category"),
    "sparse": (pd.Series([0, 1], dtype="Sparse[int64]"), Kind.NUMBER, "int64"),
    "period": (pd.Series(pd.period_range("2020-01", periods=1, freq="M")), Kind.MOMENT, "datetime64[us]"),
    "interval": (pd.Series(pd.interval_range(0, 1)), Kind.TEXT, "str"),
    "zone": (pd.Series(pd.to_datetime(["2020-01-01T00:00Z"])), Kind.MOMENT, "datetime64[us, UTC]"),
    "complex": (pd.Series([1j]), Kind.UNSUPPORTED, "complex128"),
}


def plain(column: pd.Series) -> list[object]:
    return [None if missing else value for value, missing in zip(column.tolist(), column.isna(), strict=True)]


@pytest.mark.parametrize("name", OBJECTS)
def test_objects_have_the_kind_of_their_values(name):
    values, kind, dtype, expected = OBJECTS[name]
    column = normalize_column(pd.Series(values, dtype=object, index=range(5, 5 + len(values)), name="x"))
    assert (str(column.dtype), plain(column)) == (dtype, expected)
    assert (column.name, column.index[0], infer_kind(column)) == ("x", 5, kind)


@pytest.mark.parametrize("name", ARROW)
def test_arrow_columns_have_the_kind_of_their_type(name):
    values, arrow_type, kind, dtype, expected = ARROW[name]
    column = pd.Series(pd.arrays.ArrowExtensionArray(pa.array(values, arrow_type)))
    converted = normalize_column(column)
    assert (infer_kind(column), str(converted.dtype)) == (kind, dtype)
    assert [list(value) if isinstance(value, np.ndarray) else value for value in plain(converted)] == expected


@pytest.mark.parametrize("name", PANDAS)
def test_pandas_dtypes_have_a_kind(name):
    column, kind, dtype = PANDAS[name]
    assert (infer_kind(column), str(normalize_column(column).dtype)) == (kind, dtype)


def test_a_table_that_is_normal_is_returned_itself():
    table = normalize(
        pd.DataFrame({"a": [1.5], "b": ["x"], "c": pd.Series([1, None], dtype="Int64")[1:].array, "d": [[]]})
    )
    assert normalize(table) is table
    assert infer_kinds(table) == {"a": "number", "b": "text", "c": "number", "d": "unsupported"}
