"""Checked chunks: valid rows, messages for the others, and columns to copy."""

from __future__ import annotations

import json
import uuid
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from mlrunner.core.errors import DataError, MlrunnerError
from mlrunner.groups.dataset.text_values import NumberFormat
from mlrunner.serving.columns import RawColumn
from mlrunner.serving.schema import Schema
from mlrunner.steps.prediction.batches import Batch, check_rows, refuse_absent_columns
from tests.support.raw_schema import SCHEMA, TOWN


def chunk(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"size": [1.0, 2.0, 3.0], "town": ["far"] * 3, "rooms": [1, 2, 3], **columns})


def test_invalid_rows_are_separated() -> None:
    rows = check_rows(chunk(size=["1", "big", "3"], town=["far", "fat", None]), 100, SCHEMA, ["rooms"], NumberFormat())
    assert rows.positions.tolist() == [0, 2]
    assert list(rows.batch.columns["size"]) == [1.0, 3.0]
    assert rows.batch.columns["town"] == ["far", None]
    assert rows.errors[1].startswith("Column 'size' holds numbers, but has 'big'. Column 'town' has 'fat', which")
    assert rows.copied["rooms"].to_pylist() == [1, 2, 3]
    assert json.loads(rows.batch.to_json()) == {
        "inputs": {"size": [1.0, 3.0], "town": ["far", None], "rooms": [1.0, 3.0]}
    }


COPIED: dict[str, tuple[Any, pa.DataType]] = {
    "texts": (pd.Series(["a", None], dtype="str"), pa.large_string()),
    "whole": ([1, 2], pa.int64()),
    "objects": (pd.Series([1, None], dtype=object), pa.int64()),
    "gaps": (pd.Series([None, None], dtype=object), pa.string()),
    "decimals": (pd.Series([Decimal("1.50"), None], dtype=object), pa.string()),
    "ids": (pd.Series([uuid.UUID(int=1), None], dtype=object), pa.string()),
    "arrow": (pd.Series([1, None], dtype="int32[pyarrow]"), pa.int32()),
    "arrow_gaps": (pd.Series([None, None], dtype=pd.ArrowDtype(pa.null())), pa.string()),
}


@pytest.mark.parametrize(("values", "type_"), COPIED.values(), ids=COPIED)
def test_copied_columns_have_the_same_type_in_every_chunk(values: Any, type_: pa.DataType) -> None:
    rows = check_rows(pd.DataFrame({"copied": values}), 0, Schema(()), ["copied"], None)
    assert rows.copied.schema.field("copied").type == type_


@pytest.mark.parametrize("values", [[1, "a"], [10**40, 1]])
def test_copied_column_of_several_types(values: list[Any]) -> None:
    with pytest.raises(DataError, match="--keep copied: a column holds values of several types"):
        check_rows(pd.DataFrame({"copied": pd.Series(values, dtype=object)}), 0, Schema(()), ["copied"], None)


def test_request_and_release_get_the_same_values() -> None:
    batch = check_rows(chunk(new=[True, None, False], built=["2018-01-01", None, None]), 0, SCHEMA, [], None).batch
    values = json.loads(batch.to_json())["inputs"]
    own, sent = batch.to_arrays(SCHEMA), SCHEMA.validate(values)
    assert own.keys() == sent.keys()
    for name in own:
        np.testing.assert_array_equal(own[name], sent[name])
    assert list(Batch({}, 2).to_arrays(Schema((TOWN,)))["town"]) == [None, None]


ABSENT: dict[str, tuple[list[str], list[str], str]] = {
    "one": (["Size", "town", "rooms"], [], "The table lacks the column size, which m needs. Did you mean 'Size'?"),
    "several": (["town"], [], "The table lacks the columns size, rooms, which m needs."),
    "copied": (
        ["size", "town", "rooms"],
        ["room"],
        "--keep names 'room', which is not a column; there are size, town, rooms",
    ),
    "own": (["size", "town", "rooms", "row"], ["row"], "--keep names 'row', but the output has a column of that name"),
}


@pytest.mark.parametrize(("names", "keep", "message"), ABSENT.values(), ids=ABSENT)
def test_absent_columns(names: list[str], keep: list[str], message: str) -> None:
    with pytest.raises(MlrunnerError) as raised:
        refuse_absent_columns(names, SCHEMA, keep, "m")
    assert str(raised.value).startswith(message)
    refuse_absent_columns(["size", "town", "rooms"], SCHEMA, ["town"], "m")


def test_table_with_none_of_the_columns() -> None:
    with pytest.raises(DataError, match="lacks the column new"):
        refuse_absent_columns(["a"], Schema((RawColumn("new", "boolean", False),)), [], "m")


def test_halves_of_a_batch() -> None:
    first, second = Batch({"x": np.array([1.0, 2.0, 3.0]), "t": ["a", "b", "c"]}, 3).split()
    assert (list(first.columns["x"]), first.columns["t"], first.rows) == ([1.0], ["a"], 1)
    assert (list(second.columns["x"]), second.columns["t"], second.rows) == ([2.0, 3.0], ["b", "c"], 2)
