"""Errors as a status and one sentence."""

from __future__ import annotations

import json

import pytest
from aiohttp import web

from mlrunner.core.errors import DataError
from mlrunner.serving import responses
from mlrunner.serving.errors import RequestError


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (RequestError("Wrong."), 400, "Wrong."),
        (DataError("No date."), 422, "No date."),
        (web.HTTPRequestEntityTooLarge(1, 2), 413, "The body is larger than 3 MB; send fewer rows at a time."),
        (TimeoutError(), 504, "No answer within 2.5 s; send fewer rows at a time."),
        (MemoryError(), 413, "The request needs too much memory; send fewer rows at a time."),
        (KeyError("a\nb"), 500, "KeyError: 'a\\nb'."),
    ],
)
def test_every_error_has_a_status_and_a_sentence(error: Exception, status: int, message: str) -> None:
    assert responses.explain_error(error, 2.5, 3.0) == (status, message)


def test_a_busy_server_names_when_to_try_again() -> None:
    response = responses.error_response(503, "Busy.")
    assert (response.status, response.headers["Retry-After"]) == (503, "5")
    assert json.loads(response.body or b"") == {"error_code": "TEMPORARILY_UNAVAILABLE", "message": "Busy."}  # type: ignore[arg-type]


def test_predictions() -> None:
    assert responses.predictions_body([1.5], None) == b'{"predictions":[1.5]}'
    assert responses.predictions_body([[0.5, 0.5]], ["a", "b"]) == b'{"predictions":[[0.5,0.5]],"classes":["a","b"]}'
