"""The page under Streamlit's AppTest, over a real server."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

from mlrunner.groups.deployer.state import DeploymentStore
from mlrunner.groups.model.threshold import ThresholdClassifier
from mlrunner.serving.model import ServedModel
from mlrunner.serving.schema import Schema
from tests.support.front_door import PROJECT
from tests.support.playground import COLUMNS, make_model, make_pipeline, serving, write_deployment

PAGE = PROJECT / "mlrunner" / "cli" / "playground" / "page.py"


def show_page(store: DeploymentStore, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Show the page as `streamlit run page.py -- FOLDER` does."""
    from streamlit.testing.v1 import AppTest

    monkeypatch.setattr(sys, "argv", [str(PAGE), str(store.folder)])
    return AppTest.from_file(str(PAGE), default_timeout=30).run()


@pytest.fixture
def page(store: DeploymentStore, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Show the page."""
    return show_page(store, monkeypatch)


def press(page: Any, label: str = "Predict") -> Any:
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception
    return page


def find_labelled(elements: Any, label: str) -> Any:
    return next(element for element in elements if element.label == label)


def texts(page: Any) -> str:
    return "\n".join(element.value for element in [*page.title, *page.markdown, *page.caption]).replace("\\", "")


def errors(page: Any) -> list[str]:
    return [element.value.replace("\\", "") for element in page.error]


def answer(page: Any) -> tuple[str, str]:
    """Return the short number, and the sentence below it."""
    (metric,) = page.metric
    return metric.value, page.caption[-1].value.replace("\\", "")


CSV = """rooms,town,built,sold_at,garden
3,far,2020-01-02,2021-05-06 07:08:09,true
5,near,1999-12-31,,false
"""


def test_the_form_is_made_from_the_schema_and_filled_with_the_example(page: Any) -> None:
    assert not page.exception
    assert page.title[0].value == "houses"
    assert "Version 1 predicts score (model ridge)." in texts(page)
    assert find_labelled(page.number_input, "rooms *").value == 3.0
    assert find_labelled(page.selectbox, "town *").value == "far"
    assert find_labelled(page.selectbox, "town *").options == ["far", "near"]
    assert find_labelled(page.date_input, "built *").value == date(1642, 1, 2)
    assert find_labelled(page.text_input, "sold_at *").value == "2021-05-06T07:08:09"
    assert find_labelled(page.selectbox, "garden *").value == "yes"
    assert find_labelled(page.number_input, "price").value == 1.5
    (expander,) = page.expander
    assert expander.label == "2 optional columns"
    assert [element.label for element in expander.number_input] == ["price"]
    assert [element.label for element in expander.text_input] == [r"note\_\*of\*\_agent"]  # no Markdown


def test_the_answer_of_the_service_follows_the_fields(page: Any) -> None:
    assert not page.metric
    assert answer(press(page)) == ("2003", "Exactly 2003.25, says houses/1.")
    find_labelled(page.number_input, "rooms *").set_value(7.5)
    find_labelled(page.selectbox, "town *").set_value("near")
    find_labelled(page.selectbox, "garden *").set_value("no")
    find_labelled(page.date_input, "built *").set_value(date(2020, 1, 3))
    assert answer(press(page))[1] == "Exactly 3107.5, says houses/1."
    for element in (*page.number_input, *page.selectbox, *page.date_input):
        element.set_value(None)
    for element in page.text_input:
        element.set_value("")
    assert answer(press(page))[1] == "Exactly 10.0, says houses/1."


def test_a_wrong_value_is_the_sentence_of_the_service(page: Any) -> None:
    find_labelled(page.text_input, "sold_at *").set_value("*soon*")
    press(page)
    assert errors(page) == ["Column 'sold_at' holds dates, but the form has '*soon*'."]
    assert not page.metric


def test_after_a_switch_the_next_click_asks_the_new_version(page: Any, store: DeploymentStore) -> None:
    fewer = (replace(COLUMNS[0]), replace(COLUMNS[1], categories=frozenset({"near", "new"})), *COLUMNS[2:5])
    with serving(make_model(plus=0.5, columns=fewer, version=2)) as other:
        write_deployment(store.folder.parent, other.port)
        page.run()
        assert "Version 2 predicts" in texts(page)
        assert find_labelled(page.selectbox, "town *").value is None  # the new version does not know "far"
        assert answer(press(page))[1] == "Exactly 2003.75, says houses/2."


def test_a_service_without_an_answer_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(make_model()) as stopped:
        page = show_page(write_deployment(tmp_path, stopped.port), monkeypatch)
    press(page)
    (message,) = errors(page)
    assert message.startswith(f"houses does not answer at http://127.0.0.1:{stopped.port}; ")
    with serving(make_model(), stopped.port):
        page.run()
        assert not page.error
        assert page.number_input


def test_a_stopped_deployment_is_one_sentence(page: Any, store: DeploymentStore) -> None:
    write_deployment(store.folder.parent, 1, is_stopped=True)
    page.run()
    assert errors(page) == ["houses is stopped; start it again with mlrunner deploy --restart houses."]


def test_a_model_with_few_facts_has_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = ServedModel(make_pipeline(), Schema(COLUMNS), {"name": "houses", "version": 1}, make_model().example)
    with serving(bare) as other:
        page = press(show_page(write_deployment(tmp_path, other.port), monkeypatch))
        assert page.metric[0].label == "prediction"


def make_classifier() -> ServedModel:
    """Give yes 1/3 for three rooms and 2/3 for five, and predict it from 0.3 on."""
    rooms = ColumnTransformer([("rooms", "passthrough", ["rooms"])])
    steps = [("features", rooms), ("estimator", ThresholdClassifier(DecisionTreeClassifier(), 0.3, "yes"))]
    pipeline = Pipeline(steps).fit(pd.DataFrame({"rooms": [3, 3, 3, 5, 5, 5]}), ["no", "no", "yes", "no", "yes", "yes"])
    return replace(make_model(task="classification"), pipeline=pipeline)


def test_the_probabilities_of_the_classes_stand_beside_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(make_classifier()) as other:
        page = press(show_page(write_deployment(tmp_path, other.port), monkeypatch))
        assert page.metric[0].value == "yes"
        assert page.dataframe[0].value["class"].tolist() == ["no", "yes"]
        assert page.dataframe[0].value["probability"].tolist() == pytest.approx([2 / 3, 1 / 3])
        page.file_uploader[0].set_value(("rows.csv", CSV.encode(), "text/csv")).run()
        table = press(page, "Predict all rows").dataframe[-1].value
        assert table.columns[:4].tolist() == ["prediction", "probability_no", "probability_yes", "rooms"]
        assert table["prediction"].tolist() == ["yes", "yes"]
        assert table["probability_yes"].tolist() == pytest.approx([1 / 3, 2 / 3])


NAMED = "\n".join(f"{first},{line}" for first, line in zip(["prediction", "x", "y"], CSV.splitlines(), strict=True))
NO_CSV = "The file is not CSV in UTF-8 ("
WRONG_FILES = {
    CSV.replace("near", "nera").encode(): "Column 'town': row 3 of the file has 'nera', ",
    b"rooms\n1\n": "Columns town, built, sold_at, garden are missing",
    b"a,b\n": "The file holds no row; ",
    b"a,b\n1,2,3\n": "The rows of the file hold more values",
    b"a,b\n1,2\n1,2,3\n": NO_CSV,
    b"\n": NO_CSV,
    b"PK\x03\x04\xff": NO_CSV,  # a spreadsheet
}


def test_the_rows_of_a_file_are_predicted(page: Any) -> None:
    for text in (CSV, CSV.replace(",", ";"), "\ufeff" + CSV.replace(",", "\t"), NAMED):
        page.file_uploader[0].set_value(("rows.csv", text.encode(), "text/csv")).run()
        table = press(page, "Predict all rows").dataframe[0].value
        assert table.columns[0] == "prediction"
        assert table["prediction"].tolist() == [2003.25, 31105.0]


def test_a_wrong_file_is_one_sentence(page: Any) -> None:
    for content, message in WRONG_FILES.items():
        page.file_uploader[0].set_value(("rows.csv", content, "text/csv")).run()
        (error,) = errors(press(page, "Predict all rows"))
        assert error.startswith(message)
        assert not page.dataframe
