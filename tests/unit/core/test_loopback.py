"""Requests reach a server on this machine, and say what it answered or why it did not."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from mlrunner.core import loopback


class Echo(BaseHTTPRequestHandler):
    """Answers a POST with its body and media type; a GET with the status that its path names."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, json.dumps([body.decode(), self.headers["Content-Type"]]).encode())

    def do_GET(self) -> None:
        self._answer(int(self.path[1:]), b"not JSON")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Print nothing."""


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")  # a proxy that does not answer
    with HTTPServer((loopback.HOST, 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://{loopback.HOST}:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_body_is_posted_with_its_media_type(url: str) -> None:
    assert loopback.request_json(f"{url}/", b"{}") == (200, ["{}", "application/json"])
    response = loopback.request(f"{url}/", b"a,b", "text/csv")
    assert json.loads(response.body) == ["a,b", "text/csv"]


def test_a_refusal_is_an_answer(url: str) -> None:
    assert loopback.request_json(f"{url}/503") == (503, "not JSON")
    assert loopback.request(f"{url}/404").headers["Content-Length"] == "8"


def test_without_a_server_the_reason_is_returned() -> None:
    status, reason = loopback.request_json(f"http://{loopback.HOST}:{loopback.free_port()}/")
    assert (status, "refused" in reason) == (0, True)


def test_a_server_that_does_not_speak_http_is_an_os_error() -> None:
    def answer() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(1024)
            connection.sendall(b"220 mail\r\n")

    with socket.create_server((loopback.HOST, 0)) as server:
        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ConnectionError):
            loopback.request(f"http://{loopback.HOST}:{server.getsockname()[1]}/")
        thread.join()


def test_a_port_in_use_cannot_be_bound() -> None:
    with socket.create_server((loopback.HOST, 0)) as server:
        assert loopback.bind_error(loopback.HOST, server.getsockname()[1]) == "Address already in use"
    assert loopback.bind_error(loopback.HOST, loopback.free_port()) is None
