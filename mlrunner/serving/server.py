"""The model server: MLflow's scoring protocol for one released model."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

from mlrunner.serving import hang_watch, identity, large_requests, requests
from mlrunner.serving.batching import Batcher
from mlrunner.serving.connections import MAX_CONNECTIONS
from mlrunner.serving.intake import Intake
from mlrunner.serving.large_requests import Answer, LargeRequest
from mlrunner.serving.limits import Limits, read_encoding
from mlrunner.serving.model import ServedModel
from mlrunner.serving.monitoring import CONTENT_TYPE, ServerMetrics
from mlrunner.serving.responses import (
    answer_expectation,
    error_response,
    explain_error,
    json_response,
    predictions_body,
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
AnswerLarge = Callable[[LargeRequest], Awaitable[Answer]]
# Facts of the release that `/version` shows to anybody: neither folders nor scores nor what identifies the data.
PUBLIC_FACTS = (
    *("name", "version", "run_id", "run_name", "model_uri", "model"),
    *("dataset", "task", "target", "metric", "gate", "registered_at"),
)
MEDIUM_BODY = 32 * 1024  # bytes from which a body is parsed in a thread, so that small requests do not wait
LARGE_BODY = 512 * 1024  # bytes from which a request is answered in a process of its own, which can be killed
MANY_ROWS = 10_000  # rows from which it is so, too


class ModelServer:
    """Handle the requests to one model.

    Args:
        model: Model to serve.
        token: Token that `/identity` proves to know.
        limits: Limits of time and size.
        instance: Name that `/version` shows; by default that of the token.
        answer_large: Function that answers a large request in a process; None: in a thread, which cannot be killed.
    """

    def __init__(
        self,
        model: ServedModel,
        token: str,
        limits: Limits,
        instance: str = "",
        answer_large: AnswerLarge | None = None,
    ) -> None:
        self._model, self._token, self._limits = model, token, limits
        self._answer_large = answer_large or self._answer_in_thread
        self._metrics = ServerMetrics()
        self._batchers = [
            Batcher(method, limits.batch_rows, self._metrics.count_batch)
            for method in (model.predict, model.predict_proba)
        ]
        schema = {"columns": list(model.schema.describe()), "example": orjson.Fragment(model.example)}
        schema |= {} if model.classes is None else {"classes": model.classes}
        self._schema = orjson.dumps(schema)
        public = {name: value for name, value in model.facts.items() if name in PUBLIC_FACTS}
        facts = {**public, "instance": instance or identity.instance_name(token)}
        self._version = orjson.dumps(facts, option=orjson.OPT_NON_STR_KEYS)
        self._headers = {"X-Model": f"{model.facts.get('name')}/{model.facts.get('version')}"}

    def application(self, max_connections: int = MAX_CONNECTIONS) -> web.Application:
        """Build the application for a maximum number of connections."""
        self._intake = Intake(self._limits.body_limit, max_connections)

        @web.middleware
        async def handle(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._measure(request, handler)

        app = web.Application(middlewares=[handle])
        hang_watch.watch(app, self._batchers, self._limits.timeout)
        expecting: dict[str, Any] = {"expect_handler": answer_expectation}
        app.router.add_post("/invocations", self._post_invocations, **expecting)
        for path, get in (
            ("/ping", self._get_health),
            ("/health", self._get_health),
            ("/version", self._get_version),
            (identity.PATH, self._get_identity),
            ("/schema", self._get_schema),
            ("/metrics", self._get_metrics),
        ):
            app.router.add_get(path, get, **expecting)
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
        except Exception as error:
            status, message = explain_error(error, self._limits.timeout, self._limits.body_limit)
            response = error_response(status, _explain(request, status) or message)
            if isinstance(error, web.HTTPException) and "Allow" in error.headers:
                response.headers["Allow"] = error.headers["Allow"]
            return response

    async def _post_invocations(self, request: web.Request) -> web.Response:
        async with self._intake.read(request, self._limits.timeout) as body:
            return await self._answer(request, body)

    async def _answer(self, request: web.Request, body: bytes) -> web.Response:
        content_type = requests.read_media_type(request.headers.get("Content-Type"))
        encoding = read_encoding(request.headers.get("Content-Encoding"))
        sent = LargeRequest(body, content_type, encoding, request.query.get("probabilities"))
        if encoding is not None or len(body) > LARGE_BODY:
            return await self._answer_apart(sent)
        async with asyncio.timeout(self._limits.timeout):
            if len(body) > MEDIUM_BODY:
                arrays = await asyncio.to_thread(self._model.read, body, content_type)
            else:
                arrays = self._model.read(body, content_type)
            if len(next(iter(arrays.values()))) > min(MANY_ROWS, self._limits.row_limit):
                return await self._answer_apart(sent)
            self._metrics.count_unknown(self._model.count_unknown(arrays))
            has_proba = requests.wants_probabilities(body, content_type, sent.probabilities)
            predictions = await self._batchers[has_proba].predict(arrays)
        content = predictions_body(predictions, self._model.classes if has_proba else None)
        return json_response(HTTPStatus.OK, content, self._headers)

    async def _answer_in_thread(self, request: LargeRequest) -> Answer:
        async with asyncio.timeout(self._limits.timeout):
            return await asyncio.to_thread(large_requests.answer, self._model, self._limits, request)

    async def _answer_apart(self, request: LargeRequest) -> web.Response:
        """Answer a large request in a process of its own."""
        answer = await self._answer_large(request)
        self._metrics.count_unknown(answer.unknown)
        if answer.rows:
            self._metrics.count_batch(answer.rows)
        headers = self._headers if answer.status == HTTPStatus.OK else None
        return json_response(answer.status, answer.content, headers)

    async def _get_health(self, request: web.Request) -> web.Response:
        del request
        return web.Response(text="\n", headers=self._headers)

    async def _get_version(self, request: web.Request) -> web.Response:
        del request
        return web.Response(body=self._version, content_type="application/json")

    async def _get_identity(self, request: web.Request) -> web.Response:
        return json_response(
            HTTPStatus.OK, orjson.dumps(identity.prove(self._token, request.query.get("challenge", "")))
        )

    async def _get_schema(self, request: web.Request) -> web.Response:
        del request
        return web.Response(body=self._schema, content_type="application/json")

    async def _get_metrics(self, request: web.Request) -> web.Response:
        del request
        return web.Response(body=self._metrics.format(), headers=CONTENT_TYPE)


def _explain(request: web.Request, status: int) -> str | None:
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return f"{request.method} {request.path} is not supported; request predictions with POST /invocations."
    if status == HTTPStatus.NOT_FOUND:
        return f"There is no {request.path}; there are /invocations, /ping, /health, /version, /schema and /metrics."
    return None
