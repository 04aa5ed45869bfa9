"""Sizes and rows of bodies: right up to the limit, refused beyond it, and never inflated beyond it."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib

import pytest

from mlrunner.serving import limits
from mlrunner.serving.errors import RequestError


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_body_up_to_the_limit_is_inflated(encoding: str, compress: type[bytes]) -> None:
    body = b"ab" * (limits.MEGABYTE // 2)
    assert limits.inflate(compress(body), limits.read_encoding(encoding.upper()), 1.0) == body
    with pytest.raises(RequestError, match="larger than 1 MB") as raised:
        limits.inflate(compress(body + b"c"), encoding, 1.0)
    assert raised.value.status == 413


def test_no_more_is_inflated_than_the_limit() -> None:
    sent = gzip.compress(bytes(200 * limits.MEGABYTE))
    tracemalloc.start()
    with pytest.raises(RequestError):
        limits.inflate(sent, "gzip", 1.0)
    assert tracemalloc.get_traced_memory()[1] < 5 * limits.MEGABYTE
    tracemalloc.stop()


@pytest.mark.parametrize(
    "sent", [b"x", gzip.compress(b"rows", mtime=0)[:-1], gzip.compress(b"rows", mtime=0) + b"x", b""]
)
def test_a_damaged_body_is_refused(sent: bytes) -> None:
    with pytest.raises(RequestError, match="gzip") as raised:
        limits.inflate(sent, "gzip", 1.0)
    assert raised.value.status == 400


def test_encodings() -> None:
    assert [limits.read_encoding(header) for header in (None, "identity", " GZip ")] == [None, None, "gzip"]
    with pytest.raises(RequestError, match="'br' is not read; send gzip, deflate or none") as raised:
        limits.read_encoding("br")
    assert raised.value.status == 415


def test_brackets_beyond_the_rows_are_refused_but_not_those_within_texts() -> None:
    many = b'{"dataframe_records":[' + b"{}," * 1000 + b"{}]}"
    with pytest.raises(RequestError, match="more than 100 rows") as raised:
        limits.refuse_brackets(many, 100)
    assert raised.value.status == 413
    limits.refuse_brackets(many, 1001)
    limits.refuse_brackets(json.dumps({"inputs": ['[{"' * 1000, "\\"]}).encode(), 100)


def test_rows() -> None:
    limits.refuse_rows(3, 3)
    with pytest.raises(RequestError, match="more than 3 rows"):
        limits.refuse_rows(4, 3)
