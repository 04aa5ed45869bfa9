"""The model server over real connections: no input causes a 5xx, and every client gets its own predictions."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import random
import socket
import struct
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from mlrunner.serving import identity
from mlrunner.serving import requests as bodies
from mlrunner.serving.columns import RawColumn
from mlrunner.serving.limits import Limits
from mlrunner.serving.model import ServedModel, load_release
from mlrunner.serving.schema import Schema
from mlrunner.serving.server import ModelServer
from tests.support import serving_release as releases
from tests.support.http_client import Client, send_raw, serve, wait_until, write_request
from tests.support.serving_release import KINDS, Row, Saved, anything, make_row

pytestmark = pytest.mark.filterwarnings(
    "ignore:Found unknown categories",  # of scikit-learn, for each unknown category
    "ignore:overflow encountered:RuntimeWarning",
    "ignore:Parsing:DeprecationWarning",  # of pandas, for quarters like 2020Q1
)
SETTINGS = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
JSON = "Content-Type: application/json"
LIMITS = Limits(timeout=5.0, body_limit=1.0, batch_rows=64)
VALID = json.dumps({"dataframe_records": releases.make_rows(2)}).encode()


@pytest.fixture(scope="module")
def port(saved: Saved) -> Iterator[int]:
    model = load_release(saved.release.folder)
    with serve(lambda: ModelServer(model, "token-7", LIMITS).application()) as port:
        yield port


@pytest.fixture
def client(port: int) -> Iterator[Client]:
    """Connect to the server, which must still work afterwards."""
    with Client(port) as client:
        yield client
    with Client(port) as other:
        assert other.post(VALID).status == 200


@pytest.fixture(scope="module")
def faulty_port(base: Path) -> Iterator[int]:
    """Serve a model that raises for some rows."""
    with _serve_faulty(base, LIMITS.timeout) as port:
        yield port


@pytest.fixture(scope="module")
def impatient_port(base: Path) -> Iterator[int]:
    """Serve a model with a time limit that slow rows exceed."""
    with _serve_faulty(base, releases.SLOW_SECONDS / 2) as port:
        yield port


def _serve_faulty(base: Path, timeout: float) -> AbstractContextManager[int]:
    model, limits = load_release(releases.save_faulty(base).release.folder), replace(LIMITS, timeout=timeout)
    return serve(lambda: ModelServer(model, "", limits).application())


def read_metrics(port: int) -> dict[str, float]:
    """Read the metrics of a server by name and labels."""
    with Client(port) as client:
        return client.read_metrics()


def read_status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


# --- the endpoints ------------------------------------------------------------------------------------------


def test_predictions_equal_those_of_the_pipeline(client: Client, saved: Saved) -> None:
    rows = releases.make_rows(300)
    answer = client.post({"dataframe_records": rows})
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Model"] == "houses/1"
    assert answer.json == {"predictions": pytest.approx(saved.predict(rows), rel=1e-9)}


def test_probabilities_of_each_class() -> None:
    rows = pd.DataFrame({"x": [0.0, 0, 0, 1, 1]})
    tree = Pipeline([("scale", StandardScaler()), ("tree", DecisionTreeClassifier())]).fit(
        rows, ["no", "no", "no", "no", "yes"]
    )
    model = ServedModel(tree, Schema((RawColumn("x", "number", True),)), {}, b"{}")
    records, method = [{"x": 0}, {"x": 1}], {"predict_method": "predict_proba"}
    expected = {"predictions": [[1.0, 0.0], [0.5, 0.5]], "classes": ["no", "yes"]}
    with serve(lambda: ModelServer(model, "", LIMITS).application()) as port, Client(port) as client:
        assert client.post({"dataframe_records": records, "params": method}).json == expected
        body = json.dumps({"dataframe_records": records}).encode()
        assert client.send("POST", "/invocations?probabilities=true", body).json == expected
        assert client.post({"dataframe_records": records}).json == {"predictions": ["no", "no"]}
        assert client.get("/schema").json["classes"] == ["no", "yes"]


def test_a_model_without_probabilities_says_so(client: Client) -> None:
    answer = client.post(json.loads(VALID) | {"params": {"predict_method": "predict_proba"}})
    assert (answer.status, answer.json["message"].partition(";")[0]) == (400, "The model has no probabilities")


@pytest.mark.parametrize("path", ["/ping", "/health"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_health(client: Client, path: str, method: str) -> None:
    answer = client.send(method, path)
    assert (answer.status, answer.body) == (200, b"\n" if method == "GET" else b"")
    assert answer.headers["X-Model"] == "houses/1"


def test_version_has_the_public_facts_of_the_release_and_the_instance(saved: Saved) -> None:
    private = {"folder": "/home/jane", "data_hash": "d4df", "metrics": {"test/r2": 0.5}}
    model = replace(load_release(saved.release.folder), facts={**saved.release.facts, **private})
    with serve(ModelServer(model, "token-7", LIMITS).application) as port, Client(port) as client:
        facts = client.get("/version").json
    public = {name: value for name, value in saved.release.facts.items() if name not in private}
    assert facts == {**public, "instance": identity.instance_name("token-7")}


def test_a_challenge_is_answered_by_who_knows_the_token(client: Client) -> None:
    assert identity.is_own(f"http://127.0.0.1:{client.port}", "token-7")
    assert not identity.is_own(f"http://127.0.0.1:{client.port}", identity.instance_name("token-7"))


def test_schema_has_the_columns_and_a_valid_example(client: Client, saved: Saved) -> None:
    schema = client.get("/schema").json
    assert {column["name"]: column["kind"] for column in schema["columns"]} == KINDS
    assert [column["categories"] for column in schema["columns"] if column["name"] == "town"] == [releases.TOWNS]
    assert client.post(schema["example"]).json["predictions"] == pytest.approx(saved.release.expected)


def test_metrics_count_requests_and_rows(client: Client, port: int) -> None:
    before = read_metrics(port)
    client.post({"dataframe_records": releases.make_rows(3)})
    client.post(b"{")
    client.get("/ping")
    after = read_metrics(port)
    difference = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
    assert difference["mlrunner_requests_total/200"] == difference["mlrunner_requests_total/400"] == 1
    assert difference["mlrunner_rows_total"] == difference["mlrunner_batch_rows_sum"] == 3
    assert difference["mlrunner_request_seconds_count"] == 2
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
def test_other_paths_and_methods_are_rejected(client: Client, method: str, path: str, expected: int, word: str) -> None:
    answer = client.send(method, path, b"{}" if method in ("POST", "PUT") else None)
    assert answer.status == expected
    assert word in answer.message
    assert ("Allow" in answer.headers) == (expected == 405)


def test_head_of_invocations_has_no_body(client: Client) -> None:
    answer = client.send("HEAD", "/invocations")
    assert (answer.status, answer.body) == (405, b"")


# --- what a client may send ---------------------------------------------------------------------------------


def encode_chunked(body: bytes, size: int) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in [*parts, b""])


ACCEPTED = {
    "plain": write_request(VALID, JSON),
    "charset": write_request(VALID, f"{JSON}; charset=utf-8"),
    "capitals": write_request(VALID, "CONTENT-TYPE: Application/JSON;Charset=UTF-8"),
    "no type": write_request(VALID),
    "empty type": write_request(VALID, "Content-Type:"),
    "query": write_request(VALID, JSON, path="/invocations?a=b&c=%20"),
    "whole address": write_request(VALID, JSON, path="http://example.org/invocations"),
    "chunks": write_request(encode_chunked(VALID, 7), JSON, "Transfer-Encoding: chunked"),
    "gzip": write_request(gzip.compress(VALID), JSON, "Content-Encoding: gzip"),
    "deflate": write_request(zlib.compress(VALID), JSON, "Content-Encoding: deflate"),
    "gzip in chunks": write_request(
        encode_chunked(gzip.compress(VALID), 50), JSON, "Content-Encoding: gzip", "Transfer-Encoding: chunked"
    ),
    "expect": write_request(VALID, JSON, "Expect: 100-continue"),
    "blanks around": write_request(b" \r\n" + VALID + b"\n\t ", JSON),
}
REJECTED = {
    "no gzip": (400, write_request(b"hello", JSON, "Content-Encoding: gzip")),
    "half a gzip": (400, write_request(gzip.compress(VALID)[:-30], JSON, "Content-Encoding: gzip")),
    "no deflate": (400, write_request(b"\x01\x02\x03", JSON, "Content-Encoding: deflate")),
    "unknown encoding": (415, write_request(b"\x01\x02", JSON, "Content-Encoding: br")),
    "gzip that grows": (413, write_request(gzip.compress(b" " * 20_000_000), JSON, "Content-Encoding: gzip")),
    "too large": (413, write_request(b" " * 1_100_000, JSON)),
    "too large in chunks": (
        413,
        write_request(encode_chunked(b" " * 1_100_000, 60_000), JSON, "Transfer-Encoding: chunked"),
    ),
    "no chunks": (400, write_request(b"zz\r\nabc", JSON, "Transfer-Encoding: chunked")),
    "chunk too long": (400, write_request(b"3\r\nabcdef\r\n", JSON, "Transfer-Encoding: chunked")),
    "two lengths": (400, write_request(VALID, JSON, "Transfer-Encoding: chunked", "Content-Length: 5")),
    "negative length": (400, write_request(b"", JSON, "Content-Length: -5")),
    "unknown expectation": (417, write_request(VALID, JSON, "Expect: more")),
    "type that is no text": (415, write_request(VALID, "Content-Type: \xff\xfe/\xfc")),
    "form": (415, write_request(b"a=b", "Content-Type: application/x-www-form-urlencoded")),
    "upload": (415, write_request(b"--x--", "Content-Type: multipart/form-data; boundary=x")),
    "empty": (400, write_request(b"", JSON)),
    "latin-1": (415, write_request('{"inputs": ["é"]}'.encode("latin-1"), f"{JSON}; charset=latin-1")),
    "broken type": (415, write_request(VALID, "Content-Type: ;;;=")),
    "type without a slash": (415, write_request(VALID, "Content-Type: not_a_supported_content_type")),
    "parameter that is no text": (415, write_request(VALID, f"{JSON}; \xff=\xfe")),
    "star": (404, write_request(b"", method="OPTIONS", path="*")),
    "tunnel": (404, write_request(b"", method="CONNECT", path="127.0.0.1:1")),
    "long path": (400, write_request(b"", path="/" + "a" * 20_000, method="GET")),
    "long header": (400, write_request(VALID, JSON, "X-Long: " + "a" * 20_000)),
    "broken path": (400, write_request(b"", path="/\xff\xfe", method="GET")),
    "unknown method": (400, write_request(VALID, JSON, method="FETCH")),
    "another protocol": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
}


@pytest.mark.parametrize("sent", ACCEPTED.values(), ids=ACCEPTED)
def test_every_valid_request_is_answered(port: int, saved: Saved, sent: bytes) -> None:
    head, _, body = send_raw(port, sent).rpartition(b"\r\n\r\n")
    assert b"HTTP/1.1 200 OK" in head
    assert json.loads(body)["predictions"] == pytest.approx(saved.predict(releases.make_rows(2)), rel=1e-9)


@pytest.mark.parametrize(("expected", "sent"), REJECTED.values(), ids=REJECTED)
def test_every_invalid_request_gets_a_4xx(client: Client, port: int, expected: int, sent: bytes) -> None:
    del client  # checks afterwards that the server works
    answer = send_raw(port, sent)
    assert read_status(answer) == expected
    assert json.loads(answer.rpartition(b"\r\n\r\n")[2])["error_code"]


def test_a_body_beyond_the_limit_is_rejected(client: Client) -> None:
    answer = client.post(b" " * 1_100_000)
    assert (answer.status, answer.json["error_code"]) == (413, "REQUEST_TOO_LARGE")
    assert answer.message == "The body is larger than 1 MB; send fewer rows at a time."
    assert client.post(VALID).status == 200  # on the same connection


def test_requests_can_be_pipelined(port: int, saved: Saved) -> None:
    bodies_ = [json.dumps({"dataframe_records": releases.make_rows(count)}).encode() for count in (1, 4, 2)]
    sent = [
        write_request(b"{", JSON, last=False),
        *(write_request(body, JSON, last=body is bodies_[-1]) for body in bodies_),
    ]
    answers = send_raw(port, b"".join(sent)).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"400", b"200", b"200", b"200"]
    predictions = [json.loads(answer.rpartition(b"\r\n\r\n")[2])["predictions"] for answer in answers[1:]]
    assert predictions == [pytest.approx(saved.predict(releases.make_rows(count)), rel=1e-9) for count in (1, 4, 2)]


def test_a_slow_client_does_not_block_others(client: Client, port: int) -> None:
    sent = write_request(VALID, JSON)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as slow:
        for at in range(0, len(sent), 100):
            slow.sendall(sent[at : at + 100])
            assert client.post(VALID).status == 200
        assert read_status(slow.recv(65536)) == 200


@pytest.mark.parametrize("how", ["closed", "reset", "half closed"])
def test_a_client_that_disconnects_is_not_logged(
    port: int, how: str, caplog: pytest.LogCaptureFixture, client: Client
) -> None:
    del client
    before = read_metrics(port)
    whole = write_request(VALID, JSON)
    for sent in (whole[:-20], whole, whole[:60]):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as gone:
            gone.sendall(sent)
            if how == "reset":
                gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif how == "half closed":
                gone.shutdown(socket.SHUT_WR)
    counted = "mlrunner_request_seconds_count"
    wait_until(lambda: read_metrics(port)[counted] - before[counted] >= 2)
    assert {name for name, value in read_metrics(port).items() if "requests_total/5" in name and value} == set()
    assert [record for record in caplog.records if record.name.startswith("mlrunner")] == []


def test_client_errors_are_not_logged(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        for body in (b"{", b"[" * 100_000 + b"NaN", b'{"\\ud800": NaN}', b"{}"):
            assert client.post(body).status == 400
    assert [record for record in caplog.records if record.name.startswith("mlrunner")] == []


# --- anything -----------------------------------------------------------------------------------------------


def post_anything(client: Client, body: bytes, content_type: str = "application/json") -> int:
    """Send anything; the response has predictions or an error message."""
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
    post_anything(client, body, content_type)


@SETTINGS
@given(anything, st.sampled_from([*bodies.FORMS, ""]))
def test_any_json(client: Client, value: Any, key: str) -> None:
    post_anything(client, json.dumps({key: value} if key else value).encode())


@SETTINGS
@given(
    st.lists(releases.row, min_size=1, max_size=3),
    st.dictionaries(st.sampled_from([*KINDS, "other", "Size"]), anything, min_size=1, max_size=3),
    st.sets(st.sampled_from(list(KINDS)), max_size=2),
    st.sampled_from(["dataframe_records", "inputs", "instances"]),
)
def test_any_value_in_any_column(client: Client, rows: list[Row], odd: Row, absent: set[str], form: str) -> None:
    rows[-1] = {name: value for name, value in {**rows[-1], **odd}.items() if name not in absent}
    post_anything(client, json.dumps({form: rows}).encode())


@SETTINGS
@given(
    st.lists(st.sampled_from(list(KINDS)) | st.text(max_size=3), max_size=14),
    st.lists(st.lists(st.sampled_from(["far", "", "1", "true", "2020-01-01", '"', "\n", "é", "1e999"]), max_size=14)),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n", "\r", "\n\n"]),
)
def test_any_csv(client: Client, header: list[str], rows: list[list[str]], comma: str, ending: str) -> None:
    post_anything(client, ending.join(comma.join(row) for row in [header, *rows]).encode(), "text/csv; charset=utf-8")


EXTREME = [1.7e308, -1.7e308, 5e-324, -0.0, 2**53 + 1, 10**300, 1e-300]


@pytest.mark.parametrize("size", EXTREME, ids=repr)
def test_extreme_numbers(client: Client, size: float) -> None:
    post_anything(client, json.dumps({"dataframe_records": [make_row(size), make_row(1.0)]}).encode())


# --- many at once -------------------------------------------------------------------------------------------


class Crowd:
    """Clients with concurrent requests, each with rows of its own."""

    def __init__(self, port: int, saved: Saved) -> None:
        self._url, self._saved = f"http://127.0.0.1:{port}/invocations", saved
        self.statuses: list[int] = []

    async def send_valid(self, session: aiohttp.ClientSession, seed: int) -> None:
        rows = releases.make_rows(seed % 20 + 1, seed)
        async with session.post(self._url, json={"dataframe_records": rows}) as answer:
            predictions = (await answer.json())["predictions"]
        self.statuses.append(answer.status)
        assert predictions == pytest.approx(self._saved.predict(rows), rel=1e-9)

    async def send_invalid(self, session: aiohttp.ClientSession, seed: int) -> None:
        rows = [*releases.make_rows(3, seed), {**releases.make_rows(1)[0], "town": f"town {seed}"}]
        async with session.post(self._url, json={"dataframe_records": rows}) as answer:
            message = (await answer.json())["message"]
        self.statuses.append(answer.status)
        assert f"row 3 has 'town {seed}'" in message

    async def run(self, requests: int) -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=40)) as session:
            sending = [
                (self.send_invalid if seed % 7 == 3 else self.send_valid)(session, seed) for seed in range(requests)
            ]
            random.Random(0).shuffle(sending)
            await asyncio.gather(*sending)


def test_concurrent_clients_get_their_own_predictions(port: int, saved: Saved, client: Client) -> None:
    del client
    before, crowd = read_metrics(port), Crowd(port, saved)
    asyncio.run(crowd.run(70))
    after = read_metrics(port)
    assert (crowd.statuses.count(200), crowd.statuses.count(422)) == (60, 10)
    batches = after["mlrunner_batch_rows_count"] - before["mlrunner_batch_rows_count"]
    assert 0 < batches < 60  # waiting requests are batched
    assert after["mlrunner_rows_total"] - before["mlrunner_rows_total"] == sum(
        seed % 20 + 1 for seed in range(70) if seed % 7 != 3
    )


def test_a_row_that_makes_the_model_raise_fails_its_request_only(faulty_port: int) -> None:
    async def ask(session: aiohttp.ClientSession, size: float) -> tuple[int, Any]:
        url, rows = f"http://127.0.0.1:{faulty_port}/invocations", [make_row(size), make_row(-size)]
        async with session.post(url, json={"dataframe_records": rows}) as answer:
            return answer.status, await answer.json()

    async def crowd() -> list[tuple[int, Any]]:
        async with aiohttp.ClientSession() as session:
            sizes = [releases.RAISES if number % 9 == 4 else float(number) for number in range(45)]
            return list(await asyncio.gather(*(ask(session, size) for size in sizes)))

    for number, (code, answer) in enumerate(asyncio.run(crowd())):
        if number % 9 == 4:
            assert (code, answer["error_code"]) == (500, "INTERNAL_ERROR")
            assert answer["message"] == "RuntimeError: the model failed."
        else:
            assert (code, answer) == (200, {"predictions": [number, -number]})


def test_a_prediction_beyond_the_time_limit_is_a_504(impatient_port: int) -> None:
    with Client(impatient_port) as client:
        answer = client.post({"dataframe_records": [make_row(releases.SLOW)]})
        assert (answer.status, answer.json["error_code"]) == (504, "DEADLINE_EXCEEDED")
        assert answer.message == "No answer within 0.3 s; send fewer rows at a time."
        assert wait_until(lambda: client.post({"dataframe_records": [make_row(2.0)]}).status == 200)
