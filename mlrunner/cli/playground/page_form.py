"""The part of the page that predicts one row: the form and its answer.

What is kept between two clicks is the form and its last answer, with the row and the version that it is of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import streamlit as st

from mlrunner.cli.playground import html, table, text
from mlrunner.cli.playground.fields import Field, record
from mlrunner.cli.playground.launch import Served
from mlrunner.cli.playground.service import AskError

COLUMNS = 3
NOTHING = "nothing"
EXAMPLE, ANSWER, KEPT = "example", "answer", "kept"  # keys of the session
HELP = "The model needs the columns with a star. An empty field is a missing value."


def show(served: Served) -> dict[str, Any]:
    """Show the form and its prediction.

    Returns:
        The row that the form holds.
    """
    choose(served)
    restore(served)
    with st.form("form", border=False):
        left, right = st.columns([3, 1], gap="large")
        with left:
            show_fields(served.form)
        with right, st.container(key="answer-box"):
            pressed = st.form_submit_button("Predict", type="primary", width="stretch")
            place = st.container()
    shown = {field.key: st.session_state[field.key] for field in served.form}
    st.session_state[KEPT], row = shown, record(served.form, shown)
    if pressed:
        ask(served, row)
    with place:
        show_answer(served, row)
    return row


def keep() -> None:
    """Keep what the form holds while it is not shown, for Streamlit forgets it."""
    kept = st.session_state.get(KEPT, {})
    st.session_state[KEPT] = {key: st.session_state.get(key, value) for key, value in kept.items()}


def choose(served: Served) -> None:
    """Offer the rows of the input example to begin with."""
    choices = [*map(str, range(1, len(served.rows) + 1)), NOTHING]
    if st.session_state.get(EXAMPLE, "") not in (*choices, None):
        st.session_state[EXAMPLE] = choices[0]
    filled = served.form, served.rows
    st.pills("Fill the form with example", choices, key=EXAMPLE, on_change=fill, args=filled)


def fill(form: Sequence[Field], rows: Sequence[Mapping[str, Any]]) -> None:
    """Fill the form with what was chosen."""
    chosen = st.session_state[EXAMPLE]
    if chosen is None:
        return
    row = {} if chosen == NOTHING else rows[int(chosen) - 1]
    for field in form:
        st.session_state[field.key] = field.shown(row.get(field.name))


def restore(served: Served) -> None:
    """Give each field its value: what it holds, or held before the service fell silent, or that of the example."""
    kept = st.session_state.get(KEPT, {})
    first = served.rows[0] if served.rows else {}
    for field in served.form:
        found = st.session_state.get(field.key, kept.get(field.key, field.shown(first.get(field.name))))
        st.session_state[field.key] = found if field.can_show(found) else None


def show_fields(form: Sequence[Field]) -> None:
    """Lay the fields out, those that the model needs first."""
    needed = [field for field in form if field.required]
    spare = [field for field in form if not field.required]
    st.caption(HELP)
    grid(needed)
    if spare:
        with st.expander(f"{len(spare)} more columns, which the model can do without", expanded=not needed):
            grid(spare)


def grid(form: Sequence[Field]) -> None:
    """Lay fields out row by row, so that a phone shows them in the same order."""
    for start in range(0, len(form), COLUMNS):
        for place, field in zip(st.columns(COLUMNS), form[start : start + COLUMNS], strict=False):
            with place:
                show_field(field)


def show_field(field: Field) -> None:
    """Show a field; its value is in the session already."""
    label, key = text.plain(field.name) + (" *" if field.required else ""), field.key
    if field.widget == "number":
        st.number_input(label, value=None, step=field.step, format="%g", key=key, placeholder=field.hint)
    elif field.widget == "choice":
        st.selectbox(label, field.options, index=None, key=key, placeholder=field.hint)
    elif field.widget == "date":
        empty: date | None = None
        st.date_input(label, empty, field.earliest, field.latest, key=key, format="YYYY-MM-DD")
    elif field.widget == "truth":
        st.segmented_control(label, field.options, key=key)
    elif field.widget == "long":
        st.text_area(label, value=None, key=key, placeholder=field.hint)
    else:
        st.text_input(label, value=None, key=key, placeholder=field.hint)


def ask(served: Served, row: dict[str, Any]) -> None:
    """Ask for the prediction of a row, and keep the answer."""
    problem, prediction, version = None, None, served.version
    try:
        found = served.service.predict(row)
        prediction, version = found.predictions[0], found.version or version
    except AskError as error:
        problem = text.plain(table.placed(str(error), ["the form"]))
    st.session_state[ANSWER] = row, version, problem, prediction
    if version != served.version:  # it was switched since this run of the page began
        st.rerun()


def show_answer(served: Served, row: dict[str, Any]) -> None:
    """Show the last answer, unless it is of another row or of another version."""
    asked, version, problem, prediction = st.session_state.get(ANSWER, (None, served.version, None, None))
    if version != served.version:
        st.html(html.waiting(f"Version {served.version} serves now; press Predict to ask it."))
    elif asked != row:
        st.html(html.waiting("Press Predict to see what the model says of these values."))
    elif problem is not None:
        st.error(problem)
    else:
        st.html(html.answer(served.facts, prediction))
