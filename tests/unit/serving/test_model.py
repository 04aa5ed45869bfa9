"""A released model predicts the same as the pipeline of its run."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlrunner.groups.strategy import CleaningStrategy
from mlrunner.serving.errors import RequestError
from mlrunner.serving.model import ServedModel, load_release
from tests.support import serving_release as releases
from tests.support.serving_release import KINDS, REQUIRED, Row, Saved

UNKNOWN = "ignore:Found unknown categories"  # of scikit-learn, for each unknown category
pytestmark = pytest.mark.filterwarnings(UNKNOWN, "ignore:overflow encountered:RuntimeWarning")
SETTINGS = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class UppercaseTowns(CleaningStrategy):
    """Change the values that the encoder sees."""

    def transform_rows(self, table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(town=table["town"].str.upper())[["size", "town"]]


@pytest.fixture(scope="module")
def model(saved: Saved) -> ServedModel:
    return load_release(saved.release.folder)


def predict(model: ServedModel, rows: list[Row], form: str = "dataframe_records") -> list[Any]:
    return model.answer(json.dumps({form: rows}).encode())


def reject(model: ServedModel, rows: list[Row]) -> str:
    with pytest.raises(RequestError) as caught:
        predict(model, rows)
    assert caught.value.status == 422
    return caught.value.message


def as_csv(rows: list[Row], names: list[str] | None = None) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, names or list(KINDS), extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


# --- loading -----------------------------------------------------------------------------------------


def test_the_schema_has_the_columns_of_the_raw_data_set(model: ServedModel) -> None:
    assert {column.name: column.kind for column in model.schema.columns} == KINDS
    assert [column.name for column in model.schema.columns if column.required] == REQUIRED


def test_only_one_hot_encoded_columns_have_categories(model: ServedModel) -> None:
    categories = {column.name: column.categories for column in model.schema.columns if column.categories is not None}
    assert categories == {"town": frozenset(releases.TOWNS)}


def test_dates_in_text_have_the_format_of_the_training_rows(model: ServedModel) -> None:
    formats = {column.name: column.date_format for column in model.schema.columns if column.date_format is not None}
    assert formats == {"bought_at": "iso"}
    row = {**releases.make_rows(1)[0], "bought_at": "04.03.2021"}
    with pytest.raises(RequestError, match=r"'bought_at' holds dates in ISO 8601, but row 0 has '04\.03\.2021'\."):
        predict(model, [row])


def test_no_column_has_categories_when_unknown_ones_are_accepted(saved: Saved) -> None:
    model = load_release(saved.release.folder, "accept")
    assert all(column.categories is None for column in model.schema.columns)
    rows = [{**releases.make_rows(1)[0], "town": "Atlantis"}]
    assert predict(model, rows) == pytest.approx(saved.predict(rows))
    towns = ["Atlantis", releases.TOWNS[0], None, "Atlantis"]
    assert model.count_unknown({"town": np.array(towns, dtype=object)}) == {"town": 2}
    assert model.count_unknown({"town": np.array(towns[1:3], dtype=object)}) == {}


def test_a_column_changed_by_the_cleaning_has_no_categories(base: Path) -> None:
    pipeline = releases.fit_pipeline(releases.FaultyModel(), UppercaseTowns())
    model = load_release(releases.save_release(base / "uppercase", pipeline).release.folder)
    town = next(column for column in model.schema.columns if column.name == "town")
    assert (town.required, town.categories) == (True, None)
    assert predict(model, [{"size": 3.0, "town": "fAr"}]) == predict(model, [{"size": 3.0, "town": "FAR"}])


def test_the_example_has_the_predictions_of_the_run(saved: Saved, model: ServedModel) -> None:
    assert model.answer(model.example) == pytest.approx(saved.release.expected)
    assert model.answer(saved.release.example) == pytest.approx(saved.release.expected)


def test_the_facts_equal_those_of_the_release(saved: Saved, model: ServedModel) -> None:
    assert model.facts == saved.release.facts


def test_labels_are_predicted(base: Path) -> None:
    saved = releases.save_classification(base)
    rows = releases.make_rows(40)
    labels = predict(load_release(saved.release.folder), rows)
    assert labels == saved.predict(rows)
    assert set(labels) == {"large", "small"}


@pytest.mark.parametrize("missing", ["release.json", "model/model.skops", "model/serving_input_example.json"])
def test_a_missing_file_is_an_error(saved: Saved, tmp_path: Path, missing: str) -> None:
    folder = Path(shutil.copytree(saved.release.folder, tmp_path / "release"))
    (folder / missing).unlink()
    with pytest.raises(OSError, match=Path(missing).name):
        load_release(folder)


def test_an_untrusted_type_is_an_error(saved: Saved, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(saved.release.folder, tmp_path / "release"))
    release = json.loads((folder / "release.json").read_text())
    release["saved"]["trusted"] = []
    (folder / "release.json").write_text(json.dumps(release))
    with pytest.raises(Exception, match="mlrunner"):
        load_release(folder)


# --- predictions --------------------------------------------------------------------------------------


@SETTINGS
@given(st.lists(releases.row, min_size=1, max_size=6))
def test_any_valid_rows_have_the_predictions_of_the_pipeline(saved: Saved, model: ServedModel, rows: list[Row]) -> None:
    assert predict(model, rows) == pytest.approx(saved.predict(rows), rel=1e-9)


@SETTINGS
@given(st.lists(releases.row, min_size=2, max_size=6))
def test_rows_are_predicted_independently(model: ServedModel, rows: list[Row]) -> None:
    together = predict(model, rows)
    assert together == pytest.approx([predict(model, [row])[0] for row in rows], rel=1e-9)


@SETTINGS
@given(st.lists(releases.row, min_size=1, max_size=6))
def test_csv_has_the_predictions_of_json(model: ServedModel, rows: list[Row]) -> None:
    without_empty = [{name: None if value == "" else value for name, value in row.items()} for row in rows]
    assert model.answer(as_csv(without_empty), "text/csv") == pytest.approx(predict(model, without_empty), rel=1e-9)


@SETTINGS
@given(st.lists(releases.row, min_size=1, max_size=4), st.permutations(list(KINDS)), st.text(max_size=5))
def test_order_and_unknown_columns_do_not_matter(
    model: ServedModel, rows: list[Row], order: list[str], other: str
) -> None:
    defaults = {**dict.fromkeys(KINDS), other: {"any": ["thing"]}}
    moved = [{name: {**defaults, **row}[name] for name in [other, *order]} for row in rows]
    assert predict(model, moved) == pytest.approx(predict(model, rows), rel=1e-9)


@SETTINGS
@given(st.lists(releases.row, min_size=1, max_size=4))
def test_optional_columns_may_be_absent_or_missing(model: ServedModel, rows: list[Row]) -> None:
    without = [{name: row[name] for name in REQUIRED} for row in rows]
    missing = [{**dict.fromkeys(KINDS), **row} for row in without]
    assert predict(model, without) == predict(model, missing) == pytest.approx(predict(model, rows), rel=1e-9)


def test_all_values_may_be_missing(saved: Saved, model: ServedModel) -> None:
    rows = [dict.fromkeys(REQUIRED), releases.make_rows(1)[0], dict.fromkeys(REQUIRED)]
    predictions = predict(model, rows)
    assert predictions == pytest.approx(saved.predict(rows), rel=1e-9)
    assert predictions[0] == pytest.approx(predictions[2], rel=1e-9) != predictions[1]


def test_the_raw_csv_file_of_the_data_set_is_predicted(saved: Saved, model: ServedModel) -> None:
    raw = releases.make_table(50, seed=9)
    expected = saved.pipeline.predict(raw)
    predictions = model.answer(raw.to_csv(index=False).encode(), "text/csv")
    assert predictions == pytest.approx(list(expected), rel=1e-9)


def test_a_nan_prediction_is_an_error_of_the_request(base: Path) -> None:
    model = load_release(releases.save_faulty(base).release.folder)
    assert predict(model, [releases.make_row(size) for size in (1.0, 3.0)]) == [1.0, 3.0]
    sizes = (1.0, releases.GAP, 3.0, releases.GAP)
    message = reject(model, [releases.make_row(size) for size in sizes])
    assert message == "The model predicts NaN in 2 of 4 rows, first for row 1."


# --- invalid rows ----------------------------------------------------------------------------------------


INVALID: dict[str, tuple[Row, str]] = {
    "text for a number": ({"size": "large"}, "Column 'size' holds numbers, but row 1 has 'large'."),
    "unknown category": ({"town": "neat"}, "row 1 has 'neat', which training did not see; it saw far, near, out. Did"),
    "text for a date": ({"stamp": "yesterday"}, "Column 'stamp' holds dates, but row 1 has 'yesterday'."),
    "in an optional column": ({"lot": "big"}, "Column 'lot' holds numbers, but row 1 has 'big'."),
}


@pytest.mark.parametrize(("change", "words"), INVALID.values(), ids=INVALID)
def test_the_message_names_column_row_and_value(model: ServedModel, change: Row, words: str) -> None:
    good, other = releases.make_rows(2)
    assert words in reject(model, [good, {**other, **change}])


def test_each_required_column_is_needed(model: ServedModel) -> None:
    for name in REQUIRED:
        row = {key: value for key, value in releases.make_rows(1)[0].items() if key != name}
        assert reject(model, [row]) == f"Column {name} is missing, which the model needs."


@pytest.mark.parametrize("size", [1.7e308, -1.7e308])
def test_a_number_that_the_model_rejects_is_a_client_error(base: Path, size: float) -> None:
    from sklearn.tree import DecisionTreeRegressor  # which converts to 32-bit floats

    folder = releases.save_release(
        base / f"tree{size > 0}", releases.fit_pipeline(DecisionTreeRegressor())
    ).release.folder
    message = reject(load_release(folder), [releases.make_row(size)])
    assert message.startswith("The model cannot predict these rows: ")
    assert message.endswith(".")
    assert "\n" not in message


def test_a_missing_value_that_the_model_rejects_is_a_client_error(base: Path) -> None:
    from sklearn.linear_model import LinearRegression

    native = releases.Features(
        **{**releases.list_settings(releases.FEATURES), "impute": None, "indicate_missing": False}
    )
    raw = releases.make_table().assign(rooms=1.0)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(releases, "make_table", lambda *_: raw)  # training rows without missing values
        pipeline = releases.fit_pipeline(LinearRegression(), learned=native)
        saved = releases.save_release(base / "native", pipeline)
    assert "NaN" in reject(load_release(saved.release.folder), [releases.make_row(None)])


def test_other_errors_of_the_model_are_not_client_errors(base: Path) -> None:
    model = load_release(releases.save_faulty(base).release.folder)
    with pytest.raises(RuntimeError, match="the model failed"):
        predict(model, [releases.make_row(releases.RAISES)])
