"""The gateway, over real connections: it follows the state file, and whoever asks never sees a server come or go."""

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
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

from mlrunner.groups.deployer.release import Server
from mlrunner.groups.deployer.state import Ledger, State
from mlrunner.serving import gateway, gateway_routes
from mlrunner.serving.model import load_release
from mlrunner.serving.server import Limits, ModelServer
from tests.support import serving_release as releases
from tests.support.front_door import PROJECT
from tests.support.serving_release import Client, Saved, raw, request, until

LIMIT = 1.0  # megabytes
JSON = "Content-Type: application/json"
SOON = 5.0  # seconds within which a process must end; it takes one


class Backend:
    """A server that tells what it was asked, and does as the path says."""

    def __init__(self, name: str = "one") -> None:
        self.name, self.asked, self.pings = name, list[str](), 0
        self.free = threading.Event()

    def application(self) -> web.Application:
        app = web.Application(client_max_size=int(100e6))
        app.router.add_route("*", "/{path:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        if request.path == "/ping":
            self.pings += 1
            return web.Response(text="\n")
        self.asked.append(f"{request.method} {request.path_qs}")
        told = {
            "server": self.name,
            "asked": self.asked[-1],
            "body": (await request.read()).decode("latin-1"),
            "headers": {name.lower(): value for name, value in request.headers.items()},
        }
        headers = {"X-Model": f"houses/{self.name}"}
        if request.path == "/big":
            return web.Response(body=b"x" * 20_000_000, headers=headers)
        if request.path == "/wait":
            await asyncio.to_thread(self.free.wait, 10)
        if request.path.startswith("/status/"):
            headers |= {"Location": "/elsewhere", "Allow": "POST", "Retry-After": "7", "X-Inner": "secret"}
            return web.json_response(told, status=int(request.path.rpartition("/")[2]), headers=headers)
        if request.path == "/metrics":
            return web.Response(text=f'backend_up{{server="{self.name}"}} 1\n')
        return web.json_response(told, headers=headers)


def write(
    folder: Path, port: int, version: int = 1, timeout: float = 5.0, restart: tuple[str, ...] = ("true",)
) -> None:
    """Write the state as a deployer does."""
    server = Server(version, f"http://127.0.0.1:{port}", "handle", "token")
    settings: dict[str, Any] = {"_target_": "mlrunner.groups.deployer.local.LocalDeployer"}
    Ledger(folder).write(State("houses", "127.0.0.1", 1, timeout, LIMIT, settings, list(restart), [version], server))


@contextmanager
def passing(folder: Path) -> Iterator[int]:
    """Start a gateway in front of what the state of a folder names."""
    with releases.serving(lambda: gateway.Gateway(folder).application(LIMIT)) as port:
        yield port


@pytest.fixture(autouse=True)
def _seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the gateway look after the server only in the tests of that."""
    monkeypatch.setattr(gateway, "LOOK", 3600.0)


@pytest.fixture(scope="module")
def backend() -> Iterator[tuple[Backend, int]]:
    found = Backend()
    with releases.serving(found.application) as port:
        yield found, port
        found.free.set()


@pytest.fixture
def client(tmp_path: Path, backend: tuple[Backend, int]) -> Iterator[Client]:
    """A client of a gateway in front of the backend, which has not been asked yet."""
    backend[0].asked.clear()
    write(tmp_path, backend[1])
    with passing(tmp_path) as port, Client(port) as found:
        yield found


def numbers(client: Client) -> dict[str, float]:
    """Read the counters of a gateway, by name and labels."""
    families = text_string_to_metric_families(client.get("/metrics").body.decode())
    return {"/".join([one.name, *one.labels.values()]): one.value for family in families for one in family.samples}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- what passes through ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/invocations", "/a/b?c=d&e=%20%26+x&c=", "/%C3%A9?%C3%A9=1"])
def test_method_path_and_query_pass(client: Client, method: str, path: str) -> None:
    told = client.ask(method, path, b"body" if method in ("POST", "PUT", "PATCH") else None).json
    assert told["asked"] == f"{method} {path}"
    assert told["body"] == ("body" if method in ("POST", "PUT", "PATCH") else "")


def test_body_and_what_describes_it_pass_and_nothing_else(client: Client) -> None:
    body = bytes(range(256)) * 100
    sent = {
        "Content_Type": "text/csv; charset=x",
        "Accept": "a/b",
        "Cookie": "a=b",
        "X_Forwarded_For": "me",
        "Host": "h",
    }
    told = client.ask("POST", "/invocations", body, **sent).json
    assert told["body"] == body.decode("latin-1")
    assert (told["headers"]["content-type"], told["headers"]["accept"]) == ("text/csv; charset=x", "a/b")
    assert {"cookie", "x-forwarded-for"} & set(told["headers"]) == set()
    assert told["headers"]["host"].startswith("127.0.0.1:")


@pytest.mark.parametrize("status", [200, 201, 302, 400, 404, 405, 422, 429, 500, 503])
def test_status_and_headers_come_back(client: Client, status: int) -> None:
    answer = client.get(f"/status/{status}")
    assert (answer.status, answer.json["server"]) == (status, "one")  # 302: and nobody was asked elsewhere
    assert answer.headers["X-Model"] == "houses/one"
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert (answer.headers["Allow"], answer.headers["Retry-After"]) == ("POST", "7")
    assert "X-Inner" not in answer.headers


def test_head_passes_without_a_body(client: Client, backend: tuple[Backend, int]) -> None:
    answer = client.ask("HEAD", "/invocations")
    assert (answer.status, answer.body, backend[0].asked) == (200, b"", ["HEAD /invocations"])
    assert client.get("/version").status == 200  # on the same connection


def test_a_large_answer_comes_back_whole(client: Client) -> None:
    assert client.get("/big").body == b"x" * 20_000_000


def test_a_body_that_is_encoded_is_decoded_once(client: Client) -> None:
    told = client.ask("POST", "/invocations", gzip.compress(b"rows"), Content_Encoding="gzip").json
    assert (told["body"], told["headers"].get("content-encoding")) == ("rows", None)


BROKEN = {
    "no gzip": (400, request(b"hello", JSON, "Content-Encoding: gzip")),
    "gzip that grows": (413, request(gzip.compress(b" " * 20_000_000), JSON, "Content-Encoding: gzip")),
    "too large": (413, request(b" " * 1_100_000, JSON)),
    "no chunks": (400, request(b"zz\r\n", JSON, "Transfer-Encoding: chunked")),
    "star": (404, request(b"", method="OPTIONS", path="*")),
    "tunnel": (404, request(b"", method="CONNECT", path="127.0.0.1:1")),
    "long path": (400, request(b"", path="/" + "a" * 20_000, method="GET")),
    "another protocol": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
}


@pytest.mark.parametrize(("expected", "sent"), BROKEN.values(), ids=BROKEN)
def test_what_is_broken_never_reaches_a_server(
    client: Client, backend: tuple[Backend, int], expected: int, sent: bytes
) -> None:
    assert raw(client.port, sent).split(b" ", 2)[1] == str(expected).encode()
    assert backend[0].asked == []


def test_an_address_of_elsewhere_is_not_asked(client: Client, backend: tuple[Backend, int]) -> None:
    other = Backend("other")
    with releases.serving(other.application) as port:
        for path in (f"http://127.0.0.1:{port}/x", f"http://a@b:c@127.0.0.1:{port}/x", f"//127.0.0.1:{port}/x"):
            assert int(raw(client.port, request(b"", method="GET", path=path)).split(b" ", 2)[1]) < 500
            raw(
                client.port,
                request(b"", method="GET", path="/x", last=True).replace(b"tests", f"127.0.0.1:{port}".encode()),
            )
    assert other.asked == []
    assert "GET /x" in backend[0].asked


def test_the_body_limit_is_told(client: Client) -> None:
    answer = client.post(b" " * 1_100_000)
    assert (answer.status, answer.json["error_code"]) == (413, "REQUEST_TOO_LARGE")
    assert answer.message == "The body is larger than 1 MB; send fewer rows at a time."


def test_a_client_that_goes_away_is_no_failure(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_connection(("127.0.0.1", client.port), timeout=10) as gone:
        gone.sendall(request(b"x" * 100, JSON)[:-50])
    found = until(lambda: now if (now := numbers(client)).get("mlrunner_gateway_request_seconds_count") else None)
    assert found["mlrunner_gateway_requests_total/400/1"] == 1
    assert found["mlrunner_gateway_requests_in_flight"] == 0
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


# --- switching ----------------------------------------------------------------------------------------------


def test_the_next_request_after_a_switch_goes_to_the_new_server(tmp_path: Path, backend: tuple[Backend, int]) -> None:
    other = Backend("two")
    write(tmp_path, backend[1])
    with releases.serving(other.application) as port, passing(tmp_path) as stable, Client(stable) as client:
        for turn in range(20):
            assert client.get("/x").json["server"] == ("two" if turn % 2 else "one")
            write(tmp_path, backend[1] if turn % 2 else port, turn)
        assert client.get("/x").json["server"] == "one"
        assert numbers(client)["mlrunner_gateway_switches_total"] == 20


def test_states_that_are_written_within_a_tick_of_the_clock_are_told_apart(
    tmp_path: Path, backend: tuple[Backend, int]
) -> None:
    def stamped(port: int) -> None:
        write(tmp_path, port)
        os.utime(tmp_path / "state.json", ns=(10**18, 10**18))

    other = Backend("two")
    stamped(backend[1])
    with releases.serving(other.application) as port, passing(tmp_path) as stable, Client(stable) as client:
        assert client.get("/x").json["server"] == "one"
        stamped(port)
        assert client.get("/x").json["server"] == "two"


LOST = {
    "half written": '{"serves": {"url": "http://127.',
    "empty": "",
    "stopped": '{"serves": null, "timeout": 5, "restart": []}',
    "without a server": '{"timeout": 5, "restart": []}',
    "without a timeout": '{"serves": {"url": "http://127.0.0.1:1", "version": 1}, "timeout": null, "restart": []}',
    "a list": "[]",
    "no text": b"\xff\xfe",
    "absent": None,
}


@pytest.mark.parametrize("text", LOST.values(), ids=LOST)
def test_a_state_that_tells_nothing_changes_nothing(tmp_path: Path, client: Client, text: str | bytes | None) -> None:
    assert client.get("/x").json["server"] == "one"
    (tmp_path / "state.json").unlink()
    if text is not None:
        (tmp_path / "state.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    for _ in range(3):
        assert client.get("/x").json["server"] == "one"
    assert numbers(client)["backend_up/one"] == 1
    other = Backend("two")
    with releases.serving(other.application) as port:
        write(tmp_path, port, 2)
        assert client.get("/x").json["server"] == "two"


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> list[Saved]:
    folder = tmp_path_factory.mktemp("releases")
    return [releases.regression(folder, version) for version in (1, 40)]


def test_nobody_notices_a_switch_under_load(tmp_path: Path, versions: list[Saved]) -> None:
    rows = releases.rows(5)
    expected = {f"houses/{one.release.version}": one.predict(rows) for one in versions}
    seen: list[tuple[int, str]] = []
    done = threading.Event()

    async def ask(session: aiohttp.ClientSession, url: str) -> None:
        while not done.is_set():
            async with session.post(url, json={"dataframe_records": rows}) as answer:
                model, told = answer.headers.get("X-Model", ""), await answer.json()
                seen.append((answer.status, model))
                assert told == {"predictions": pytest.approx(expected[model], rel=1e-9)}

    async def crowd(port: int) -> None:
        async with aiohttp.ClientSession() as session:
            await asyncio.gather(*(ask(session, f"http://127.0.0.1:{port}/invocations") for _ in range(6)))

    with ExitStack() as stack:
        ports = []
        for saved in versions:
            model = load_release(saved.release.folder)
            ports.append(stack.enter_context(releases.serving(ModelServer(model, "", Limits()).application)))
        write(tmp_path, ports[0])
        stable = stack.enter_context(passing(tmp_path))
        load_ = threading.Thread(target=lambda: asyncio.run(crowd(stable)))
        load_.start()
        try:
            for turn in range(1, 13):
                before = len(seen)
                until(lambda: len(seen) > before + 10)  # noqa: B023
                write(tmp_path, ports[turn % 2], turn)
        finally:
            done.set()
            load_.join(30)
        with Client(stable) as client:
            assert client.get("/version").status == 200
            counted = numbers(client)
    assert {status for status, _ in seen} == {200}
    assert {model for _, model in seen} == set(expected)
    assert counted["mlrunner_gateway_switches_total"] == 12
    answered = sum(value for name, value in counted.items() if name.startswith("mlrunner_gateway_requests_total/200/"))
    assert answered == len(seen)


# --- a server that is gone ----------------------------------------------------------------------------------


class Flaky:
    """A server whose connections die: each answers so many requests, and is closed without a word at the next.

    Args:
        answers: Of each connection; the last one stands for all that follow.
        told: Whether the last answer says that the connection will be closed.
    """

    def __init__(self, answers: list[int], told: bool = False) -> None:
        self._answers, self._told = answers, told
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port, self.connections = self._socket.getsockname()[1], 0
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def __enter__(self) -> Flaky:
        return self

    def __exit__(self, *raised: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            left = self._answers[min(self.connections, len(self._answers) - 1)]
            self.connections += 1
            with connection:
                connection.settimeout(10)
                while connection.recv(65536) and left:
                    left -= 1
                    last = b"Connection: close\r\n" if self._told and not left else b""
                    connection.sendall(b"HTTP/1.1 200 OK\r\n" + last + b"Content-Length: 2\r\n\r\nok")


def test_a_connection_that_died_is_no_failure(tmp_path: Path) -> None:
    with Flaky([1, 0, 5]) as server:
        write(tmp_path, server.port)
        with passing(tmp_path) as port, Client(port) as client:
            assert client.post(b"{}").body == b"ok"
            failed = client.post(b"{}")  # the kept connection dies, and the second one at once
            assert failed.status == 503
            assert client.post(b"{}").body == b"ok"
            assert server.connections == 3
            assert failed.headers["Retry-After"]


def test_a_connection_that_dies_once_is_asked_again(tmp_path: Path) -> None:
    with Flaky([0, 1, 0, 1, 0, 1], told=True) as server:
        write(tmp_path, server.port)
        with passing(tmp_path) as port, Client(port) as client:
            assert [client.post(b"{}").status for _ in range(3)] == [200] * 3
            assert server.connections == 6


def test_a_server_that_is_gone_is_told_with_when_to_ask_again(tmp_path: Path) -> None:
    write(tmp_path, free_port(), version=7)
    with passing(tmp_path) as port, Client(port) as client:
        for answer in (client.post(b"{}"), client.get("/ping"), client.get("/version")):
            assert (answer.status, answer.json["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
            assert answer.message == "Version 7 does not answer; it is being restarted, ask again in a few seconds."
            assert int(answer.headers["Retry-After"]) > 0
        assert numbers(client)["mlrunner_gateway_requests_total/503/7"] == 1


def test_a_server_that_takes_too_long_is_given_up(tmp_path: Path, backend: tuple[Backend, int]) -> None:
    write(tmp_path, backend[1], timeout=0.1)
    with passing(tmp_path) as port, Client(port) as client:
        answer = client.get("/wait")
        assert (answer.status, answer.json["error_code"]) == (504, "DEADLINE_EXCEEDED")
        assert answer.message == "No answer within 0.1 s; send fewer rows at a time."
        assert client.get("/x").status == 200


def test_metrics_are_those_of_the_gateway_and_of_the_server(client: Client) -> None:
    client.post(b"{}")
    client.get("/version")
    found = numbers(client)
    assert found["backend_up/one"] == 1
    assert found["mlrunner_gateway_requests_total/200/1"] == found["mlrunner_gateway_request_seconds_count"] == 1
    assert client.get("/metrics").headers["Content-Type"].startswith("text/plain; version=0.0.4")


def test_metrics_of_a_real_server_stand_beside_those_of_the_gateway(tmp_path: Path, versions: list[Saved]) -> None:
    model = load_release(versions[0].release.folder)
    with releases.serving(ModelServer(model, "", Limits()).application) as server:
        write(tmp_path, server)
        with passing(tmp_path) as port, Client(port) as client:
            client.predict(releases.rows(3))
            found = numbers(client)
    assert found["mlrunner_rows_total"] == 3
    assert found["mlrunner_requests_total/200"] == found["mlrunner_gateway_requests_total/200/1"] == 1


@pytest.mark.parametrize("kind", ["gone", "silent", "without metrics"])
def test_metrics_are_told_without_a_server(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, ExitStack() as stack:
        port = {"gone": free_port(), "silent": silent.getsockname()[1]}.get(kind, 0)
        write(tmp_path, port or stack.enter_context(releases.serving(web.Application)))
        client = stack.enter_context(Client(stack.enter_context(passing(tmp_path))))
        assert all(name.startswith("mlrunner_gateway_") for name in numbers(client))


# --- restarts -----------------------------------------------------------------------------------------------


SERVER = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = str(os.getpid()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *told):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
NOTE = "import sys, time; print(time.time(), file=open(sys.argv[1], 'a'))"
HOLD = """
import os, sys, time
print("began", file=open(sys.argv[1], "a"))
while not os.path.exists(sys.argv[2]):
    time.sleep(0.01)
"""


def lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def test_a_server_that_was_killed_is_started_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "LOOK", 0.05)
    monkeypatch.setattr(gateway, "CALM", (0.0, 60.0))  # the first attempt has to do
    monkeypatch.chdir(PROJECT)
    port, pid_file, script = free_port(), tmp_path / "pid", tmp_path / "server.py"
    script.write_text(SERVER)
    outlives = (sys.executable, "-m", "mlrunner.serving.daemon", str(pid_file), str(tmp_path / "log"))
    command = (*outlives, sys.executable, str(script), str(port))
    subprocess.run(command, check=True)
    first = int(pid_file.read_text())
    until(lambda: is_listening(port))
    write(tmp_path, port, restart=command)
    try:
        with passing(tmp_path) as stable, Client(stable) as client:
            assert client.get("/pid").body == str(first).encode()
            psutil.Process(first).kill()
            found = until(lambda: answer if (answer := client.get("/pid")).status == 200 else None)
            assert int(found.body) != first
            assert int(found.body) == int(pid_file.read_text())
            assert numbers_of_restarts(client) == 1
    finally:
        psutil.Process(int(pid_file.read_text())).kill()


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def numbers_of_restarts(client: Client) -> float:
    told = client.get("/metrics").body.decode()
    return next(
        float(line.split()[1]) for line in told.splitlines() if line.startswith("mlrunner_gateway_restarts_total")
    )


@pytest.fixture
def settle(tmp_path: Path, backend: tuple[Backend, int]) -> Callable[[], None]:
    """Let the gateway find a server that answers, so that it restarts nothing any more, and wait for what it began."""
    others = set(psutil.Process().children())

    def wait() -> None:
        write(tmp_path, backend[1])
        seen = backend[0].pings
        until(lambda: backend[0].pings > seen + 2)
        until(lambda: set(psutil.Process().children()) <= others)

    return wait


def test_attempts_become_calmer(tmp_path: Path, settle: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "LOOK", 0.02)
    monkeypatch.setattr(gateway, "CALM", (0.0, 0.4, 0.8, 3600.0))
    noted = tmp_path / "noted"
    write(tmp_path, free_port(), restart=(sys.executable, "-c", NOTE, str(noted)))
    with passing(tmp_path) as port, Client(port) as client:
        until(lambda: len(lines(noted)) == 3)
        times = [float(line) for line in lines(noted)]
        assert numbers_of_restarts(client) == 3
        settle()
    slack = 0.3  # that one interpreter may have started faster than another
    assert times[1] - times[0] > 0.4 - slack
    assert times[2] - times[1] > 0.8 - slack
    assert len(lines(noted)) == 3


def test_one_restart_at_a_time(tmp_path: Path, settle: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "LOOK", 0.01)
    monkeypatch.setattr(gateway, "CALM", (0.0, 0.0))
    noted, go = tmp_path / "noted", tmp_path / "go"
    looks = Flaky([0])  # each look at it finds a connection that dies
    with looks:
        write(tmp_path, looks.port, restart=(sys.executable, "-c", HOLD, str(noted), str(go)))
        with passing(tmp_path) as port, Client(port) as client:
            until(lambda: lines(noted))
            seen = looks.connections
            until(lambda: looks.connections > seen + 10)
            assert numbers_of_restarts(client) == 1
            go.touch()
            until(lambda: len(lines(noted)) > 1)
            until(lambda: numbers_of_restarts(client) > 1)
            settle()


@pytest.mark.parametrize("command", [("/no/such/program",), ()], ids=["absent", "empty"])
def test_a_command_that_cannot_be_run_does_not_end_the_watch(
    tmp_path: Path, settle: Callable[[], None], monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setattr(gateway, "LOOK", 0.01)
    monkeypatch.setattr(gateway, "CALM", (0.0, 0.01, 0.02, 0.05))
    noted = tmp_path / "noted"
    write(tmp_path, port := free_port(), restart=command)
    with passing(tmp_path) as stable, Client(stable) as client:
        until(lambda: numbers_of_restarts(client) > 2)
        write(tmp_path, port, restart=(sys.executable, "-c", NOTE, str(noted)))
        until(lambda: lines(noted))
        settle()


def test_a_server_that_is_busy_is_not_restarted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "LOOK", 0.01)
    monkeypatch.setattr(gateway, "PATIENCE", 0.05)
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:
        write(tmp_path, silent.getsockname()[1])
        with passing(tmp_path) as port, Client(port) as client:
            looks = [silent.accept()[0] for _ in range(5)]  # each has waited for an answer that did not come
            assert numbers_of_restarts(client) == 0
        for look in looks:
            look.close()


def test_a_state_that_is_lost_does_not_end_the_watch(
    tmp_path: Path, backend: tuple[Backend, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "LOOK", 0.01)
    write(tmp_path, backend[1])
    with passing(tmp_path):
        (tmp_path / "state.json").unlink()
        seen = backend[0].pings
        until(lambda: backend[0].pings > seen + 3)
        (tmp_path / "state.json").write_text('{"serves": null}')
        seen = backend[0].pings
        until(lambda: backend[0].pings > seen + 3)


# --- as a process -------------------------------------------------------------------------------------------


@contextmanager
def started(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "mlrunner.serving.gateway", str(folder)]
    process = subprocess.Popen(command, cwd=PROJECT, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=20)


def test_a_gateway_that_is_asked_to_end_answers_first(tmp_path: Path) -> None:
    slow, stable = Backend(), free_port()
    found: list[int] = []

    def ask() -> None:
        with Client(stable) as client:
            found.append(client.get("/wait").status)

    with releases.serving(slow.application) as port:
        write(tmp_path, port)
        state = json.loads((tmp_path / "state.json").read_text())
        (tmp_path / "state.json").write_text(json.dumps({**state, "port": stable}))
        with started(tmp_path) as process:
            until(lambda: is_listening(stable), 60)
            with Client(stable) as idle:
                assert idle.get("/x").json["server"] == "one"
                asking = threading.Thread(target=ask)
                asking.start()
                until(lambda: "GET /wait" in slow.asked)
                process.send_signal(signal.SIGTERM)
                until(lambda: not is_listening(stable))
                assert process.poll() is None
                began = time.monotonic()
                slow.free.set()
                assert process.wait(20) == 0
                assert time.monotonic() - began < SOON
            asking.join(20)
            assert process.stderr is not None
            assert process.stderr.read() == ""
    assert found == [200]


@pytest.mark.parametrize("text", [None, "{"], ids=["absent", "broken"])
def test_a_gateway_without_a_state_does_not_begin(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "state.json").write_text(text)
    with pytest.raises((OSError, ValueError)):
        gateway_routes.read_route(tmp_path / "state.json")
    with pytest.raises((OSError, ValueError)):
        gateway.Gateway(tmp_path)
