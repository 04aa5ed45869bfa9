"""Limits of requests: time, size once the body is inflated, and rows."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from http import HTTPStatus

from mlrunner.serving.errors import RequestError

MEGABYTE = 1024 * 1024
WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}  # zlib's number for each Content-Encoding
JSON_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"')
SPARE_BRACKETS = 64  # of a body beside those of its rows


@dataclass(frozen=True)
class Limits:
    """Hold the limits of a server.

    Args:
        timeout: Maximum seconds of a request.
        body_limit: Maximum size of a body in megabytes.
        batch_rows: Maximum number of rows in a batch.
        row_limit: Maximum number of rows in a request.
    """

    timeout: float = 60.0
    body_limit: float = 64.0
    batch_rows: int = 1024
    row_limit: int = 1_000_000


def read_encoding(header: str | None) -> str | None:
    """Read a Content-Encoding; None when the body is sent as it is.

    Raises:
        RequestError: If it is not one of `WINDOW_BITS`.
    """
    encoding = (header or "identity").strip().lower()
    if encoding not in ("identity", *WINDOW_BITS):
        message = f"Content-Encoding {encoding!r} is not read; send gzip, deflate or none."
        raise RequestError(message, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    return None if encoding == "identity" else encoding


def inflate(body: bytes, encoding: str | None, megabytes: float) -> bytes:
    """Decompress a body, and no more of it than may be sent uncompressed.

    Raises:
        RequestError: If it is damaged or incomplete, or larger than the limit.
    """
    if encoding is None:
        return body
    inflater, limit = zlib.decompressobj(WINDOW_BITS[encoding]), int(megabytes * MEGABYTE)
    try:
        inflated = inflater.decompress(body, limit + 1)
    except zlib.error as error:
        raise RequestError(f"The body is not {encoding}, as Content-Encoding says ({error}).") from error
    if len(inflated) > limit:
        raise RequestError(explain_size(megabytes), HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    if not inflater.eof or inflater.unused_data:
        raise RequestError(f"The body is not one complete {encoding} stream, as Content-Encoding says.")
    return inflated


def explain_size(megabytes: float) -> str:
    """Return the message about a body that is too large."""
    return f"The body is larger than {megabytes:g} MB; send fewer rows at a time."


def refuse_brackets(body: bytes, row_limit: int) -> None:
    """Refuse JSON with more objects and lists than it may have rows, before each becomes a Python object.

    Raises:
        RequestError: If there are too many.
    """
    if _count_brackets(body) > row_limit + SPARE_BRACKETS and (
        _count_brackets(JSON_TEXT.sub(b"", body)) > row_limit + SPARE_BRACKETS
    ):
        raise _too_many_rows(row_limit)


def refuse_rows(rows: int, row_limit: int) -> None:
    """Refuse more rows than a request may have.

    Raises:
        RequestError: If there are too many.
    """
    if rows > row_limit:
        raise _too_many_rows(row_limit)


def _count_brackets(body: bytes) -> int:
    return body.count(b"{") + body.count(b"[")


def _too_many_rows(row_limit: int) -> RequestError:
    message = f"The body has more than {row_limit} rows; send fewer rows at a time."
    return RequestError(message, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
