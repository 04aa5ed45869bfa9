"""The model server, over real connections: nothing that comes in gives a 5xx, and nobody gets another's answer."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import random
import socket
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from mlrunner.serving import requests as bodies
from mlrunner.serving.batching import Batcher
from mlrunner.serving.columns import Arrays
from mlrunner.serving.model import load_release
from mlrunner.serving.server import Limits, ModelServer
from tests.support import serving_release as releases
from tests.support.serving_release import KINDS, Client, Row, Saved, anything, raw, request, sized, until

pytestmark = pytest.mark.filterwarnings(
    "ignore:Found unknown categories",  # scikit-learn's, each time that it passes one over
    "ignore:overflow encountered:RuntimeWarning",
    "ignore:Parsing:DeprecationWarning",  # pandas', of quarters like 2020Q1
)
SETTINGS = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
JSON = "Content-Type: application/json"
TIMEOUT, LIMIT, MOST = 5.0, 1.0, 64  # of the server of regression: seconds, megabytes and rows that go together
GOOD = json.dumps({"dataframe_records": releases.rows(2)}).encode()


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("releases")


@pytest.fixture(scope="module")
def saved(base: Path) -> Saved:
    return releases.regression(base)


@pytest.fixture(scope="module")
def port(saved: Saved) -> Iterator[int]:
    model, limits = load_release(saved.release.folder), Limits(TIMEOUT, LIMIT, MOST)
    with releases.serving(lambda: ModelServer(model, "token-7", limits).application()) as found:
        yield found


@pytest.fixture
def client(port: int) -> Iterator[Client]:
    """A connection to a server that must still be sound afterwards."""
    with Client(port) as found:
        yield found
    with Client(port) as other:
        assert other.post(GOOD).status == 200


@pytest.fixture(scope="module")
def touchy(base: Path) -> Iterator[int]:
    """A server whose model raises, or has no number."""
    with _touchy(base, TIMEOUT) as found:
        yield found


@pytest.fixture(scope="module")
def hasty(base: Path) -> Iterator[int]:
    """A server whose model may take less time than it does."""
    with _touchy(base, releases.SLOW_SECONDS / 2) as found:
        yield found


def _touchy(base: Path, timeout: float) -> AbstractContextManager[int]:
    model, limits = load_release(releases.touchy(base).release.folder), Limits(timeout, LIMIT, MOST)
    return releases.serving(lambda: ModelServer(model, "", limits).application())


def numbers(port: int) -> dict[str, float]:
    """Read the counters of a server, by name and status."""
    with Client(port) as client:
        told = client.get("/metrics").body.decode()
    families = text_string_to_metric_families(told)
    return {"/".join([one.name, *one.labels.values()]): one.value for family in families for one in family.samples}


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


# --- the endpoints ------------------------------------------------------------------------------------------


def test_predictions_are_those_of_the_pipeline(client: Client, saved: Saved) -> None:
    rows = releases.rows(300)
    answer = client.post({"dataframe_records": rows})
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Model"] == "houses/1"
    assert answer.json == {"predictions": pytest.approx(saved.predict(rows), rel=1e-9)}


@pytest.mark.parametrize("path", ["/ping", "/health"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_health(client: Client, path: str, method: str) -> None:
    answer = client.ask(method, path)
    assert (answer.status, answer.body) == (200, b"\n" if method == "GET" else b"")
    assert answer.headers["X-Model"] == "houses/1"


def test_version_tells_the_release_and_which_server_it_is(client: Client, saved: Saved) -> None:
    assert client.get("/version").json == {**saved.release.facts, "instance": "token-7"}


def test_schema_tells_the_columns_and_an_example_that_is_answered(client: Client, saved: Saved) -> None:
    told = client.get("/schema").json
    assert {column["name"]: column["kind"] for column in told["columns"]} == KINDS
    assert [column["categories"] for column in told["columns"] if column["name"] == "town"] == [releases.TOWNS]
    assert client.post(told["example"]).json["predictions"] == pytest.approx(saved.release.expected)


def test_metrics_are_of_prometheus_and_count(client: Client, port: int) -> None:
    before = numbers(port)
    client.post({"dataframe_records": releases.rows(3)})
    client.post(b"{")
    client.get("/ping")
    after = numbers(port)
    grown = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
    assert grown["mlrunner_requests_total/200"] == grown["mlrunner_requests_total/400"] == 1
    assert grown["mlrunner_rows_total"] == grown["mlrunner_batch_rows_sum"] == 3
    assert grown["mlrunner_request_seconds_count"] == 2
    assert client.get("/metrics").headers["Content-Type"].startswith("text/plain; version=0.0.4")


@pytest.mark.parametrize(
    ("method", "path", "expected", "word"),
    [
        ("GET", "/invocations", 405, "POST /invocations"),
        ("PUT", "/invocations", 405, "POST /invocations"),
        ("DELETE", "/invocations", 405, "POST /invocations"),
        ("POST", "/ping", 405, "POST /invocations"),
        ("POST", "/metrics", 405, "POST /invocations"),
        ("GET", "/", 404, "there are /invocations"),
        ("POST", "/predict", 404, "there are /invocations"),
        ("POST", "/invocations/", 404, "there are /invocations"),
        ("GET", "/%ff%00/..%2f", 404, "there are /invocations"),
    ],
)
def test_other_paths_and_methods(client: Client, method: str, path: str, expected: int, word: str) -> None:
    answer = client.ask(method, path, b"{}" if method in ("POST", "PUT") else None)
    assert answer.status == expected
    assert word in answer.message
    assert ("Allow" in answer.headers) == (expected == 405)


def test_head_of_predictions_has_no_body(client: Client) -> None:
    answer = client.ask("HEAD", "/invocations")
    assert (answer.status, answer.body) == (405, b"")


# --- what a client may send ---------------------------------------------------------------------------------


def chunked(body: bytes, size: int) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in [*parts, b""])


ACCEPTED = {
    "plain": request(GOOD, JSON),
    "charset": request(GOOD, f"{JSON}; charset=utf-8"),
    "capitals": request(GOOD, "CONTENT-TYPE: Application/JSON;Charset=UTF-8"),
    "no type": request(GOOD),
    "empty type": request(GOOD, "Content-Type:"),
    "broken type": request(GOOD, "Content-Type: ;;;="),
    "query": request(GOOD, JSON, path="/invocations?a=b&c=%20"),
    "whole address": request(GOOD, JSON, path="http://example.org/invocations"),
    "chunks": request(chunked(GOOD, 7), JSON, "Transfer-Encoding: chunked"),
    "gzip": request(gzip.compress(GOOD), JSON, "Content-Encoding: gzip"),
    "deflate": request(zlib.compress(GOOD), JSON, "Content-Encoding: deflate"),
    "gzip in chunks": request(
        chunked(gzip.compress(GOOD), 50), JSON, "Content-Encoding: gzip", "Transfer-Encoding: chunked"
    ),
    "expect": request(GOOD, JSON, "Expect: 100-continue"),
    "blanks around": request(b" \r\n" + GOOD + b"\n\t ", JSON),
}
REJECTED = {
    "no gzip": (400, request(b"hello", JSON, "Content-Encoding: gzip")),
    "half a gzip": (400, request(gzip.compress(GOOD)[:-30], JSON, "Content-Encoding: gzip")),
    "no deflate": (400, request(b"\x01\x02\x03", JSON, "Content-Encoding: deflate")),
    "unknown encoding": (400, request(b"\x01\x02", JSON, "Content-Encoding: br")),
    "gzip that grows": (413, request(gzip.compress(b" " * 20_000_000), JSON, "Content-Encoding: gzip")),
    "too large": (413, request(b" " * 1_100_000, JSON)),
    "too large in chunks": (413, request(chunked(b" " * 1_100_000, 60_000), JSON, "Transfer-Encoding: chunked")),
    "no chunks": (400, request(b"zz\r\nabc", JSON, "Transfer-Encoding: chunked")),
    "chunk too long": (400, request(b"3\r\nabcdef\r\n", JSON, "Transfer-Encoding: chunked")),
    "two lengths": (400, request(GOOD, JSON, "Transfer-Encoding: chunked", "Content-Length: 5")),
    "negative length": (400, request(b"", JSON, "Content-Length: -5")),
    "unknown expectation": (417, request(GOOD, JSON, "Expect: more")),
    "type that is no text": (415, request(GOOD, "Content-Type: \xff\xfe/\xfc")),
    "form": (415, request(b"a=b", "Content-Type: application/x-www-form-urlencoded")),
    "upload": (415, request(b"--x--", "Content-Type: multipart/form-data; boundary=x")),
    "empty": (400, request(b"", JSON)),
    "latin-1": (400, request('{"inputs": ["é"]}'.encode("latin-1"), f"{JSON}; charset=latin-1")),
    "star": (404, request(b"", method="OPTIONS", path="*")),
    "tunnel": (404, request(b"", method="CONNECT", path="127.0.0.1:1")),
    "long path": (400, request(b"", path="/" + "a" * 20_000, method="GET")),
    "long header": (400, request(GOOD, JSON, "X-Long: " + "a" * 20_000)),
    "broken path": (400, request(b"", path="/\xff\xfe", method="GET")),
    "unknown method": (400, request(GOOD, JSON, method="FETCH")),
    "another protocol": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
}


@pytest.mark.parametrize("sent", ACCEPTED.values(), ids=ACCEPTED)
def test_every_way_to_send_rows(port: int, saved: Saved, sent: bytes) -> None:
    head, _, body = raw(port, sent).rpartition(b"\r\n\r\n")
    assert b"HTTP/1.1 200 OK" in head
    assert json.loads(body)["predictions"] == pytest.approx(saved.predict(releases.rows(2)), rel=1e-9)


@pytest.mark.parametrize(("expected", "sent"), REJECTED.values(), ids=REJECTED)
def test_whatever_is_sent_the_client_is_told(client: Client, port: int, expected: int, sent: bytes) -> None:
    del client  # the server must be sound afterwards
    assert status(raw(port, sent)) == expected


def test_the_body_limit_is_told(client: Client) -> None:
    answer = client.post(b" " * 1_100_000)
    assert (answer.status, answer.json["error_code"]) == (413, "REQUEST_TOO_LARGE")
    assert answer.message == "The body is larger than 1 MB; send fewer rows at a time."
    assert client.post(GOOD).status == 200  # on the same connection


def test_requests_may_follow_without_waiting(port: int, saved: Saved) -> None:
    bodies_ = [json.dumps({"dataframe_records": releases.rows(count)}).encode() for count in (1, 4, 2)]
    sent = [request(b"{", JSON, last=False), *(request(body, JSON, last=body is bodies_[-1]) for body in bodies_)]
    answers = raw(port, b"".join(sent)).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"400", b"200", b"200", b"200"]
    found = [json.loads(answer.rpartition(b"\r\n\r\n")[2])["predictions"] for answer in answers[1:]]
    assert found == [pytest.approx(saved.predict(releases.rows(count)), rel=1e-9) for count in (1, 4, 2)]


def test_a_slow_client_does_not_keep_the_others_waiting(client: Client, port: int) -> None:
    sent = request(GOOD, JSON)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as slow:
        for at in range(0, len(sent), 100):
            slow.sendall(sent[at : at + 100])
            assert client.post(GOOD).status == 200
        assert status(slow.recv(65536)) == 200


@pytest.mark.parametrize("how", ["closed", "reset", "half closed"])
def test_a_client_that_goes_away_is_no_failure(
    port: int, how: str, caplog: pytest.LogCaptureFixture, client: Client
) -> None:
    del client
    before = numbers(port)
    whole = request(GOOD, JSON)
    for sent in (whole[:-20], whole, whole[:60]):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as gone:
            gone.sendall(sent)
            if how == "reset":
                gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif how == "half closed":
                gone.shutdown(socket.SHUT_WR)
    counted = "mlrunner_request_seconds_count"
    until(lambda: numbers(port)[counted] - before[counted] >= 2)
    assert {name for name, value in numbers(port).items() if "requests_total/5" in name and value} == set()
    assert [record for record in caplog.records if record.name.startswith("mlrunner")] == []


def test_what_clients_do_wrong_is_not_logged_as_a_failure(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        for body in (b"{", b"[" * 100_000 + b"NaN", b'{"\\ud800": NaN}', b"{}"):
            assert client.post(body).status == 400
    assert [record for record in caplog.records if record.name.startswith("mlrunner")] == []


# --- anything -----------------------------------------------------------------------------------------------


def told(client: Client, body: bytes, content_type: str = "application/json") -> int:
    """Send anything; what is not answered with predictions must be answered with a sentence."""
    answer = client.post(body, content_type)
    assert answer.status in (200, 400, 415, 422), answer.body
    if answer.status == 200:
        assert list(answer.json) == ["predictions"]
    else:
        assert answer.message.strip()
    return answer.status


@SETTINGS
@given(st.binary(max_size=60), st.sampled_from([*bodies.JSON_TYPES, *bodies.CSV_TYPES, "text/html", "a/b; charset=x"]))
def test_any_bytes(client: Client, body: bytes, content_type: str) -> None:
    told(client, body, content_type)


@SETTINGS
@given(anything, st.sampled_from([*bodies.FORMS, ""]))
def test_any_json(client: Client, value: Any, key: str) -> None:
    told(client, json.dumps({key: value} if key else value).encode())


@SETTINGS
@given(
    st.lists(releases.row, min_size=1, max_size=3),
    st.dictionaries(st.sampled_from([*KINDS, "other", "Size"]), anything, min_size=1, max_size=3),
    st.sets(st.sampled_from(list(KINDS)), max_size=2),
    st.sampled_from(["dataframe_records", "inputs", "instances"]),
)
def test_any_value_in_any_column(client: Client, rows: list[Row], odd: Row, lost: set[str], form: str) -> None:
    rows[-1] = {name: value for name, value in {**rows[-1], **odd}.items() if name not in lost}
    told(client, json.dumps({form: rows}).encode())


@SETTINGS
@given(
    st.lists(st.sampled_from(list(KINDS)) | st.text(max_size=3), max_size=14),
    st.lists(st.lists(st.sampled_from(["far", "", "1", "true", "2020-01-01", '"', "\n", "é", "1e999"]), max_size=14)),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n", "\r", "\n\n"]),
)
def test_any_csv(client: Client, header: list[str], rows: list[list[str]], comma: str, ending: str) -> None:
    told(client, ending.join(comma.join(row) for row in [header, *rows]).encode(), "text/csv; charset=utf-8")


EXTREME = [1.7e308, -1.7e308, 5e-324, -0.0, 2**53 + 1, 10**300, 1e-300]


@pytest.mark.parametrize("size", EXTREME, ids=repr)
def test_any_number_of_a_double(client: Client, size: float) -> None:
    told(client, json.dumps({"dataframe_records": [sized(size), sized(1.0)]}).encode())


# --- many at once -------------------------------------------------------------------------------------------


class Crowd:
    """Clients that ask at once, each with rows of its own."""

    def __init__(self, port: int, saved: Saved) -> None:
        self._url, self._saved = f"http://127.0.0.1:{port}/invocations", saved
        self.seen: list[int] = []

    async def good(self, session: aiohttp.ClientSession, seed: int) -> None:
        rows = releases.rows(seed % 40 + 1, seed)
        async with session.post(self._url, json={"dataframe_records": rows}) as answer:
            found = (await answer.json())["predictions"]
        self.seen.append(answer.status)
        assert found == pytest.approx(self._saved.predict(rows), rel=1e-9)

    async def bad(self, session: aiohttp.ClientSession, seed: int) -> None:
        rows = [*releases.rows(3, seed), {**releases.rows(1)[0], "town": f"town {seed}"}]
        async with session.post(self._url, json={"dataframe_records": rows}) as answer:
            message = (await answer.json())["message"]
        self.seen.append(answer.status)
        assert f"row 3 has 'town {seed}'" in message

    async def run(self, requests: int) -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=40)) as session:
            asked = [(self.bad if seed % 7 == 3 else self.good)(session, seed) for seed in range(requests)]
            random.Random(0).shuffle(asked)
            await asyncio.gather(*asked)


def test_every_client_of_a_crowd_gets_its_own_answer(port: int, saved: Saved, client: Client) -> None:
    del client
    before, crowd = numbers(port), Crowd(port, saved)
    asyncio.run(crowd.run(140))
    after = numbers(port)
    assert (crowd.seen.count(200), crowd.seen.count(422)) == (120, 20)
    batches = after["mlrunner_batch_rows_count"] - before["mlrunner_batch_rows_count"]
    assert 0 < batches < 120  # requests that wait together go together
    assert after["mlrunner_rows_total"] - before["mlrunner_rows_total"] == sum(
        seed % 40 + 1 for seed in range(140) if seed % 7 != 3
    )


def test_a_row_that_makes_the_model_raise_spoils_no_other(touchy: int) -> None:
    async def ask(session: aiohttp.ClientSession, size: float) -> tuple[int, Any]:
        url, rows = f"http://127.0.0.1:{touchy}/invocations", [sized(size), sized(-size)]
        async with session.post(url, json={"dataframe_records": rows}) as answer:
            return answer.status, await answer.json()

    async def crowd() -> list[tuple[int, Any]]:
        async with aiohttp.ClientSession() as session:
            sizes = [releases.RAISES if number % 9 == 4 else float(number) for number in range(45)]
            return list(await asyncio.gather(*(ask(session, size) for size in sizes)))

    for number, (code, answer) in enumerate(asyncio.run(crowd())):
        if number % 9 == 4:
            assert (code, answer["error_code"]) == (500, "INTERNAL_ERROR")
            assert answer["message"] == "RuntimeError: the model is touched."
        else:
            assert (code, answer) == (200, {"predictions": [number, -number]})


def test_an_answer_that_takes_too_long_is_given_up(hasty: int) -> None:
    with Client(hasty) as client:
        answer = client.post({"dataframe_records": [sized(releases.SLOW)]})
        assert (answer.status, answer.json["error_code"]) == (504, "DEADLINE_EXCEEDED")
        assert answer.message == "No answer within 0.3 s; send fewer rows at a time."
        assert until(lambda: client.post({"dataframe_records": [sized(2.0)]}).status == 200)


# --- the batcher --------------------------------------------------------------------------------------------


class Model:
    """Predicts `x` itself, notes what came together, and waits while it is told to."""

    def __init__(self) -> None:
        self.batches: list[list[float]] = []
        self.busy, self.free = threading.Event(), threading.Event()
        self.free.set()

    def predict(self, arrays: Arrays) -> list[Any]:
        """Predict; a negative number raises, a zero is forgotten."""
        values = arrays["x"].tolist()
        self.batches.append(values)
        self.busy.set()
        self.free.wait(10)
        if min(values) < 0:
            raise ValueError(f"{min(values)} is negative")
        return [value for value in values if value]


def x(*values: float) -> Arrays:
    return {"x": np.array(values, dtype=float)}


async def while_busy(model: Model, batcher: Batcher, *waiting: Arrays) -> list[Any]:
    """Ask for a first prediction, and for others while the model is busy with it."""
    model.free.clear()
    asked = [asyncio.create_task(batcher.predict(x(1)))]
    await asyncio.to_thread(model.busy.wait, 10)
    asked += [asyncio.create_task(batcher.predict(one)) for one in waiting]
    await asyncio.sleep(0)
    model.free.set()
    return await asyncio.gather(*asked, return_exceptions=True)


def batched(*waiting: Arrays, most: int = 100) -> tuple[list[Any], list[list[float]], list[int]]:
    """What comes of requests that wait while the model is busy: answers, batches, counted rows."""
    model, counted = Model(), list[int]()
    batcher = Batcher(model.predict, most, counted.append)
    found = asyncio.run(while_busy(model, batcher, *waiting))
    return found[1:], model.batches[1:], counted[1:]


def test_those_that_wait_together_go_together_in_order() -> None:
    answers, batches, counted = batched(x(3, 2), x(5), x(4, 9, 7))
    assert answers == [[3, 2], [5], [4, 9, 7]]
    assert batches == [[3, 2, 5, 4, 9, 7]]
    assert counted == [6]


def test_no_more_rows_go_together_than_may() -> None:
    answers, batches, _ = batched(x(1, 2), x(3), x(4, 5, 6, 7, 8, 9), x(1), x(2), most=3)
    assert answers == [[1, 2], [3], [4, 5, 6, 7, 8, 9], [1], [2]]
    assert batches == [[1, 2, 3], [4, 5, 6, 7, 8, 9], [1, 2]]


def test_one_that_fails_is_found_by_asking_each_half_again() -> None:
    answers, batches, counted = batched(x(1, 2), x(3, -4), x(5), x(6), x(7))
    assert answers[:1] + answers[2:] == [[1, 2], [5], [6], [7]]
    assert "-4.0 is negative" in str(answers[1])
    assert batches == [[1, 2, 3, -4, 5, 6, 7], [1, 2, 3, -4], [1, 2], [3, -4], [5, 6, 7]]
    assert counted == [2, 3]  # of those that were predicted


def test_one_that_fails_among_many_takes_few_batches() -> None:
    answers, batches, _ = batched(*(x(number) for number in range(1, 60)), x(-1))
    assert answers[:-1] == [[number] for number in range(1, 60)]
    assert isinstance(answers[-1], ValueError)
    assert len(batches) < 20


@pytest.mark.parametrize("raised", [StopIteration, GeneratorExit, SystemExit, MemoryError, RecursionError])
@pytest.mark.timeout(20)
def test_whatever_a_model_raises_it_goes_on(raised: type[BaseException]) -> None:
    def predict(arrays: Arrays) -> list[Any]:
        if arrays["x"][0] < 0:
            raise raised
        return list(arrays["x"].tolist())

    async def run() -> list[Any]:
        batcher = Batcher(predict, 100, lambda _: None)
        with pytest.raises((raised, RuntimeError)):
            await batcher.predict(x(-1))
        return await batcher.predict(x(2))

    assert asyncio.run(run()) == [2]


def test_too_few_predictions_are_nobodys() -> None:
    answers, _, _ = batched(x(1, 0), x(3))
    assert "1 predictions for 2 rows" in str(answers[0])
    assert answers[1] == [3]


def test_columns_that_cannot_be_joined_do_not_stop_the_model() -> None:
    answers, _, _ = batched(x(1), {"x": np.array([[2.0]])}, x(3))
    assert answers[0] == [1]
    assert answers[2] == [3]
    assert isinstance(answers[1], Exception)


def test_what_nobody_waits_for_any_more_is_not_predicted() -> None:
    async def run() -> list[Any]:
        asked = [asyncio.create_task(batcher.predict(x(1)))]
        await asyncio.to_thread(model.busy.wait, 10)
        asked += [asyncio.create_task(batcher.predict(x(number))) for number in (2, 3, 4)]
        await asyncio.sleep(0)
        asked[0].cancel()  # even while it is predicted
        asked[2].cancel()
        model.free.set()
        await asyncio.wait(asked)
        return [*(one.result() for one in asked if not one.cancelled()), await batcher.predict(x(7))]

    model = Model()
    model.free.clear()
    batcher = Batcher(model.predict, 100, lambda _: None)
    assert asyncio.run(run()) == [[2], [4], [7]]
    assert model.batches == [[1], [2, 4], [7]]


@SETTINGS
@given(
    st.lists(st.lists(st.integers(1, 9) | st.just(-1), min_size=1, max_size=6), min_size=1, max_size=12),
    st.integers(1, 12),
)
def test_whoever_waits_gets_his_own(asked: list[list[int]], most: int) -> None:
    answers, batches, counted = batched(*(x(*values) for values in asked), most=most)
    for values, answer in zip(asked, answers, strict=True):
        assert isinstance(answer, ValueError) if -1 in values else answer == values
    assert counted == [len(batch) for batch in batches if -1 not in batch]
    assert all(len(batch) <= most or batch in asked for batch in batches)


def test_one_alone_does_not_wait_for_others() -> None:
    async def run() -> float:
        batcher = Batcher(Model().predict, 100, lambda _: None)
        await batcher.predict(x(1))
        began = time.perf_counter()
        for _ in range(50):
            await batcher.predict(x(1))
        return (time.perf_counter() - began) / 50

    assert asyncio.run(run()) < 0.02  # a wait for company would be longer than the overhead of a thread
