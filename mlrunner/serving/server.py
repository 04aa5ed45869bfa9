"""The model server: MLflow's scoring protocol for one released model."""

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

from mlrunner.core.errors import DataError, first_line
from mlrunner.serving import identity, requests
from mlrunner.serving.batching import Batcher
from mlrunner.serving.errors import RequestError, error_body
from mlrunner.serving.model import ServedModel
from mlrunner.serving.monitoring import CONTENT_TYPE, ServerMetrics

log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LARGE_BODY = 32 * 1024  # bytes from which a body is parsed in a thread, so that small requests do not wait
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Hold the limits of a server.

    Args:
        timeout: Maximum seconds of a request.
        body_limit: Maximum size of a body in megabytes.
        batch_rows: Maximum number of rows in a batch.
    """

    timeout: float = 60.0
    body_limit: float = 64.0
    batch_rows: int = 1024


class ModelServer:
    """Handle the requests to one model.

    Args:
        model: Model to serve.
        token: Token that `/identity` proves to know.
        limits: Limits of time and size.
        instance: Name that `/version` shows; by default that of the token.
    """

    def __init__(self, model: ServedModel, token: str, limits: Limits, instance: str = "") -> None:
        self._model, self._token, self._limits = model, token, limits
        self._metrics = ServerMetrics()
        self._batchers = [
            Batcher(method, limits.batch_rows, self._metrics.count_batch)
            for method in (model.predict, model.predict_proba)
        ]
        schema = {"columns": list(model.schema.describe()), "example": orjson.Fragment(model.example)}
        schema |= {} if model.classes is None else {"classes": model.classes}
        self._schema = orjson.dumps(schema)
        facts = {**model.facts, "instance": instance or identity.instance_name(token)}
        self._version = orjson.dumps(facts, option=orjson.OPT_NON_STR_KEYS)
        self._headers = {"X-Model": f"{model.facts.get('name')}/{model.facts.get('version')}"}

    def application(self) -> web.Application:
        """Build the application."""

        @web.middleware
        async def handle(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._measure(request, handler)

        app = web.Application(client_max_size=int(self._limits.body_limit * MEGABYTE), middlewares=[handle])
        app.router.add_post("/invocations", self._post_invocations)
        app.router.add_get("/ping", self._get_health)
        app.router.add_get("/health", self._get_health)
        app.router.add_get("/version", self._get_version)
        app.router.add_get(identity.PATH, self._get_identity)
        app.router.add_get("/schema", self._get_schema)
        app.router.add_get("/metrics", self._get_metrics)
        return app

    async def _measure(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        start = time.perf_counter()
        response = await self._respond(request, handler)
        if request.path == "/invocations":
            self._metrics.requests.labels(response.status).inc()
            self._metrics.seconds.observe(time.perf_counter() - start)
        return response

    async def _respond(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Call the handler; convert every error to one sentence in JSON."""
        try:
            return await handler(request)
        except RequestError as error:
            return error_response(error.status, error.message)
        except DataError as error:  # raised by cleaning strategies that cannot parse a value
            return error_response(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        except web.HTTPRequestEntityTooLarge:
            return body_too_large(self._limits.body_limit)
        except web.HTTPException as error:
            response = error_response(error.status, _explain(request, error))
            response.headers.update({name: error.headers[name] for name in ("Allow",) if name in error.headers})
            return response
        except TimeoutError:
            return timed_out(self._limits.timeout)
        except Exception as error:
            log.exception("a request failed")
            message = f"{type(error).__name__}: {first_line(error)}."
            return error_response(HTTPStatus.INTERNAL_SERVER_ERROR, message)

    async def _post_invocations(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        content_type = requests.read_media_type(request.headers.get("Content-Type"))
        async with asyncio.timeout(self._limits.timeout):
            if len(body) > LARGE_BODY:
                arrays = await asyncio.to_thread(self._read_rows, body, content_type)
            else:
                arrays = self._read_rows(body, content_type)
            choice = request.query.get("probabilities")
            has_proba = requests.wants_probabilities(body, content_type, choice)
            predictions = await self._batchers[has_proba].predict(arrays)
        classes = {"classes": self._model.classes} if has_proba else {}
        return json_response(200, {"predictions": predictions, **classes}, self._headers)

    def _read_rows(self, body: bytes, content_type: str) -> dict[str, Any]:
        arrays = self._model.read(body, content_type)
        self._metrics.count_unknown(self._model.count_unknown(arrays))
        return arrays

    async def _get_health(self, request: web.Request) -> web.Response:
        del request
        return web.Response(text="\n", headers=self._headers)

    async def _get_version(self, request: web.Request) -> web.Response:
        del request
        return web.Response(body=self._version, content_type="application/json")

    async def _get_identity(self, request: web.Request) -> web.Response:
        return json_response(HTTPStatus.OK, identity.prove(self._token, request.query.get("challenge", "")))

    async def _get_schema(self, request: web.Request) -> web.Response:
        del request
        return web.Response(body=self._schema, content_type="application/json")

    async def _get_metrics(self, request: web.Request) -> web.Response:
        del request
        return web.Response(body=self._metrics.format(), headers=CONTENT_TYPE)


async def read_body(request: web.Request) -> bytes:
    """Read the body of a request.

    Raises:
        RequestError: If it is incomplete or wrongly encoded, or the client has disconnected.
        web.HTTPRequestEntityTooLarge: If it exceeds the limit.
    """
    try:
        return await request.read()
    except (web.RequestPayloadError, ConnectionError) as error:
        raise RequestError("The body is incomplete, or is not encoded as its headers say.") from error


def _explain(request: web.Request, error: web.HTTPException) -> str:
    if error.status == HTTPStatus.METHOD_NOT_ALLOWED:
        return f"{request.method} {request.path} is not supported; request predictions with POST /invocations."
    if error.status == HTTPStatus.NOT_FOUND:
        return f"There is no {request.path}; there are /invocations, /ping, /health, /version, /schema and /metrics."
    return error.reason


def body_too_large(megabytes: float) -> web.Response:
    """Return the response to a body that exceeds the limit."""
    message = f"The body is larger than {megabytes:g} MB; send fewer rows at a time."
    return error_response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)


def timed_out(seconds: float) -> web.Response:
    """Return the response to a request that exceeds the time limit."""
    return error_response(HTTPStatus.GATEWAY_TIMEOUT, f"No answer within {seconds:g} s; send fewer rows at a time.")


def error_response(status: int, message: str) -> web.Response:
    """Return an error in the format of MLflow's scoring server."""
    return json_response(status, error_body(status, message))


def json_response(status: int, content: Any, headers: dict[str, str] | None = None) -> web.Response:
    """Return a JSON response."""
    return web.Response(body=orjson.dumps(content), status=status, content_type="application/json", headers=headers)
