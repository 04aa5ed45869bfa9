"""Tables in Arrow files are restored exactly, and mapped without a copy."""

from __future__ import annotations

import datetime
import decimal
import io
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import ipc

from mlrunner.core.arrow import TABLE_FILE, from_arrow, map_table, map_table_once, to_arrow, write_table
from tests.support.trials import make_rows, write_arrow

NAN = float("nan")
GAP = pd.DataFrame({"x": [1.5, NAN, -0.0], "n": [1, 2, 3]}, index=[9, 4, 7])


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    map_table_once.cache_clear()
    yield
    map_table_once.cache_clear()


def written(table: pd.DataFrame, folder: Path, name: str = TABLE_FILE) -> Path:
    return Path(write_arrow(table, folder / name))


def test_a_table_of_every_kind_comes_back(tmp_path: Path) -> None:
    table = make_rows(50, 0)
    pd.testing.assert_frame_equal(map_table(written(table, tmp_path)), table)


@pytest.mark.parametrize("count", [0, 1, 50])
def test_the_rows_of_a_fold_are_those_of_the_table(count: int, tmp_path: Path) -> None:
    """A slice of a mapped table equals that of the table in memory."""
    table = make_rows(50, 0)
    inside = np.arange(50) < count
    pd.testing.assert_frame_equal(map_table(written(table, tmp_path))[inside], table[inside])


def test_a_text_or_a_path_names_the_file(tmp_path: Path) -> None:
    path = written(GAP, tmp_path)
    pd.testing.assert_frame_equal(map_table(str(path)), map_table(path))


def test_any_open_file_takes_a_table() -> None:
    sink = io.BytesIO()
    write_table(GAP, sink)
    pd.testing.assert_frame_equal(from_arrow(ipc.open_file(sink.getvalue()).read_all()), GAP)


def test_numbers_are_uncompressed_and_contiguous(tmp_path: Path) -> None:
    table = pd.DataFrame({"x": np.zeros(100_000)})
    path = written(table, tmp_path)
    assert path.stat().st_size > 800_000
    assert ipc.open_file(pa.memory_map(str(path))).num_record_batches == 1


def test_nan_is_not_null() -> None:
    """Nulls would cost a copy of the column at each reading."""
    batch = to_arrow(GAP)
    assert batch.column("x").null_count == 0
    assert np.isnan(batch.column("x").to_numpy()[1])


def test_the_input_is_unchanged() -> None:
    before = GAP.copy()
    to_arrow(GAP)
    pd.testing.assert_frame_equal(GAP, before)


def test_mapping_copies_no_numbers(tmp_path: Path) -> None:
    path = written(pd.DataFrame({"a": np.arange(1e6), "b": np.arange(1_000_000)}), tmp_path)
    before = pa.total_allocated_bytes()
    table = map_table(path)
    assert pa.total_allocated_bytes() - before < 2**16
    assert not table["a"].to_numpy().flags.writeable
    assert not table["b"].to_numpy().flags.writeable


# Once a process


def test_a_file_is_mapped_once(tmp_path: Path) -> None:
    path = str(written(GAP, tmp_path))
    first = map_table_once(path)
    os.unlink(path)  # noqa: PTH108
    assert map_table_once(path) is first
    pd.testing.assert_frame_equal(first, GAP)


def test_a_table_outlives_its_file(tmp_path: Path) -> None:
    path = written(make_rows(50, 0), tmp_path)
    table = map_table(path)
    path.unlink()
    pd.testing.assert_frame_equal(table, make_rows(50, 0))


def test_files_do_not_mix(tmp_path: Path) -> None:
    paths = [str(written(GAP * place, tmp_path, f"{place}.arrow")) for place in range(3)]
    for _ in range(2):
        for place, path in enumerate(paths):
            pd.testing.assert_frame_equal(map_table_once(path), GAP * place)


def test_the_cache_is_bounded(tmp_path: Path) -> None:
    for place in range(20):
        map_table_once(str(written(GAP, tmp_path, f"{place}.arrow")))
    assert map_table_once.cache_info().currsize == 16


@pytest.mark.parametrize(
    ("text", "error"),
    [(None, FileNotFoundError), (b"", pa.ArrowInvalid), (b"no arrow file at all", pa.ArrowInvalid)],
    ids=["absent", "empty", "other"],
)
def test_a_file_without_a_table_raises(text: bytes | None, error: type[Exception], tmp_path: Path) -> None:
    path = tmp_path / TABLE_FILE
    if text is not None:
        path.write_bytes(text)
    with pytest.raises(error):
        map_table_once(str(path))
    written(GAP, tmp_path)
    pd.testing.assert_frame_equal(map_table_once(str(path)), GAP)  # a failure is not remembered


# Kinds that need care


KEYS = [uuid.UUID(int=place) for place in range(3)]


@pytest.mark.parametrize(
    ("values", "texts"),
    [(KEYS, [str(key) for key in KEYS]), ([KEYS[0], None, KEYS[2]], [str(KEYS[0]), None, str(KEYS[2])])],
    ids=["all", "a gap"],
)
def test_a_uuid_becomes_text(values: list[Any], texts: list[Any], tmp_path: Path) -> None:
    read = map_table(written(pd.DataFrame({"key": pd.Series(values, dtype=object), "x": [1, 2, 3]}), tmp_path))
    assert [None if pd.isna(key) else key for key in read["key"]] == texts


@pytest.mark.parametrize(
    "values", [[1, None, 3], [True, None, False], ["a", None, "b"]], ids=["whole", "yes or no", "text"]
)
def test_objects_stay_objects(values: list[Any], tmp_path: Path) -> None:
    table = pd.DataFrame({"x": pd.Series(values, dtype=object)})
    read = map_table(written(table, tmp_path))
    assert read["x"].dtype == object
    assert read["x"].where(read["x"].notna(), None).tolist() == values


@pytest.mark.parametrize(
    ("values", "texts"),
    [([1, "a", None], ["1", "a"]), ([1.5, "a", None], ["1.5", "a"]), ([1, b"q", "x"], ["1", "b'q'", "x"])],
    ids=["whole", "fraction", "bytes"],
)
def test_values_that_arrow_has_no_type_for_become_text(values: list[Any], texts: list[str], tmp_path: Path) -> None:
    table = pd.DataFrame({"good": [1, 2, 3], "an ignored one": pd.Series(values, dtype=object)})
    read = map_table(written(table, tmp_path))
    assert read["an ignored one"].dropna().tolist() == texts
    assert read["good"].tolist() == [1, 2, 3]


MOMENTS = pd.to_datetime(["2020-01-01", None, "2021-06-30 10:00:00.123456"], format="mixed")
COLUMNS: dict[str, Any] = {
    "float64": [1.5, NAN, float("inf")],
    "float32": np.array([1.5, NAN, -0.0], np.float32),
    "float16": np.array([1.5, NAN, 2], np.float16),
    "int64": [1, -2, 2**62],
    "int8": np.array([1, -2, 127], np.int8),
    "uint64": np.array([1, 2, 2**64 - 1], np.uint64),
    "bool": [True, False, True],
    "text": pd.Series(["a", None, "c"], dtype="str"),
    "string": pd.Series(["a", None, "c"], dtype="string"),
    "object text": pd.Series(["a", "", "c"], dtype=object),
    "object whole": pd.Series([1, 2, 3], dtype=object),
    "object whole with a gap": pd.Series([1, None, 3], dtype=object),
    "object yes or no": pd.Series([True, None, False], dtype=object),
    "object fractions": pd.Series([1.5, 2.5, 3.5], dtype=object),
    "object empty": pd.Series([None, None, None], dtype=object),
    "decimals": pd.Series([decimal.Decimal("1.50"), None, decimal.Decimal("2.25")], dtype=object),
    "days": pd.Series([datetime.date(2020, 1, 1), None, datetime.date(2021, 1, 1)], dtype=object),
    "bytes": pd.Series([b"a", None, b""], dtype=object),
    "categories": pd.Categorical(["a", None, "b"], categories=["b", "a", "unused"]),
    "ordered categories": pd.Categorical(["low", "high", None], categories=["low", "high"], ordered=True),
    "whole categories": pd.Categorical([3, 1, None]),
    "yes-or-no categories": pd.Categorical([True, False, None]),
    "moments": MOMENTS,
    "moments of seconds": MOMENTS.astype("datetime64[s]"),
    "moments of nanoseconds": MOMENTS.astype("datetime64[ns]"),
    "moments with a zone": MOMENTS.tz_localize("Europe/Berlin"),
    "durations": pd.to_timedelta([1, None, 3], unit="D"),
    "nullable whole": pd.array([1, None, 3], "Int64"),
    "nullable fraction": pd.array([1.5, None, 3], "Float64"),
    "nullable yes or no": pd.array([True, None, False], "boolean"),
    "periods": pd.period_range("2020-01", periods=3, freq="M"),
}


@pytest.mark.filterwarnings("ignore:Series.values returning")  # pyarrow 25 uses what pandas 3.1 deprecates
@pytest.mark.parametrize("rows", [3, 0])
@pytest.mark.parametrize("kind", COLUMNS)
def test_column_of_any_type_is_restored(kind: str, rows: int, tmp_path: Path) -> None:
    table = pd.DataFrame({"x": COLUMNS[kind], "other": [1.0, 2.0, 3.0]}).set_axis([7, 3, 5]).head(rows)
    before = table.copy()
    pd.testing.assert_frame_equal(map_table(written(table, tmp_path)), before)
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize("dtype", [object, "str"])
@pytest.mark.parametrize("gap", [None, NAN], ids=["none", "nan"])
def test_missing_text_stays_missing(gap: Any, dtype: Any, tmp_path: Path) -> None:
    table = pd.DataFrame({"x": pd.Series(["nan", gap, "None", ""], dtype=dtype)})
    read = map_table(written(table, tmp_path))["x"]
    assert read.isna().tolist() == [False, True, False, False]
    assert read.dropna().tolist() == ["nan", "None", ""]
    assert read.dtype == table["x"].dtype


NUMBERS = pd.DataFrame({"a": [1.5, 2.5], "b": [1, 2]})


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(2),
        pd.RangeIndex(4, 8, 2),
        pd.Index([9, 3]),
        pd.Index([1, 1]),
        pd.Index(["x", "y"]),
        pd.Index([0.5, 1.5]),
        pd.Index([9, 3], name="a"),
        pd.Index([9, 3], name="k"),
        pd.RangeIndex(2, name="a"),
        pd.to_datetime(["2020-01-01", "2021-01-01"]),
        pd.MultiIndex.from_tuples([(1, "x"), (2, "y")], names=["a", None]),
    ],
    ids=[
        "range", "steps", "numbers", "repeated", "text", "fractions", "named as a column", "named", "named range",
        "moments", "levels",
    ],
)  # fmt: skip
def test_any_index_is_restored(index: pd.Index, tmp_path: Path) -> None:
    table = NUMBERS.set_axis(index)
    pd.testing.assert_frame_equal(map_table(written(table, tmp_path)), table, check_freq=False)


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame(),
        pd.DataFrame(index=[4, 2]),
        pd.DataFrame({"fold": []}),
        NUMBERS.head(0),
        pd.DataFrame({0: [1.5, 2.5], 1: [3, 4]}),
        pd.DataFrame({"": [1.5], "é ü/\n": [2], "__index_level_0__": [3]}),
        pd.concat([NUMBERS, NUMBERS], ignore_index=True),
        NUMBERS[::-1],
        pd.DataFrame({f"c{place}": [float(place)] for place in range(300)}),
    ],
    ids=["nothing", "only-index", "no-folds", "no-rows", "numbered", "odd-names", "joined", "reversed", "wide"],
)
def test_table_of_any_shape_is_restored(table: pd.DataFrame, tmp_path: Path) -> None:
    pd.testing.assert_frame_equal(map_table(written(table, tmp_path)), table)


def test_duplicate_names_are_rejected() -> None:
    with pytest.raises(ValueError, match="Duplicate column names found"):
        to_arrow(pd.DataFrame([[1, 2.5]], columns=["a", "a"]))
