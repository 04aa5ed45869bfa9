"""The page itself, which Streamlit runs from top to bottom after every click."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import streamlit as st

from mlrunner.deployer.ledger import Ledger
from mlrunner.playground import look, page_file, page_form, served, snippets, words
from mlrunner.playground.launch import FOLDER
from mlrunner.playground.service import AskError


def main() -> None:
    """Show the page of a deployment."""
    ledger = Ledger(Path(os.environ[FOLDER]))
    st.set_page_config(page_title=f"{ledger.name} · mlrunner", layout="wide")
    st.html(look.STYLE)
    try:
        found = served.ask(ledger)
    except AskError as error:
        page_form.keep()
        st.error(words.plain(error))
        st.button("Ask again")
    else:
        show(found)


def show(found: served.Served) -> None:
    """Show what serves, and the three ways to ask it."""
    st.html(look.head(found.facts, found.since))
    one, many, request = st.tabs(["One row", "Many rows", "As a request"])
    with one:
        row = page_form.show(found)
    with many:
        page_file.show(found)
    with request:
        as_request(found.service.invocations, row)


def as_request(url: str, row: dict[str, Any]) -> None:
    """Show how a program asks for what the form asks for."""
    st.write("What the form asked for, or was last filled with, for a shell:")
    st.code(snippets.curl(url, row), language="bash", wrap_lines=True)
    st.write("The same in Python:")
    st.code(snippets.python(url, row), language="python", wrap_lines=True)
    st.write("A CSV file with many rows:")
    st.code(snippets.curl_csv(url), language="bash", wrap_lines=True)


if __name__ == "__main__":
    main()
