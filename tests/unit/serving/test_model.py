"""A released model, loaded from its files: what it predicts is what the pipeline of the run predicts."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlrunner.groups.strategy import CleaningStrategy
from mlrunner.serving.errors import RequestError
from mlrunner.serving.model import ServedModel, load_release
from tests.support import serving_release as releases
from tests.support.serving_release import KINDS, REQUIRED, Row, Saved

UNKNOWN = "ignore:Found unknown categories"  # scikit-learn's, each time that it passes one over
pytestmark = pytest.mark.filterwarnings(UNKNOWN, "ignore:overflow encountered:RuntimeWarning")
SETTINGS = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Shouting(CleaningStrategy):
    """Writes the town in capitals, so that the encoder never sees what a client sends."""

    def transform_rows(self, table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(town=table["town"].str.upper())[["size", "town"]]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("releases")


@pytest.fixture(scope="module")
def saved(base: Path) -> Saved:
    return releases.regression(base)


@pytest.fixture(scope="module")
def model(saved: Saved) -> ServedModel:
    return load_release(saved.release.folder)


def ask(model: ServedModel, rows: list[Row], form: str = "dataframe_records") -> list[Any]:
    return model.answer(json.dumps({form: rows}).encode())


def refused(model: ServedModel, rows: list[Row]) -> str:
    with pytest.raises(RequestError) as caught:
        ask(model, rows)
    assert caught.value.status == 422
    return caught.value.message


def as_csv(rows: list[Row], names: list[str] | None = None) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, names or list(KINDS), extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


# --- what is loaded -----------------------------------------------------------------------------------------


def test_the_schema_is_that_of_the_raw_data_set(model: ServedModel) -> None:
    assert {column.name: column.kind for column in model.schema.columns} == KINDS
    assert [column.name for column in model.schema.columns if column.required] == REQUIRED


def test_only_a_text_of_few_categories_is_closed(model: ServedModel) -> None:
    closed = {column.name: column.categories for column in model.schema.columns if column.categories is not None}
    assert closed == {"town": frozenset(releases.TOWNS)}


def test_all_is_open_where_unknown_categories_are_accepted(saved: Saved) -> None:
    model = load_release(saved.release.folder, "accept")
    assert all(column.categories is None for column in model.schema.columns)
    rows = [{**releases.rows(1)[0], "town": "Atlantis"}]
    assert ask(model, rows) == pytest.approx(saved.predict(rows))


def test_a_column_that_the_cleaning_rewrites_is_open(base: Path) -> None:
    cleaning = Shouting()
    pipeline = releases.fitted(releases.Touchy(), cleaning)
    model = load_release(releases.save(base / "shouting", pipeline, cleaning=cleaning).release.folder)
    town = next(column for column in model.schema.columns if column.name == "town")
    assert (town.required, town.categories) == (True, None)
    assert ask(model, [{"size": 3.0, "town": "fAr"}]) == ask(model, [{"size": 3.0, "town": "FAR"}])


def test_the_example_of_the_run_is_answered_as_the_run_did(saved: Saved, model: ServedModel) -> None:
    assert model.answer(model.example) == pytest.approx(saved.release.expected)
    assert model.answer(saved.release.example) == pytest.approx(saved.release.expected)


def test_the_facts_are_those_of_the_release(saved: Saved, model: ServedModel) -> None:
    assert model.facts == saved.release.facts


def test_labels_are_predicted_as_they_are(base: Path) -> None:
    saved = releases.classification(base)
    rows = releases.rows(40)
    found = ask(load_release(saved.release.folder), rows)
    assert found == saved.predict(rows)
    assert set(found) == {"large", "small"}


@pytest.mark.parametrize("lost", ["release.json", "model/model.skops", "model/serving_input_example.json"])
def test_a_release_without_a_file_is_not_loaded(saved: Saved, tmp_path: Path, lost: str) -> None:
    folder = Path(shutil.copytree(saved.release.folder, tmp_path / "release"))
    (folder / lost).unlink()
    with pytest.raises(OSError, match=Path(lost).name):
        load_release(folder)


def test_a_type_that_is_not_trusted_is_not_loaded(saved: Saved, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(saved.release.folder, tmp_path / "release"))
    told = json.loads((folder / "release.json").read_text())
    told["saved"]["trusted"] = []
    (folder / "release.json").write_text(json.dumps(told))
    with pytest.raises(Exception, match="mlrunner"):
        load_release(folder)


# --- what is predicted --------------------------------------------------------------------------------------


@SETTINGS
@given(st.lists(releases.row, min_size=1, max_size=6))
def test_any_valid_rows_get_what_the_pipeline_predicts(saved: Saved, model: ServedModel, rows: list[Row]) -> None:
    assert ask(model, rows) == pytest.approx(saved.predict(rows), rel=1e-9)


@SETTINGS
@given(st.lists(releases.row, min_size=2, max_size=6))
def test_rows_get_the_same_alone_as_together(model: ServedModel, rows: list[Row]) -> None:
    together = ask(model, rows)
    assert together == pytest.approx([ask(model, [row])[0] for row in rows], rel=1e-9)


@SETTINGS
@given(st.lists(releases.row, min_size=1, max_size=6))
def test_csv_gets_what_json_gets(model: ServedModel, rows: list[Row]) -> None:
    filled = [{name: None if value == "" else value for name, value in row.items()} for row in rows]
    assert model.answer(as_csv(filled), "text/csv") == pytest.approx(ask(model, filled), rel=1e-9)


@SETTINGS
@given(st.lists(releases.row, min_size=1, max_size=4), st.permutations(list(KINDS)), st.text(max_size=5))
def test_order_and_other_columns_are_of_no_consequence(
    model: ServedModel, rows: list[Row], order: list[str], other: str
) -> None:
    known = {**dict.fromkeys(KINDS), other: {"any": ["thing"]}}
    moved = [{name: {**known, **row}[name] for name in [other, *order]} for row in rows]
    assert ask(model, moved) == pytest.approx(ask(model, rows), rel=1e-9)


@SETTINGS
@given(st.lists(releases.row, min_size=1, max_size=4))
def test_what_the_model_does_not_look_at_may_be_absent_or_missing(model: ServedModel, rows: list[Row]) -> None:
    without = [{name: row[name] for name in REQUIRED} for row in rows]
    missing = [{**dict.fromkeys(KINDS), **row} for row in without]
    assert ask(model, without) == ask(model, missing) == pytest.approx(ask(model, rows), rel=1e-9)


def test_rows_may_miss_every_value(saved: Saved, model: ServedModel) -> None:
    rows = [dict.fromkeys(REQUIRED), releases.rows(1)[0], dict.fromkeys(REQUIRED)]
    found = ask(model, rows)
    assert found == pytest.approx(saved.predict(rows), rel=1e-9)
    assert found[0] == pytest.approx(found[2], rel=1e-9) != found[1]


def test_the_raw_file_of_the_data_set_is_predicted_as_it_is(saved: Saved, model: ServedModel) -> None:
    raw = releases.table(50, seed=9)
    expected = saved.pipeline.predict(raw)
    found = model.answer(raw.to_csv(index=False).encode(), "text/csv")
    assert found == pytest.approx(list(expected), rel=1e-9)


def test_a_thousand_rows_keep_their_order(saved: Saved, model: ServedModel) -> None:
    rows = releases.rows(1000)
    assert ask(model, rows) == pytest.approx(saved.predict(rows), rel=1e-9)


def test_a_row_without_a_number_is_answered_with_none(base: Path) -> None:
    model = load_release(releases.touchy(base).release.folder)
    assert ask(model, [releases.sized(size) for size in (1.0, releases.GAP, 3.0)]) == [1.0, None, 3.0]


# --- what is refused ----------------------------------------------------------------------------------------


UNFIT: dict[str, tuple[Row, str]] = {
    "text for a number": ({"size": "large"}, "Column 'size' holds numbers, but row 1 has 'large'."),
    "unknown category": ({"town": "neat"}, "row 1 has 'neat', which training did not see; it saw far, near, out. Did"),
    "number for a text": ({"street": 7}, "Column 'street' holds texts, but row 1 has 7."),
    "no date": ({"stamp": "yesterday"}, "Column 'stamp' holds dates, but row 1 has 'yesterday'."),
    "text for a boolean": ({"new": "yes"}, "Column 'new' holds true or false, but row 1 has 'yes'."),
    "in a column that is not looked at": ({"lot": "big"}, "Column 'lot' holds numbers, but row 1 has 'big'."),
    "nothing but size": ({"size": [[]]}, "Column 'size' holds numbers, but row 1 has a list."),
}


@pytest.mark.parametrize(("change", "words"), UNFIT.values(), ids=UNFIT)
def test_a_row_that_does_not_fit_is_told_in_a_sentence(model: ServedModel, change: Row, words: str) -> None:
    good, other = releases.rows(2)
    assert words in refused(model, [good, {**other, **change}])


def test_each_column_that_is_needed_is_asked_for(model: ServedModel) -> None:
    for name in REQUIRED:
        row = {key: value for key, value in releases.rows(1)[0].items() if key != name}
        assert refused(model, [row]) == f"Column {name} is missing, which the model needs."


@pytest.mark.parametrize("size", [1.7e308, -1.7e308])
def test_a_number_that_the_model_cannot_take_is_no_fault_of_the_server(base: Path, size: float) -> None:
    from sklearn.tree import DecisionTreeRegressor  # it takes floats of 32 bits

    folder = releases.save(base / f"tree{size > 0}", releases.fitted(DecisionTreeRegressor())).release.folder
    told = refused(load_release(folder), [releases.sized(size)])
    assert told.startswith("The model cannot predict these rows: ")
    assert told.endswith(".")
    assert "\n" not in told


def test_a_gap_that_the_model_cannot_take_is_no_fault_of_the_server(base: Path) -> None:
    from sklearn.linear_model import LinearRegression

    native = releases.Features(**{**releases.vars_of(releases.LEARNED), "impute": None, "indicate_missing": False})
    raw = releases.table().assign(rooms=1.0)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(releases, "table", lambda *_: raw)  # training that saw no gap
        pipeline = releases.fitted(LinearRegression(), learned=native)
        saved = releases.save(base / "native", pipeline)
    assert "NaN" in refused(load_release(saved.release.folder), [releases.sized(None)])


def test_an_error_of_the_model_itself_is_not_blamed_on_the_client(base: Path) -> None:
    model = load_release(releases.touchy(base).release.folder)
    with pytest.raises(RuntimeError, match="touched"):
        ask(model, [releases.sized(releases.RAISES)])
