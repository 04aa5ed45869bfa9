"""The gateway over real connections: forwarding, switching and restarting."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from mlrunner.core.loopback import free_port
from mlrunner.serving.gateway import Gateway
from mlrunner.serving.health_check import HealthCheck
from mlrunner.serving.limits import Limits
from mlrunner.serving.model import load_release
from mlrunner.serving.server import ModelServer
from tests.support import serving_release as releases
from tests.support.front_door import PROJECT
from tests.support.gateways import TOKEN, Backend, Flaky, is_listening, run_gateway, write_state
from tests.support.http_client import Client, send_raw, serve, wait_until, write_request
from tests.support.serving_release import Saved

JSON = "Content-Type: application/json"
EXIT_SECONDS = 5.0  # a process exits in about one


@pytest.fixture
def client(tmp_path: Path, backend: tuple[Backend, int]) -> Iterator[Client]:
    """Connect to a gateway in front of the backend, whose list of requests is empty."""
    backend[0].requests.clear()
    write_state(tmp_path, backend[1])
    with run_gateway(tmp_path) as port, Client(port) as connection:
        yield connection


# --- forwarding ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/a/b?c=d&e=%20%26+x&c="), ("POST", "/invocations"), ("PUT", "/%C3%A9?%C3%A9=1"), ("DELETE", "/x")],
)
def test_method_path_and_query_are_forwarded(client: Client, method: str, path: str) -> None:
    content = client.send(method, path, b"body" if method in ("POST", "PUT", "PATCH") else None).json
    assert content["request"] == f"{method} {path}"
    assert content["body"] == ("body" if method in ("POST", "PUT", "PATCH") else "")


def test_body_content_type_and_accept_are_forwarded_and_no_other_header(client: Client) -> None:
    body = bytes(range(256)) * 100
    sent = {
        "Content_Type": "text/csv; charset=x",
        "Accept": "a/b",
        "Cookie": "a=b",
        "X_Forwarded_For": "me",
        "Host": "localhost",
    }
    content = client.send("POST", "/invocations", body, **sent).json
    assert content["body"] == body.decode("latin-1")
    assert (content["headers"]["content-type"], content["headers"]["accept"]) == ("text/csv; charset=x", "a/b")
    assert {"cookie", "x-forwarded-for"} & set(content["headers"]) == set()
    assert content["headers"]["host"].startswith("127.0.0.1:")


@pytest.mark.parametrize("status", [200, 302, 404, 500])
def test_status_and_headers_are_returned(client: Client, status: int) -> None:
    answer = client.get(f"/status/{status}")
    assert (answer.status, answer.json["server"]) == (status, "one")  # a redirect is returned, not followed
    assert answer.headers["X-Model"] == "houses/one"
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert (answer.headers["Allow"], answer.headers["Retry-After"]) == ("POST", "7")
    assert "X-Inner" not in answer.headers


def test_head_has_no_body(client: Client, backend: tuple[Backend, int]) -> None:
    answer = client.send("HEAD", "/invocations")
    assert (answer.status, answer.body, backend[0].requests) == (200, b"", ["HEAD /invocations"])
    assert client.get("/version").status == 200  # on the same connection


def test_a_large_response_is_returned_whole(client: Client) -> None:
    assert client.get("/big").body == b"x" * 20_000_000


def test_an_encoded_body_is_forwarded_as_it_is(client: Client) -> None:
    """Inflating it is the work of the server, beside its loop: a megabyte may become a gigabyte."""
    sent = gzip.compress(b" " * 20_000_000)
    content = client.send("POST", "/invocations", sent, Content_Encoding="gzip").json
    assert (content["body"], content["headers"].get("content-encoding")) == (sent.decode("latin-1"), "gzip")


BROKEN = {
    "too large": (413, write_request(b" " * 1_100_000, JSON)),
    "no chunks": (400, write_request(b"zz\r\n", JSON, "Transfer-Encoding: chunked")),
    "star": (404, write_request(b"", method="OPTIONS", path="*")),
    "tunnel": (404, write_request(b"", method="CONNECT", path="127.0.0.1:1")),
    "long path": (400, write_request(b"", path="/" + "a" * 20_000, method="GET")),
    "another protocol": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
}


@pytest.mark.parametrize(("expected", "sent"), BROKEN.values(), ids=BROKEN)
def test_invalid_requests_are_not_forwarded(
    client: Client, backend: tuple[Backend, int], expected: int, sent: bytes
) -> None:
    assert send_raw(client.port, sent).split(b" ", 2)[1] == str(expected).encode()
    assert backend[0].requests == []


def test_absolute_addresses_are_not_contacted(client: Client, backend: tuple[Backend, int]) -> None:
    other = Backend("other")
    with serve(other.application) as port:
        for path in (f"http://127.0.0.1:{port}/x", f"http://a@b:c@127.0.0.1:{port}/x", f"//127.0.0.1:{port}/x"):
            assert int(send_raw(client.port, write_request(b"", method="GET", path=path)).split(b" ", 2)[1]) < 500
            send_raw(
                client.port,
                write_request(b"", method="GET", path="/x", last=True).replace(
                    b"localhost", f"127.0.0.1:{port}".encode()
                ),
            )
    assert other.requests == []
    assert "GET /x" in backend[0].requests


def test_a_body_beyond_the_limit_is_rejected(client: Client) -> None:
    answer = client.post(b" " * 1_100_000)
    assert (answer.status, answer.json["error_code"]) == (413, "REQUEST_TOO_LARGE")
    assert answer.message == "The body is larger than 1 MB; send fewer rows at a time."


def test_a_client_that_disconnects_is_not_logged(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_connection(("127.0.0.1", client.port), timeout=10) as gone:
        gone.sendall(write_request(b"x" * 100, JSON)[:-50])
    metrics = wait_until(
        lambda: now if (now := client.read_metrics()).get("mlrunner_gateway_request_seconds_count") else None
    )
    assert metrics["mlrunner_gateway_requests_total/400/1"] == 1
    assert metrics["mlrunner_gateway_requests_in_flight"] == 0
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_foreign_hosts_and_pages_are_refused(client: Client, backend: tuple[Backend, int]) -> None:
    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
        answer = client.send("POST", "/invocations", b"{}", **headers)
        assert (answer.status, answer.json["error_code"]) == (403, "PERMISSION_DENIED")
        assert "deployer.allowed_hosts" in answer.message
    assert backend[0].requests == []


# --- switching ----------------------------------------------------------------------------------------------


def test_after_a_switch_the_next_request_goes_to_the_new_server(tmp_path: Path, backend: tuple[Backend, int]) -> None:
    other = Backend("two")
    write_state(tmp_path, backend[1])
    with serve(other.application) as port, run_gateway(tmp_path) as stable, Client(stable) as client:
        for turn in range(20):
            assert client.get("/x").json["server"] == ("two" if turn % 2 else "one")
            write_state(tmp_path, backend[1] if turn % 2 else port, turn)
        assert client.get("/x").json["server"] == "one"
        assert client.read_metrics()["mlrunner_gateway_switches_total"] == 20


def test_a_state_with_the_same_time_is_read_again(tmp_path: Path, backend: tuple[Backend, int]) -> None:
    def write_at_fixed_time(port: int) -> None:
        write_state(tmp_path, port)
        os.utime(tmp_path / "state.json", ns=(10**18, 10**18))

    other = Backend("two")
    write_at_fixed_time(backend[1])
    with serve(other.application) as port, run_gateway(tmp_path) as stable, Client(stable) as client:
        assert client.get("/x").json["server"] == "one"
        write_at_fixed_time(port)
        assert client.get("/x").json["server"] == "two"


INVALID_STATES = [
    b'{"active": {"url": "http://127.',
    b"",
    b'{"active": null, "timeout": 5, "restart": []}',
    b'{"timeout": 5, "restart": []}',
    b'{"active": {"url": "http://127.0.0.1:1", "version": 1}, "timeout": null, "restart": []}',
    b"[]",
    b"\xff\xfe",
]


def test_an_invalid_or_absent_state_changes_nothing(tmp_path: Path, client: Client) -> None:
    assert client.get("/x").json["server"] == "one"
    for text in INVALID_STATES:
        (tmp_path / "state.json").write_bytes(text)
        assert client.get("/x").json["server"] == "one"
    (tmp_path / "state.json").unlink()
    for _ in range(3):
        assert client.get("/x").json["server"] == "one"
    assert client.read_metrics()["backend_up/one"] == 1
    other = Backend("two")
    with serve(other.application) as port:
        write_state(tmp_path, port, 2)
        assert client.get("/x").json["server"] == "two"


@pytest.fixture(scope="module")
def versions(base: Path) -> list[Saved]:
    return [releases.save_regression(base, version) for version in (1, 40)]


def test_no_request_fails_during_switches_under_load(tmp_path: Path, versions: list[Saved]) -> None:
    rows = releases.make_rows(5)
    expected = {f"houses/{saved.release.version}": saved.predict(rows) for saved in versions}
    responses: list[tuple[int, str]] = []
    stop = threading.Event()

    async def send_requests(session: aiohttp.ClientSession, url: str) -> None:
        while not stop.is_set():
            async with session.post(url, json={"dataframe_records": rows}) as answer:
                model, content = answer.headers.get("X-Model", ""), await answer.json()
                responses.append((answer.status, model))
                assert content == {"predictions": pytest.approx(expected[model], rel=1e-9)}

    async def run_clients(port: int) -> None:
        async with aiohttp.ClientSession() as session:
            await asyncio.gather(*(send_requests(session, f"http://127.0.0.1:{port}/invocations") for _ in range(6)))

    with ExitStack() as stack:
        ports = []
        for saved in versions:
            model = load_release(saved.release.folder)
            ports.append(stack.enter_context(serve(ModelServer(model, TOKEN, Limits()).application)))
        write_state(tmp_path, ports[0])
        stable = stack.enter_context(run_gateway(tmp_path))
        thread = threading.Thread(target=lambda: asyncio.run(run_clients(stable)))
        thread.start()
        try:
            for turn in range(1, 13):
                before = len(responses)
                wait_until(lambda: len(responses) > before + 10)  # noqa: B023
                write_state(tmp_path, ports[turn % 2], turn)
        finally:
            stop.set()
            thread.join(30)
        with Client(stable) as client:
            assert client.get("/version").status == 200
            metrics = client.read_metrics()
    assert {status for status, _ in responses} == {200}
    assert {model for _, model in responses} == set(expected)
    assert metrics["mlrunner_gateway_switches_total"] == 12
    answers = sum(value for name, value in metrics.items() if name.startswith("mlrunner_gateway_requests_total/200/"))
    assert answers == len(responses)


# --- a server that does not answer ----------------------------------------------------------------------------------


def test_a_request_is_retried_only_once(tmp_path: Path) -> None:
    with Flaky([1, 0, 5]) as server:
        write_state(tmp_path, server.port)
        with run_gateway(tmp_path) as port, Client(port) as client:
            assert client.post(b"{}").body == b"ok"
            failed = client.post(b"{}")  # the open connection closes, and the new one as well
            assert failed.status == 503
            assert client.post(b"{}").body == b"ok"
            assert server.connections == 3
            assert failed.headers["Retry-After"]


def test_a_request_is_retried_on_a_new_connection(tmp_path: Path) -> None:
    with Flaky([0, 1, 0, 1, 0, 1], announces=True) as server:
        write_state(tmp_path, server.port)
        with run_gateway(tmp_path) as port, Client(port) as client:
            assert [client.post(b"{}").status for _ in range(3)] == [200] * 3
            assert server.connections == 6


@pytest.mark.parametrize("path", ["/invocations", "/metrics"])
def test_an_unknown_expectation_is_refused_in_json(tmp_path: Path, backend: tuple[Backend, int], path: str) -> None:
    write_state(tmp_path, backend[1])
    with run_gateway(tmp_path) as port, Client(port) as client:
        answer = client.send("GET", path, Expect="more")
        assert (answer.status, answer.message) == (417, "Expect: 'more' is not met; leave it out.")


def test_an_unreachable_server_is_a_503_with_retry_after(tmp_path: Path) -> None:
    write_state(tmp_path, free_port(), version=7)
    with run_gateway(tmp_path) as port, Client(port) as client:
        for answer in (client.post(b"{}"), client.get("/ping"), client.get("/version")):
            assert (answer.status, answer.json["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
            assert answer.message == "Version 7 does not answer; it is being restarted, try again in a few seconds."
            assert int(answer.headers["Retry-After"]) > 0
        assert client.read_metrics()["mlrunner_gateway_requests_total/503/7"] == 1


def test_a_response_beyond_the_time_limit_is_a_504(tmp_path: Path, backend: tuple[Backend, int]) -> None:
    write_state(tmp_path, backend[1], timeout=0.1)
    with run_gateway(tmp_path) as port, Client(port) as client:
        answer = client.get("/wait")
        assert (answer.status, answer.json["error_code"]) == (504, "DEADLINE_EXCEEDED")
        assert answer.message == "No answer within 0.1 s; send fewer rows at a time."
        assert client.get("/x").status == 200


def test_metrics_are_those_of_gateway_and_server(client: Client) -> None:
    client.post(b"{}")
    client.get("/version")
    metrics = client.read_metrics()
    assert metrics["backend_up/one"] == 1
    assert metrics["mlrunner_gateway_requests_total/200/1"] == metrics["mlrunner_gateway_request_seconds_count"] == 1
    assert client.get("/metrics").headers["Content-Type"].startswith("text/plain; version=0.0.4")


def test_metrics_of_a_model_server_follow_those_of_the_gateway(tmp_path: Path, versions: list[Saved]) -> None:
    model = load_release(versions[0].release.folder)
    with serve(ModelServer(model, TOKEN, Limits()).application) as server:
        write_state(tmp_path, server)
        with run_gateway(tmp_path) as port, Client(port) as client:
            client.predict(releases.make_rows(3))
            metrics = client.read_metrics()
    assert metrics["mlrunner_rows_total"] == 3
    assert metrics["mlrunner_requests_total/200"] == metrics["mlrunner_gateway_requests_total/200/1"] == 1


@pytest.mark.parametrize("kind", ["unreachable", "silent", "without metrics"])
def test_metrics_of_the_gateway_need_no_server(tmp_path: Path, kind: str) -> None:
    health_check = HealthCheck(interval=3600.0, timeout=0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, ExitStack() as stack:
        port = {"unreachable": free_port(), "silent": silent.getsockname()[1]}.get(kind, 0)
        write_state(tmp_path, port or stack.enter_context(serve(web.Application)))
        client = stack.enter_context(Client(stack.enter_context(run_gateway(tmp_path, health_check))))
        assert all(name.startswith("mlrunner_gateway_") for name in client.read_metrics())


# --- as a process -------------------------------------------------------------------------------------------


@contextmanager
def start_gateway(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "mlrunner.serving.gateway_supervisor", str(folder)]
    process = subprocess.Popen(command, cwd=PROJECT, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=20)


def test_sigterm_lets_requests_in_flight_finish(tmp_path: Path) -> None:
    slow, stable = Backend(), free_port()
    statuses: list[int] = []

    def send_request() -> None:
        with Client(stable) as client:
            statuses.append(client.get("/wait").status)

    with serve(slow.application) as port:
        write_state(tmp_path, port)
        state = json.loads((tmp_path / "state.json").read_text())
        (tmp_path / "state.json").write_text(json.dumps({**state, "port": stable}))
        with start_gateway(tmp_path) as process:
            wait_until(lambda: is_listening(stable), 60)
            with Client(stable) as idle:
                assert idle.get("/x").json["server"] == "one"
                thread = threading.Thread(target=send_request)
                thread.start()
                wait_until(lambda: "GET /wait" in slow.requests)
                process.send_signal(signal.SIGTERM)
                wait_until(lambda: not is_listening(stable))
                assert process.poll() is None
                start = time.monotonic()
                slow.free.set()
                assert process.wait(20) == 0
                assert time.monotonic() - start < EXIT_SECONDS
            thread.join(20)
            assert process.stderr is not None
            assert process.stderr.read() == ""
    assert statuses == [200]


@pytest.mark.parametrize("text", [None, "{"], ids=["absent", "broken"])
def test_a_gateway_needs_a_valid_state(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "state.json").write_text(text)
    with pytest.raises((OSError, ValueError)):
        Gateway(tmp_path)
