"""Addresses of MLflow's pages, and a dashboard that is missing."""

from __future__ import annotations

import pytest

from mlrunner.cli import ui
from mlrunner.composition.stores import open_store
from mlrunner.core import loopback
from mlrunner.tracking.records import lookup
from tests.support.cli_home import RUN, CliHome
from tests.support.http_server import answering


@pytest.mark.parametrize(
    ("text", "storage", "part"),
    [
        pytest.param("missing", None, "pip install -e .[dashboard]", id="not installed"),
        pytest.param(
            "fails", "nowhere://", "optuna-dashboard does not run: ", id="does not start", marks=pytest.mark.slow
        ),
    ],
)
def test_a_missing_dashboard_is_a_note(text: str, storage: str | None, part: str) -> None:
    study, notes = ui.studies.Study(text, storage or ""), list[tuple[str, str]]()
    with ui.dashboard(study if storage else None, loopback.free_port()) as server:
        assert (server is None) == (storage is None)
        ui.show_dashboard(study, server, lambda *note: notes.append(note))
    ((label, sentence),) = notes
    assert label == "note"
    assert part in sentence


def test_the_page_of_a_run_is_in_its_experiment(cli_home: CliHome) -> None:
    store = open_store(cli_home.path)
    run = lookup.find_by_id(store, cli_home.ids[RUN])
    with answering(200, b'{"run": {"info": {"experiment_id": "7"}}}') as url:
        assert ui.page_address(url, store, None) == f"{url}/#/experiments/7?workflowType=machine_learning"
        page = f"{url}/#/experiments/7/runs/{cli_home.ids[RUN]}?workflowType=machine_learning"
        assert ui.page_address(url, store, run) == page


def test_without_an_answer_the_address_is_that_of_the_server(cli_home: CliHome) -> None:
    url = f"http://127.0.0.1:{loopback.free_port()}"
    assert ui.page_address(url, open_store(cli_home.path), None) == url
