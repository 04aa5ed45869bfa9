"""Requests to a real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.cli.playground.client import Service, ServiceError, find_service
from mlrunner.core import loopback
from mlrunner.groups.deployer.state import DeploymentStore
from tests.support.http_server import answering
from tests.support.playground import COLUMNS, ROWS, Serving


def test_facts_and_schema(service: Service) -> None:
    assert service.facts()["target"] == "score"
    assert [column["name"] for column in service.schema()["columns"]] == [column.name for column in COLUMNS]


def test_a_row_is_predicted(service: Service) -> None:
    row = dict(zip([column.name for column in COLUMNS], ROWS[0], strict=True))
    assert service.predict_row({**row, "built": "2020-01-02"}) == ([2003.25], "houses/1")


def test_a_refusal_is_the_sentence_of_the_service(service: Service) -> None:
    with pytest.raises(ServiceError, match=r"^Columns town, built, sold_at, garden are missing, which"):
        service.predict_row({"rooms": 1})


def test_a_refusal_names_the_row_of_the_file(service: Service) -> None:
    body = b"rooms,town,built,sold_at,garden\n1,near,,,\nmany,near,,,\n"
    with pytest.raises(ServiceError, match=r"^Column 'rooms' holds numbers, but row 3 of the file has 'many'\.$"):
        service.predict_csv(body)


def test_a_deployment_that_never_served_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match=r"^houses has never served; deploy a run with deployer=local or deployer="):
        find_service(DeploymentStore(tmp_path / "houses"))


def test_silence_is_one_sentence_with_the_commands() -> None:
    message = r"^houses does not answer at http://.*; see mlrunner status, or .* mlrunner deploy --restart houses\.$"
    with pytest.raises(ServiceError, match=message):
        Service("houses", f"http://127.0.0.1:{loopback.free_port()}").facts()


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b""], ids=["html", "list", "nothing"])
def test_another_server_on_the_port_is_silence(body: bytes) -> None:
    with answering(200, body) as url, pytest.raises(ServiceError, match="does not answer"):
        Service("houses", url).facts()


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"{}"], ids=["html", "list", "no-message"])
def test_a_refusal_without_a_sentence_gets_one(body: bytes) -> None:
    with answering(502, body) as url, pytest.raises(ServiceError, match="status 502 and no reason"):
        Service("houses", url).facts()


def test_no_proxy_is_used(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert service.facts()["name"] == "houses"


def test_the_address_is_that_of_the_state(store: DeploymentStore, running: Serving) -> None:
    assert find_service(store) == Service("houses", f"http://127.0.0.1:{running.port}")
