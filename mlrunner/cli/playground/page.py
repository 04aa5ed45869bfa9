"""The page itself, which Streamlit runs from top to bottom after every click."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import streamlit as st

from mlrunner.cli.playground import code_samples, html, launch, page_form, table, text
from mlrunner.cli.playground.launch import FOLDER, Served
from mlrunner.cli.playground.service import AskError
from mlrunner.groups.deployer.state import Ledger


def main() -> None:
    """Show the page of a deployment."""
    ledger = Ledger(Path(os.environ[FOLDER]))
    st.set_page_config(page_title=f"{ledger.name} · mlrunner", layout="wide")
    st.html(html.STYLE)
    try:
        found = launch.ask(ledger)
    except AskError as error:
        page_form.keep()
        st.error(text.plain(error))
        st.button("Ask again")
    else:
        show(found)


def show(found: launch.Served) -> None:
    """Show what serves, and the three ways to ask it."""
    st.html(html.head(found.facts, found.since))
    one, many, request = st.tabs(["One row", "Many rows", "As a request"])
    with one:
        row = page_form.show(found)
    with many:
        show_table(found)
    with request:
        as_request(found.service.invocations, row)


def as_request(url: str, row: dict[str, Any]) -> None:
    """Show how a program asks for what the form asks for."""
    st.write("What the form asked for, or was last filled with, for a shell:")
    st.code(code_samples.curl(url, row), language="bash", wrap_lines=True)
    st.write("The same in Python:")
    st.code(code_samples.python(url, row), language="python", wrap_lines=True)
    st.write("A CSV file with many rows:")
    st.code(code_samples.curl_csv(url), language="bash", wrap_lines=True)


if __name__ == "__main__":
    main()


SHOWN = 1000  # rows on the page; the file to download holds all
ANSWERS = "answers"  # key of the session: the last predictions, with the file and the version that they are of
CSV = "text/csv"


def show_table(served: Served) -> None:
    """Take a file, and show its predictions."""
    st.write("Choose a CSV file whose first line names the columns; columns that the model does not know are ignored.")
    if served.rows:
        sample = table.example(served.rows)
        st.download_button("Download an example file", sample, f"{served.service.name}.csv", CSV, on_click="ignore")
    file = st.file_uploader("CSV file", type="csv")
    if file is None:
        return
    try:
        given = table.read(file.getvalue())
        if st.button(f"Predict {len(given.rows):,} rows", type="primary"):
            st.session_state[ANSWERS] = file.file_id, served.version, predicted(served, given)
    except AskError as error:
        st.error(text.plain(error))
    else:
        show_answers(served, given, file)


def predicted(served: Served, given: table.Table) -> list[Any]:
    """Predict every row, and show how far it is."""
    bar = st.progress(0.0)
    try:
        return table.predict(served.service, given, bar.progress)
    finally:
        bar.empty()


def show_answers(served: Served, given: table.Table, file: Any) -> None:
    """Show the predictions, if they are of this file and this version."""
    of, version, found = st.session_state.get(ANSWERS, (None, None, None))
    if (of, version) != (file.file_id, served.version):
        return
    header, rows = table.with_predictions(given, found)
    st.dataframe({name: [row[at] for row in rows[:SHOWN]] for at, name in enumerate(header)}, hide_index=True)
    if len(rows) > SHOWN:
        st.caption(f"The first {SHOWN:,} of {len(rows):,} rows; the file to download holds all.")
    target, data = f"{Path(file.name).stem}_predictions.csv", table.write(header, rows)
    st.download_button("Download the predictions", data, target, CSV, on_click="ignore", type="primary")
