"""The dashboard answers this machine's browser alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from wsgiref.simple_server import WSGIRequestHandler, make_server

import optuna
import pytest

from mlrunner.cli.ui.dashboard_server import ThreadedServer, refuse_foreign_hosts

optuna_dashboard = pytest.importorskip("optuna_dashboard", reason="optuna-dashboard is not installed")


class Quiet(WSGIRequestHandler):
    def log_message(self, *arguments: object) -> None: ...


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    storage = optuna.storages.InMemoryStorage()
    optuna.create_study(storage=storage, study_name="houses")
    hosts: set[str] = set()
    app = refuse_foreign_hosts(optuna_dashboard.wsgi(storage), hosts)
    with make_server("127.0.0.1", 0, app, server_class=ThreadedServer, handler_class=Quiet) as server:
        hosts |= {f"127.0.0.1:{server.server_port}", f"localhost:{server.server_port}"}
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def request(port: int, method: str, path: str, **headers: str) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_its_own_names_are_answered(port: int, name: str) -> None:
    assert request(port, "GET", "/api/studies", Host=f"{name}:{port}") == 200
    assert request(port, "GET", "/api/studies", Host=f"{name}:{port}", Origin=f"http://{name}:{port}") == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:{port}"},
        {"Host": "127.0.0.1"},
        {"Host": ""},
        {"Host": "127.0.0.1:{port}", "Origin": "http://evil.example"},
        {"Host": "127.0.0.1:{port}", "Origin": "https://127.0.0.1:{port}"},
        {"Host": "127.0.0.1:{port}", "Origin": "null"},
    ],
    ids=str,
)
def test_a_page_of_another_host_deletes_nothing(port: int, headers: dict[str, str]) -> None:
    named = {name: text.format(port=port) for name, text in headers.items()}
    assert request(port, "GET", "/api/studies", **named) == 403
    assert request(port, "DELETE", "/api/studies/0", **named) == 403
    assert request(port, "GET", "/api/studies/0", Host=f"127.0.0.1:{port}") == 200
