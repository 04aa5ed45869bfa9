"""The model server: MLflow's scoring protocol over one released model."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

from mlrunner.core.errors import DataError
from mlrunner.serving import requests
from mlrunner.serving.batching import Batcher
from mlrunner.serving.errors import RequestError, error_body
from mlrunner.serving.model import ServedModel
from mlrunner.serving.monitoring import CONTENT_TYPE, ServerMetrics

log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LARGE_BODY = 32 * 1024  # bytes of a body; larger ones are read beside the loop, so that small ones need not wait
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """What a server grants.

    Args:
        timeout: Seconds that a request may take.
        body_limit: Megabytes of a body.
        batch_rows: Most rows of waiting requests that go to the model together.
    """

    timeout: float = 60.0
    body_limit: float = 64.0
    batch_rows: int = 1024


class ModelServer:
    """The handlers of one model."""

    def __init__(self, model: ServedModel, token: str, limits: Limits) -> None:
        self._model, self._limits = model, limits
        self._meters = ServerMetrics()
        self._batcher = Batcher(model.predict, limits.batch_rows, self._meters.batch)
        schema = {"columns": list(model.schema.described()), "example": orjson.Fragment(model.example)}
        self._schema = orjson.dumps(schema)
        self._version = orjson.dumps({**model.facts, "instance": token}, option=orjson.OPT_NON_STR_KEYS)
        self._headers = {"X-Model": f"{model.facts.get('name')}/{model.facts.get('version')}"}

    def application(self) -> web.Application:
        """Build the application."""

        @web.middleware
        async def sentences(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._measured(request, handler)

        app = web.Application(client_max_size=int(self._limits.body_limit * MEGABYTE), middlewares=[sentences])
        app.router.add_post("/invocations", self._invocations)
        app.router.add_get("/ping", self._healthy)
        app.router.add_get("/health", self._healthy)
        app.router.add_get("/version", self._told_version)
        app.router.add_get("/schema", self._told_schema)
        app.router.add_get("/metrics", self._told_metrics)
        return app

    async def _measured(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        began = time.perf_counter()
        response = await self._answered(request, handler)
        if request.path == "/invocations":
            self._meters.requests.labels(response.status).inc()
            self._meters.seconds.observe(time.perf_counter() - began)
        return response

    async def _answered(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer whatever goes wrong with one sentence in JSON."""
        try:
            return await handler(request)
        except RequestError as error:
            return error_response(error.status, error.message)
        except DataError as error:  # of a cleaning strategy that cannot read what the columns hold
            return error_response(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        except web.HTTPRequestEntityTooLarge:
            told = f"The body is larger than {self._limits.body_limit:g} MB; send fewer rows at a time."
            return error_response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, told)
        except web.HTTPException as error:
            response = error_response(error.status, _where(request, error))
            response.headers.update({name: error.headers[name] for name in ("Allow",) if name in error.headers})
            return response
        except TimeoutError:
            told = f"No answer within {self._limits.timeout:g} s; send fewer rows at a time."
            return error_response(HTTPStatus.GATEWAY_TIMEOUT, told)
        except Exception as error:
            log.exception("a request failed")
            first = str(error).partition("\n")[0].rstrip(".")
            return error_response(HTTPStatus.INTERNAL_SERVER_ERROR, f"{type(error).__name__}: {first}.")

    async def _invocations(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        async with asyncio.timeout(self._limits.timeout):
            if len(body) > LARGE_BODY:
                arrays = await asyncio.to_thread(self._read, body, request.content_type)
            else:
                arrays = self._read(body, request.content_type)
            found = await self._batcher.predict(arrays)
        return json_response(200, {"predictions": found}, self._headers)

    def _read(self, body: bytes, content_type: str) -> dict[str, Any]:
        given = requests.read_columns(body, content_type, self._model.schema.names)
        return self._model.schema.checked(given, content_type in requests.CSV_TYPES)

    async def _healthy(self, request: web.Request) -> web.Response:
        del request
        return web.Response(text="\n", headers=self._headers)

    async def _told_version(self, request: web.Request) -> web.Response:
        del request
        return web.Response(body=self._version, content_type="application/json")

    async def _told_schema(self, request: web.Request) -> web.Response:
        del request
        return web.Response(body=self._schema, content_type="application/json")

    async def _told_metrics(self, request: web.Request) -> web.Response:
        del request
        return web.Response(body=self._meters.text(), headers=CONTENT_TYPE)


async def read_body(request: web.Request) -> bytes:
    """Read a request's body.

    Raises:
        RequestError: When it is broken, or the client has gone.
        web.HTTPRequestEntityTooLarge: When it is beyond the limit.
    """
    try:
        return await request.read()
    except (web.RequestPayloadError, ConnectionError) as error:
        raise RequestError("The body broke off, or is not encoded as its headers say.") from error


def _where(request: web.Request, error: web.HTTPException) -> str:
    if error.status == HTTPStatus.METHOD_NOT_ALLOWED:
        return f"{request.method} {request.path} is not answered; predictions are asked for with POST /invocations."
    if error.status == HTTPStatus.NOT_FOUND:
        return f"There is no {request.path}; there are /invocations, /ping, /health, /version, /schema and /metrics."
    return error.reason


def error_response(status: int, message: str) -> web.Response:
    """Answer an error."""
    return json_response(status, error_body(status, message))


def json_response(status: int, told: Any, headers: dict[str, str] | None = None) -> web.Response:
    """Answer JSON."""
    return web.Response(body=orjson.dumps(told), status=status, content_type="application/json", headers=headers)
