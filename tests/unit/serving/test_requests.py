"""Request bodies of the scoring protocol."""

from __future__ import annotations

import csv
import io
import json
import math
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlrunner.serving import errors, requests
from mlrunner.serving.errors import RequestError
from tests.support.serving_release import anything, scalar

NAMES = ["a", "b"]
JSON, CSV = "application/json", "text/csv"
DEPTH = 990  # nested lists that orjson parses and Python's json does not
names = st.lists(st.text(max_size=5), min_size=1, max_size=4, unique=True)
value = st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5)
Table = tuple[list[str], list[list[Any]]]


@st.composite
def tables(draw: st.DrawFn, values: st.SearchStrategy[Any] = value) -> Table:
    """Draw names and at least one row."""
    drawn_names = draw(names)
    width = len(drawn_names)
    return drawn_names, draw(st.lists(st.lists(values, min_size=width, max_size=width), min_size=1, max_size=5))


def to_columns(table: Table) -> requests.Columns:
    """Convert a table to columns."""
    return {name: [row[k] for row in table[1]] for k, name in enumerate(table[0])}


def read(content: Any, content_type: str = JSON, model_columns: list[str] = NAMES) -> requests.Columns:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return requests.read_columns(body, content_type, model_columns)


def reject(content: Any, content_type: str = JSON) -> RequestError:
    with pytest.raises(RequestError) as caught:
        read(content, content_type)
    return caught.value


def write_csv(table: Table, ending: str = "\n") -> bytes:
    """Write a table as CSV; a missing value is an empty text."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=ending, quoting=csv.QUOTE_ALL)
    writer.writerows([table[0], *(["" if value is None else value for value in row] for row in table[1])])
    return text.getvalue().encode()


# --- the forms ----------------------------------------------------------------------------------------------


@given(tables())
def test_every_form_of_json_gives_the_same_columns(table: Table) -> None:
    records = [dict(zip(table[0], row, strict=True)) for row in table[1]]
    forms: list[Any] = [
        {"dataframe_split": {"columns": table[0], "data": table[1], "index": list(range(len(table[1])))}},
        {"dataframe_records": records},
        {"inputs": records},
        {"instances": records},
        {"inputs": to_columns(table)},
        {"instances": to_columns(table)},
        {"inputs": table[1]},
        {"instances": table[1], "params": {}},
    ]
    assert [read(form, model_columns=table[0]) for form in forms] == [to_columns(table)] * len(forms)


@given(
    table=tables(st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=6))
)
@pytest.mark.parametrize(
    ("ending", "mark", "content_type"),
    [("\n", b"", requests.CSV_TYPES[0]), ("\r\n", b"\xef\xbb\xbf", requests.CSV_TYPES[1])],
    ids=["plain", "windows"],
)
def test_csv_values_are_texts(table: Table, ending: str, mark: bytes, content_type: str) -> None:
    assert read(mark + write_csv(table, ending), content_type) == to_columns(table)


def test_csv_may_have_newlines_and_quotes_in_its_values() -> None:
    assert read(b'a,b\r\n"x\r\ny","say ""yes"", please"\r\n,""\r\n', CSV) == {
        "a": ["x\r\ny", None],
        "b": ['say "yes", please', None],
    }


def test_records_may_lack_columns() -> None:
    assert read({"dataframe_records": [{"a": 1}, {"b": 2}, {}]}) == {"a": [1, None, None], "b": [None, 2, None]}


def test_a_single_row_may_be_columns_without_lists() -> None:
    assert read({"inputs": {"a": 1, "b": "x"}}) == {"a": [1], "b": ["x"]}


def test_numbers_as_names_become_texts() -> None:
    assert read({"dataframe_split": {"columns": [1, 2.5, None, True], "data": [[1, 2, 3, 4]]}}) == {
        "1": [1],
        "2.5": [2],
        "None": [3],
        "True": [4],
    }


def test_the_default_content_type_is_read_as_json() -> None:
    assert read({"inputs": {"a": [1]}}, "application/octet-stream") == {"a": [1]}


def test_nan_is_missing_and_infinity_a_number() -> None:
    values = read(b'{"inputs": {"a": [NaN, 1, Infinity, -Infinity]}}')["a"]
    assert values == [None, 1, math.inf, -math.inf]


@pytest.mark.parametrize(("text", "expected"), [(b"1", 1), (b"NaN", None)])
def test_a_byte_order_mark_before_json_is_skipped(text: bytes, expected: int | None) -> None:
    assert read(b'\xef\xbb\xbf{"inputs": {"a": [' + text + b"]}}") == {"a": [expected]}


def test_of_equal_keys_the_last_one_counts() -> None:
    assert read(b'{"dataframe_records": [{"a": 1, "a": 2}]}') == {"a": [2]}


def test_unknown_params_are_ignored() -> None:
    assert read({"inputs": {"a": [1]}, "params": {"unknown": 1}}) == {"a": [1]}


def test_integers_can_have_any_length() -> None:
    assert read(b'{"inputs": {"a": [123456789012345678901234567890, NaN]}}')["a"] == [
        123456789012345678901234567890,
        None,
    ]


def test_the_text_nan_is_a_text() -> None:
    assert read({"inputs": {"a": ["NaN", "Infinity", None]}})["a"] == ["NaN", "Infinity", None]


def test_escapes_are_parsed_next_to_a_nan() -> None:
    assert read(b'{"inputs": {"a": ["\\u00e9\\ud83d\\ude00", NaN]}}')["a"] == ["é😀", None]


def test_unknown_columns_take_little_memory() -> None:
    rows = [{f"k{number}": number, "a": 1} for number in range(3000)]
    body = json.dumps({"dataframe_records": rows}).encode()
    tracemalloc.start()
    try:
        columns = read(body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert columns["a"] == [1] * 3000
    assert peak < 20e6  # a list for each would be 72 MB, and terabytes for a body of 64 MB


# --- invalid bodies ----------------------------------------------------------------------------------------


def nested(*around: bytes) -> bytes:
    return around[0] + b"[" * DEPTH + b"]" * DEPTH + around[1]


INVALID = {
    "empty": (b"", JSON, "empty"),
    "blank": (b" \r\n\t", JSON, "empty"),
    "empty csv": (b"", CSV, "empty"),
    "no json": (b"{", JSON, "not JSON"),
    "nothing but a word": (b"NaN", JSON, "not an object"),
    "a list": (b"[1]", JSON, "not an object"),
    "null": (b"null", JSON, "not an object"),
    "a text": (b'"inputs"', JSON, "not an object"),
    "no key": (b"{}", JSON, "it has no key"),
    "another key": (b'{"rows": []}', JSON, "it has rows"),
    "two keys": (b'{"inputs": [], "instances": []}', JSON, "exactly one"),
    "params": (
        b'{"inputs": {"a": [1]}, "params": {"x": 1, "predict_method": null}}',
        JSON,
        "params.predict_method should be one of predict, predict_proba",
    ),
    "params of a list": (b'{"inputs": {"a": [1]}, "params": [1]}', JSON, "params must be an object"),
    "two boms": (b'\xef\xbb\xbf\xef\xbb\xbf{"inputs": {"a": [1]}}', JSON, "not JSON"),
    "utf-16": ('{"inputs": {"a": [1]}}'.encode("utf-16"), JSON, "not JSON"),
    "latin-1": (b'{"inputs": {"a": ["\xe9"]}}', JSON, "not JSON"),
    "latin-1 beside nan": (b'{"inputs": {"a": ["\xe9", NaN]}}', JSON, "not JSON"),
    "half a pair": (b'{"inputs": {"a": ["\\ud800"]}}', JSON, "not JSON"),
    "half a pair beside nan": (b'{"inputs": {"a": ["\\ud800", NaN]}}', JSON, "not JSON"),
    "half a pair as a name": (b'{"\\udfff": NaN}', JSON, "not JSON"),
    "too large a number": (b'{"inputs": {"a": [1e999]}}', JSON, "not JSON"),
    "digits without end beside nan": (b'{"inputs": {"a": [NaN, ' + b"1" * 5000 + b"]}}", JSON, "not JSON"),
    "deep": (b"[" * 100_000, JSON, "not JSON"),
    "deep beside nan": (b"[" * 100_000 + b"NaN", JSON, "not JSON"),
    "deep and sound beside nan": (nested(b'{"a": ', b', "inputs": [NaN]}'), JSON, "not JSON"),
    "split of a list": ({"dataframe_split": [[1]]}, JSON, "needs the keys columns and data"),
    "split without data": ({"dataframe_split": {"columns": ["a"]}}, JSON, "needs the keys columns and data"),
    "split of no lists": ({"dataframe_split": {"columns": "a", "data": [[1]]}}, JSON, "must be lists"),
    "split of null": ({"dataframe_split": {"columns": None, "data": None}}, JSON, "must be lists"),
    "split with odd rows": ({"dataframe_split": {"columns": ["a"], "data": [[1], 2]}}, JSON, "data[1] holds no list"),
    "split too wide": ({"dataframe_split": {"columns": ["a"], "data": [[1], [1, 2]]}}, JSON, "data[1] holds 2 values"),
    "split too narrow": ({"dataframe_split": {"columns": ["a"], "data": [[]]}}, JSON, "data[0] holds 0 values"),
    "split twice": ({"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}}, JSON, "a column twice"),
    "split, the same name": ({"dataframe_split": {"columns": [1, "1"], "data": [[1, 2]]}}, JSON, "a column twice"),
    "split, deep names": (nested(b'{"dataframe_split": {"data": [[1]], "columns": [', b"]}}"), JSON, "must hold names"),
    "split without rows": ({"dataframe_split": {"columns": ["a"], "data": []}}, JSON, "no row"),
    "split of nothing": ({"dataframe_split": {"columns": [], "data": [[]]}}, JSON, "no row"),
    "no records": ({"dataframe_records": []}, JSON, "no row"),
    "records of nothing": ({"dataframe_records": [{}]}, JSON, "no row"),
    "records of lists": ({"dataframe_records": [[1, 2]]}, JSON, "[0] must be an object"),
    "records, one null": ({"dataframe_records": [{"a": 1}, None]}, JSON, "[1] must be an object"),
    "records by name": ({"dataframe_records": {"a": [1]}}, JSON, "must be a list of rows"),
    "records null": ({"dataframe_records": None}, JSON, "must be a list of rows"),
    "inputs of a text": ({"inputs": "a"}, JSON, "must be a list of rows"),
    "inputs of numbers": ({"inputs": [1, 2]}, JSON, "[0] must be an object"),
    "inputs too wide": ({"inputs": [[1, 2, 3]]}, JSON, "inputs[0] holds 3 values, but there are 2 columns"),
    "inputs, lists then records": ({"inputs": [[1, 2], {"a": 1}]}, JSON, "inputs[1] holds no list"),
    "inputs, records then lists": ({"inputs": [{"a": 1}, [1, 2]]}, JSON, "inputs[1] must be an object"),
    "instances of different lengths": ({"instances": {"a": [1], "b": [1, 2]}}, JSON, "different lengths (a 1, b 2)"),
    "instances of nothing": ({"instances": {}}, JSON, "no row"),
    "instances without rows": ({"instances": {"a": [], "b": []}}, JSON, "no row"),
    "csv without rows": (b"a,b\n", CSV, "no row"),
    "csv too wide": (b"a,b\n1,2\n1,2,3\n", CSV, "CSV row[1] holds 3 values"),
    "csv too narrow": (b"a,b\n1\n", CSV, "CSV row[0] holds 1 values"),
    "csv twice": (b"a,a\n1,2\n", CSV, "a column twice"),
    "csv in latin-1": (b"a,b\n\xe9,2\n", CSV, "not CSV in UTF-8"),
    "csv in utf-16": ("a,b\n1,2\n".encode("utf-16"), CSV, "not CSV in UTF-8"),
    "csv that does not close a quote": (b'a,b\n"1,2\n', CSV, "not CSV"),
    "csv with a field without end": (b"a,b\n1," + b"x" * 200_000, CSV, "field limit"),
    "csv that begins with a blank line": (b"\na,b\n1,2\n", CSV, "0 columns"),
}


@pytest.mark.parametrize(("content", "content_type", "word"), INVALID.values(), ids=INVALID)
def test_an_invalid_body_is_a_400_with_one_sentence(content: Any, content_type: str, word: str) -> None:
    error = reject(content, content_type)
    assert error.status == 400
    assert word in error.message
    assert "\n" not in error.message
    assert error.message.endswith(".")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "json"]
)
def test_other_content_types_are_a_415(content_type: str) -> None:
    error = reject({"inputs": {"a": [1]}}, content_type)
    assert error.status == 415
    assert "send application/json or text/csv" in error.message


@pytest.mark.parametrize(
    ("header", "media_type"),
    [
        (None, "application/octet-stream"),
        ("", "application/octet-stream"),
        ("Application/JSON", JSON),
        ("application/json;Charset=UTF-8", JSON),
        ('text/csv ; charset="utf-8";', CSV),
        ("not_a_supported_content_type", "not_a_supported_content_type"),
    ],
)
def test_a_media_type_is_in_small_letters_and_without_parameters(header: str | None, media_type: str) -> None:
    assert requests.read_media_type(header) == media_type


@pytest.mark.parametrize("parameter", ["something=something", "charset=latin-1", "charset", "charset=utf-8x"])
def test_other_parameters_of_a_content_type_are_a_415(parameter: str) -> None:
    with pytest.raises(RequestError) as caught:
        requests.read_media_type(f"application/json; charset=utf-8; {parameter}")
    expected = f"Content-Type has the parameter '{parameter}'; only charset=utf-8 is read."
    assert (caught.value.status, caught.value.message) == (415, expected)


# --- anything -----------------------------------------------------------------------------------------------


def check_any_body(body: bytes, content_type: str) -> None:
    """Read any body; the result is columns of equal length, or a 4xx with a message."""
    columns, rejection = None, None
    try:
        columns = requests.read_columns(body, content_type, NAMES)
    except RequestError as error:
        rejection = error
    if rejection is not None:
        content = errors.error_body(rejection.status, rejection.message)
        assert (rejection.status, content["error_code"]) in ((400, "BAD_REQUEST"), (415, "UNSUPPORTED_MEDIA_TYPE"))
        assert content["message"].encode().strip()
    elif columns is not None:
        assert len({len(values) for values in columns.values()}) == 1
        assert all(isinstance(name, str) for name in columns)
        assert next(iter(columns.values()))


@given(st.binary(max_size=60), st.sampled_from([JSON, CSV, "application/octet-stream", "text/plain"]))
def test_any_bytes(body: bytes, content_type: str) -> None:
    check_any_body(body, content_type)


@given(anything, st.sampled_from([*requests.FORMS, "other", None]), st.booleans())
def test_any_json(content: Any, key: str | None, escaped: bool) -> None:
    whole = content if key is None else {key: content}
    check_any_body(json.dumps(whole, ensure_ascii=escaped).encode(errors="replace"), JSON)


@given(st.lists(scalar | st.lists(scalar, max_size=2), max_size=3), st.lists(st.lists(scalar, max_size=3) | scalar))
def test_any_split(columns: list[Any], data: list[Any]) -> None:
    check_any_body(json.dumps({"dataframe_split": {"columns": columns, "data": data}}).encode(), JSON)


@given(st.text(st.sampled_from('ab,;"\r\n\t\x00 é') | st.characters(codec="utf-8"), max_size=40))
def test_any_csv(text: str) -> None:
    check_any_body(text.encode(), CSV)


@given(st.text(st.sampled_from('{}[]:,"\\u8dNaInfity-e+.019'), max_size=40))
def test_any_broken_json(text: str) -> None:
    check_any_body(f'{{"inputs": [{text}'.encode(), JSON)
    check_any_body(f'{{"inputs": {{"a": [NaN, {text}]}}}}'.encode(), JSON)


PROBA = b'{"inputs": {"a": [1]}, "params": {"predict_method": "predict_proba"}}'


@pytest.mark.parametrize(
    ("body", "choice", "expected"),
    [
        (b'{"inputs": {"a": [1]}}', None, False),
        (b'{"inputs": {"a": [1]}}', "true", True),
        (b'{"inputs": {"params": [1]}}', None, False),
        (PROBA, None, True),
        (b"\xef\xbb\xbf" + PROBA.replace(b'"params": {', b'"params": {"unknown": 1, '), None, True),
        (PROBA, "false", False),
        (PROBA.replace(b"_proba", b""), None, False),
    ],
)
def test_probabilities_are_asked_for_by_params_or_by_the_query(body: bytes, choice: str | None, expected: bool) -> None:
    assert requests.wants_probabilities(body, "application/json", choice) is expected


@pytest.mark.parametrize(
    ("body", "choice"), [(PROBA, "yes"), (PROBA.replace(b"_proba", b"_log_proba"), None)], ids=["query", "params"]
)
def test_another_method_is_refused(body: bytes, choice: str | None) -> None:
    with pytest.raises(RequestError, match=r"true or false|one of predict, predict_proba"):
        requests.wants_probabilities(body, "application/json", choice)
