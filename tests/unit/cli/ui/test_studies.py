"""The study that optuna-dashboard shows."""

from __future__ import annotations

import pytest

from mlrunner.cli.ui.studies import Study, find_study
from mlrunner.composition.stores import open_store
from mlrunner.core import loopback
from mlrunner.tracking.records import lookup
from tests.support.cli_home import RUN, CliHome
from tests.support.http_server import answering


@pytest.mark.parametrize(
    ("body", "page"),
    [
        (b'{"study_summaries": [{"study_name": "a", "study_id": 0}, {"study_name": "b", "study_id": 3}]}', "studies/3"),
        (b'{"study_summaries": [{"study_name": "a", "study_id": 0}]}', ""),
        (b"<html>", ""),
    ],
    ids=["known", "unknown", "no JSON"],
)
def test_the_page_of_a_study_has_its_id(body: bytes, page: str) -> None:
    with answering(200, body) as url:
        assert Study("b", "journal").page(url) == f"{url}/dashboard/{page}"


def test_without_an_answer_the_page_lists_all_studies() -> None:
    url = f"http://127.0.0.1:{loopback.free_port()}"
    assert Study("b", "journal").page(url) == f"{url}/dashboard/"


@pytest.mark.parametrize("name", [RUN, "parent"])
def test_a_run_without_a_search_has_no_study(name: str, cli_home: CliHome) -> None:
    store = open_store(cli_home.path)
    assert find_study(store, lookup.find_by_id(store, cli_home.ids[name]), cli_home.path) is None
    assert find_study(store, None, cli_home.path) is None
