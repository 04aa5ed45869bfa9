"""Responses in JSON, errors in the format of MLflow's scoring server."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

from mlrunner.core.errors import DataError, first_line
from mlrunner.serving.errors import RequestError, error_body
from mlrunner.serving.limits import explain_size

log = logging.getLogger(__name__)
RETRY_SECONDS = "5"


def explain_error(error: Exception, seconds: float, megabytes: float) -> tuple[int, str]:
    """Convert an error of a request to a status and one sentence.

    Args:
        error: Error that ended the request.
        seconds: Maximum seconds of a request.
        megabytes: Maximum size of a body.
    """
    if isinstance(error, RequestError):
        return error.status, error.message
    if isinstance(error, DataError):  # raised by cleaning strategies that cannot parse a value
        return HTTPStatus.UNPROCESSABLE_ENTITY, str(error)
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return error.status, explain_size(megabytes)
    if isinstance(error, web.HTTPException):
        return error.status, error.reason
    if isinstance(error, TimeoutError):
        return HTTPStatus.GATEWAY_TIMEOUT, f"No answer within {seconds:g} s; send fewer rows at a time."
    if isinstance(error, MemoryError):
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request needs too much memory; send fewer rows at a time."
    log.error("a request failed", exc_info=error)
    return HTTPStatus.INTERNAL_SERVER_ERROR, f"{type(error).__name__}: {first_line(error)}."


def error_response(status: int, message: str) -> web.Response:
    """Return an error in the format of MLflow's scoring server."""
    headers = {"Retry-After": RETRY_SECONDS} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return json_response(status, orjson.dumps(error_body(status, message)), headers)


def json_response(status: int, content: bytes, headers: dict[str, str] | None = None) -> web.Response:
    """Return a JSON response."""
    return web.Response(body=content, status=status, content_type="application/json", headers=headers)


async def answer_expectation(request: web.BaseRequest) -> web.Response | None:
    """Ask for the body of a client that sends `Expect: 100-continue`, and refuse every other expectation.

    Args:
        request: Request whose body has not been read.
    """
    expectation = request.headers.get("Expect", "")
    if expectation.lower() != "100-continue":
        return error_response(HTTPStatus.EXPECTATION_FAILED, f"Expect: {expectation!r} is not met; leave it out.")
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0  # the response itself has not begun
    return None


def predictions_body(predictions: list[Any], classes: list[Any] | None) -> bytes:
    """Return predictions as MLflow's scoring server does; with probabilities also their classes."""
    return orjson.dumps({"predictions": predictions} | ({} if classes is None else {"classes": classes}))
