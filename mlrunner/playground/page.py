"""The page itself, which Streamlit runs from top to bottom after every click.

Nothing is kept of the service but its last predictions, each with the version that gave it: after a switch the next
click shows the new version.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import streamlit as st

from mlrunner.deployer.ledger import Ledger
from mlrunner.playground import look, snippets, table, words
from mlrunner.playground.fields import Field, examples, fields, record
from mlrunner.playground.launch import FOLDER
from mlrunner.playground.service import RefusedError, Service, SilentError

COLUMNS = 3
SHOWN = 1000  # rows of a table; the file to download holds all
NOTHING = "nothing"


@dataclass(frozen=True)
class Served:
    """What the service said of itself just now."""

    service: Service
    facts: dict[str, Any]
    form: list[Field]
    rows: list[dict[str, Any]]

    @property
    def version(self) -> str:
        """Of the model."""
        return str(self.facts.get("version"))


def main() -> None:
    """Show the page of a deployment."""
    ledger = Ledger(Path(os.environ[FOLDER]))
    st.set_page_config(page_title=f"{ledger.name} · mlrunner", layout="wide")
    st.html(look.STYLE)
    state = ledger.state()
    if state is None or state.serves is None:
        return complain(words.stopped(ledger.name))
    service = Service(state.url)
    try:
        facts, schema = service.facts(), service.schema()
    except SilentError:
        return complain(words.silent(ledger.name, state.url))
    except RefusedError as error:
        return complain(words.plain(error))
    st.html(look.head(facts, state.since))
    served = Served(service, facts, fields(schema), examples(schema))
    one, many, request = st.tabs(["One row", "Many rows", "As a request"])
    with one:
        row = one_row(served, ledger.name)
    with many:
        many_rows(served, ledger.name)
    with request:
        as_request(service.invocations, row)


def complain(sentence: str) -> None:
    """Show what is wrong, and nothing else."""
    st.error(sentence)
    st.button("Ask again")


def one_row(served: Served, name: str) -> dict[str, Any]:
    """Show the form and its prediction.

    Returns:
        The row that the form holds.
    """
    choices = [*map(str, range(1, len(served.rows) + 1)), NOTHING]
    st.pills(
        "Fill the form with example", choices, default="1", key="example", on_change=fill, args=(served.form, served.rows)
    )
    restore(served)
    with st.form("form", border=False):
        left, right = st.columns([3, 1], gap="large")
        with left:
            show_fields(served.form)
        with right, st.container(key="answer"):
            pressed = st.form_submit_button("Predict", type="primary", width="stretch")
            place = st.container()
    row = record(served.form, st.session_state)
    st.session_state["kept"] = {field.key: st.session_state[field.key] for field in served.form}
    with place:
        if pressed:
            ask(served, name, row)
        show_answer(served, row)
    return row


def fill(form: Sequence[Field], rows: Sequence[Mapping[str, Any]]) -> None:
    """Fill the form with the example that was chosen."""
    chosen = st.session_state["example"]
    if chosen is None:
        return
    row = {} if chosen == NOTHING else rows[int(chosen) - 1]
    for field in form:
        st.session_state[field.key] = field.shown(row.get(field.name))


def restore(served: Served) -> None:
    """Give each field its value; Streamlit forgets those that were not shown while the service did not answer."""
    kept = st.session_state.get("kept", {})
    first = served.rows[0] if served.rows else {}
    for field in served.form:
        found = st.session_state.get(field.key, kept.get(field.key, field.shown(first.get(field.name))))
        gone = field.widget == "choice" and found not in field.options
        st.session_state[field.key] = None if gone else found


def show_fields(form: Sequence[Field]) -> None:
    """Lay the fields out, those that the model needs first."""
    needed = [field for field in form if field.required]
    spare = [field for field in form if not field.required]
    st.caption("The model needs the columns with a star. An empty field is a missing value.")
    grid(needed)
    if spare:
        with st.expander(f"{len(spare)} more columns, which the model can do without", expanded=not needed):
            grid(spare)


def grid(form: Sequence[Field]) -> None:
    """Lay fields out row by row, so that a phone shows them in the same order."""
    for start in range(0, len(form), COLUMNS):
        for place, field in zip(st.columns(COLUMNS), form[start : start + COLUMNS], strict=False):
            with place:
                show(field)


def show(field: Field) -> None:
    """Show a field; its value is in the session already."""
    label, key = words.plain(field.name) + (" *" if field.required else ""), field.key
    if field.widget == "number":
        st.number_input(label, value=None, step=field.step, format="%g", key=key, placeholder=field.hint)
    elif field.widget == "choice":
        st.selectbox(label, field.options, index=None, key=key, placeholder=field.hint)
    elif field.widget == "date":
        day: date | None = None
        st.date_input(label, day, field.earliest, field.latest, key=key, format="YYYY-MM-DD")
    elif field.widget == "truth":
        st.segmented_control(label, field.options, key=key)
    elif field.widget == "long":
        st.text_area(label, value=None, key=key, placeholder=field.hint)
    else:
        st.text_input(label, value=None, key=key, placeholder=field.hint)


def ask(served: Served, name: str, row: dict[str, Any]) -> None:
    """Ask for the prediction of a row, and keep it with the row and the version that it is of."""
    try:
        found = served.service.predict(row)
    except SilentError:
        st.session_state["answer"] = row, served.version, words.silent(name, served.service.url), None
    except RefusedError as error:
        told = words.plain(table.placed(str(error), ["the form"]))
        st.session_state["answer"] = row, served.version, told, None
    else:
        st.session_state["answer"] = row, found.version, None, found.predictions[0]
        if found.version != served.version:  # switched since this run of the page began
            st.rerun()


def show_answer(served: Served, row: dict[str, Any]) -> None:
    """Show the last answer, unless it is of another row or of another version."""
    asked, version, problem, prediction = st.session_state.get("answer", (None, served.version, None, None))
    if asked is not None and version != served.version:
        st.html(look.waiting(f"Version {served.version} serves now; press Predict to ask it."))
    elif asked != row:
        st.html(look.waiting("Press Predict to see what the model says of these values."))
    elif problem is not None:
        st.error(problem)
    else:
        st.html(look.answer(served.facts, prediction))


def many_rows(served: Served, name: str) -> None:
    """Predict a file."""
    st.write("Choose a CSV file whose first line names the columns. Columns that the model does not know are ignored.")
    sample = table.example(served.rows)
    st.download_button("Download an example file", sample, f"{name}.csv", "text/csv", on_click="ignore")
    file = st.file_uploader("CSV file", type="csv")
    if file is None:
        return
    try:
        given = table.read(file.getvalue())
        if st.button(f"Predict {len(given.rows):,} rows", type="primary"):
            bar = st.progress(0.0)
            found = table.predict(served.service, given, bar.progress)
            bar.empty()
            st.session_state["table"] = file.file_id, served.version, found
    except RefusedError as error:
        st.error(words.plain(error))
    except SilentError:
        st.error(words.silent(name, served.service.url))
    else:
        show_table(served, given, file)


def show_table(served: Served, given: table.Table, file: Any) -> None:
    """Show the predictions of a file, if they are of this file and this version."""
    of, version, found = st.session_state.get("table", (None, None, None))
    if (of, version) != (file.file_id, served.version):
        return
    header, rows = table.with_predictions(given, found)
    st.dataframe({name: [row[at] for row in rows[:SHOWN]] for at, name in enumerate(header)}, hide_index=True)
    if len(rows) > SHOWN:
        st.caption(f"The first {SHOWN:,} of {len(rows):,} rows; the file holds all.")
    target = f"{Path(file.name).stem}_predictions.csv"
    data = table.write(header, rows)
    st.download_button("Download the predictions", data, target, "text/csv", on_click="ignore", type="primary")


def as_request(url: str, row: dict[str, Any]) -> None:
    """Show how a program asks for what the form asks for."""
    st.write("The form as it was when Predict was last pressed, for a shell:")
    st.code(snippets.curl(url, row), language="bash", wrap_lines=True)
    st.write("The same in Python:")
    st.code(snippets.python(url, row), language="python", wrap_lines=True)
    st.write("A CSV file with many rows:")
    st.code(snippets.curl_csv(url), language="bash", wrap_lines=True)


if __name__ == "__main__":
    main()
