"""The part of the page that predicts the rows of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from mlrunner.playground import table, words
from mlrunner.playground.served import Served
from mlrunner.playground.service import AskError

SHOWN = 1000  # rows on the page; the file to download holds all
ANSWERS = "answers"  # key of the session: the last predictions, with the file and the version that they are of
CSV = "text/csv"


def show(served: Served) -> None:
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
        st.error(words.plain(error))
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
