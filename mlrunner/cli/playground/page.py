"""Page of the playground: a Streamlit script that runs after each click; its argument is a deployment's folder."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from mlrunner.cli.playground.client import Service, ServiceError, find_service
from mlrunner.cli.playground.fields import Field, make_fields, make_row
from mlrunner.groups.deployer.state import DeploymentStore

COLUMNS = 3  # fields side by side
PREVIEW_ROWS = 1000
EMPTY = "missing"
NO_DAY: date | None = None
EARLIEST, LATEST = date(1900, 1, 1), date(2100, 12, 31)
MARKDOWN = re.compile(r"([\\`*\[\]<>#~|$:]|(?<![^\W_])_|_(?![^\W_]))")  # not the `_` inside a word, which is plain text


def main(folder: Path) -> None:
    """Show the page of a deployment."""
    st.set_page_config(page_title=f"{folder.name} · mlrunner")
    st.title(escape_markdown(folder.name))
    with errors_shown():
        service = find_service(DeploymentStore(folder))
        facts, schema = service.facts(), service.schema()
        form, classes = make_fields(schema), [str(label) for label in schema.get("classes", [])]
        target = str(facts.get("target") or "prediction")
        st.write(escape_markdown(f"Version {facts.get('version')} predicts {target} (model {facts.get('model')})."))
        row_tab, file_tab = st.tabs(["One row", "CSV file"])
        with row_tab:
            predict_form(service, form, target, classes)
        with file_tab:
            predict_file(service, form, classes)


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show an error of the service as a sentence."""
    try:
        yield
    except ServiceError as error:
        st.error(escape_markdown(str(error)))


def escape_markdown(text: str) -> str:
    """Escape what Streamlit reads as Markdown."""
    return MARKDOWN.sub(r"\\\1", text)


def predict_form(service: Service, form: Sequence[Field], target: str, classes: Sequence[str]) -> None:
    """Show the form, and the answer to what it holds, with the probability of each class."""
    with st.form("row", border=False):
        st.caption("The model needs the columns with a star. An empty field is a missing value.")
        optional = [field for field in form if not field.required]
        entries = show_fields([field for field in form if field.required])
        if optional:
            with st.expander(f"{len(optional)} optional columns", expanded=not entries):
                entries += show_fields(optional)
        is_submitted = st.form_submit_button("Predict", type="primary")
    if is_submitted:
        with errors_shown():
            row = make_row(entries)
            (prediction,), model = service.predict_row(row)
            show_answer(prediction, model, target)
            if classes:
                (probabilities,), _ = service.predict_row(row, probabilities=True)
                show_probabilities(classes, probabilities)


def show_fields(form: Sequence[Field]) -> list[tuple[Field, Any]]:
    """Show fields side by side, row by row, so that a phone shows them in the same order; return what they hold."""
    entries = []
    for start in range(0, len(form), COLUMNS):
        for place, field in zip(st.columns(COLUMNS), form[start : start + COLUMNS], strict=False):
            with place:
                entries.append((field, show_field(field)))
    return entries


def show_field(field: Field) -> Any:
    """Show a field, and return what it holds."""
    label, key = escape_markdown(field.name) + (" *" if field.required else ""), repr(field)
    st.session_state.setdefault(key, field.initial)  # a default value could not be emptied
    if field.widget == "number":
        return st.number_input(label, value=None, format="%g", step=1.0, key=key, placeholder=EMPTY)
    if field.options:
        return st.selectbox(label, field.options, index=None, key=key, placeholder=EMPTY)
    if field.widget == "date":
        limits = min(EARLIEST, field.initial or EARLIEST), max(LATEST, field.initial or LATEST)
        return st.date_input(label, NO_DAY, *limits, key=key, format="YYYY-MM-DD")
    return st.text_input(label, value=None, key=key, placeholder=EMPTY)


def show_answer(prediction: Any, model: str, target: str) -> None:
    """Show the prediction of one row: in short, and exactly."""
    short = f"{prediction:.4g}" if isinstance(prediction, float) else str(prediction)
    st.metric(escape_markdown(target), "-" if prediction is None else escape_markdown(short))
    exact = "The model gives no number for this row" if prediction is None else f"Exactly {prediction}"
    st.caption(escape_markdown(f"{exact}, says {model}."))


def show_probabilities(classes: Sequence[str], probabilities: Sequence[float]) -> None:
    """Show the probability of each class, the greatest first."""
    table = pd.DataFrame({"class": classes, "probability": probabilities})
    bar = st.column_config.ProgressColumn(min_value=0, max_value=1, format="%.4f")
    table = table.sort_values("probability", ascending=False, kind="stable")
    st.dataframe(table, hide_index=True, column_config={"probability": bar})


def predict_file(service: Service, form: Sequence[Field], classes: Sequence[str]) -> None:
    """Take a CSV file, and show and offer its predictions, with a column of probabilities for each class."""
    st.write(
        escape_markdown(
            f"The first line names the columns: {', '.join(field.name for field in form if field.required)}."
        )
    )
    file = st.file_uploader("CSV file", type="csv")
    if file is None or not st.button("Predict all rows", type="primary"):
        return
    with errors_shown():
        table = read_csv(file.getvalue())
        body = table.to_csv(index=False).encode()
        predictions, model = service.predict_csv(body)
        answers = pd.DataFrame({"prediction": predictions})
        if classes:
            rows, _ = service.predict_csv(body, probabilities=True)
            answers[[f"probability_{label}" for label in classes]] = rows
        table = pd.concat([answers, table.drop(columns=list(answers), errors="ignore")], axis=1)
        st.dataframe(table.head(PREVIEW_ROWS), hide_index=True)
        target = f"{Path(file.name).stem}_predictions.csv"
        st.caption(escape_markdown(f"{len(table):,} predictions of {model}; the page shows {PREVIEW_ROWS:,} at most."))
        st.download_button("Download the predictions", table.to_csv(index=False), target, "text/csv", on_click="ignore")


def read_csv(data: bytes) -> pd.DataFrame:
    """Read a CSV file in UTF-8, separated by commas, semicolons or tabs, as texts.

    Raises:
        ServiceError: When it is not such a file, or has no row.
    """
    try:
        first = data.decode("utf-8-sig").partition("\n")[0]
        separator = max(",;\t", key=first.count)
        table = pd.read_csv(io.BytesIO(data), sep=separator, dtype=str, keep_default_na=False)
    except ValueError as error:  # the class of pandas' and Unicode's errors
        raise ServiceError(f"The file is not CSV in UTF-8 ({str(error).strip()}).") from error
    if table.empty:
        raise ServiceError("The file holds no row; its first line names the columns, each line after it is a row.")
    if not isinstance(table.index, pd.RangeIndex):  # pandas takes surplus values for an index
        raise ServiceError("The rows of the file hold more values than its first line names columns.")
    return table


if __name__ == "__main__":
    main(Path(sys.argv[1]))
