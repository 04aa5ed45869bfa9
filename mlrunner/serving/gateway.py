"""The gateway of a deployment: one stable address in front of the server that its `state.json` names.

A rollout writes the file. The next request goes to the new server, while the old one keeps running and answers the
requests in flight. The gateway restarts a server that no longer answers, with the command that the file holds.
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from mlrunner.serving import connections, gateway_routes, heartbeat, hosts, log_file, verified_session
from mlrunner.serving.connections import MAX_CONNECTIONS
from mlrunner.serving.errors import RequestError
from mlrunner.serving.gateway_routes import STATE_FILE, Route
from mlrunner.serving.health_check import HealthCheck, HealthMonitor
from mlrunner.serving.intake import Intake
from mlrunner.serving.monitoring import CONTENT_TYPE, GatewayMetrics
from mlrunner.serving.responses import answer_expectation, error_response, explain_error

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
REQUEST_HEADERS = ("Content-Type", "Content-Encoding", "Accept")  # forwarded to the server
RESPONSE_HEADERS = ("Content-Type", "X-Model", "Allow", "Retry-After")  # forwarded to the client


class Gateway:
    """Forward, count and limit requests, and restart a server that does not answer."""

    def __init__(self, folder: Path, health_check: HealthCheck | None = None) -> None:
        self._file, self._health_check = folder / STATE_FILE, health_check or HealthCheck()
        self._metrics, self._own_hosts = GatewayMetrics(), hosts.read_own_hosts(self._file)
        self._fingerprint = gateway_routes.read_fingerprint(self._file)
        self._route = gateway_routes.read_route(self._file)
        self._monitor = HealthMonitor(self.route, self._health_check, self._metrics.restarts)

    def route(self) -> Route:
        """Return the current route; read it again if the file has changed and is valid."""
        try:
            fingerprint = gateway_routes.read_fingerprint(self._file)
            if fingerprint != self._fingerprint:
                route = gateway_routes.read_route(self._file)
                if route.url != self._route.url:
                    self._metrics.switches.inc()
                self._route, self._fingerprint = route, fingerprint
        except (OSError, ValueError, LookupError, TypeError):
            pass  # the deployment is being removed, or the file was edited
        return self._route

    def application(self, body_limit: float, max_connections: int = MAX_CONNECTIONS) -> web.Application:
        """Build the application.

        Args:
            body_limit: Maximum size of a body in megabytes.
            max_connections: Maximum number of connections.
        """
        self._body_limit, self._intake = body_limit, Intake(body_limit, max_connections)

        @web.middleware
        async def handle(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._respond(request, handler)

        app = web.Application(middlewares=[handle])
        app.router.add_get("/metrics", self._get_metrics, expect_handler=answer_expectation)
        app.router.add_route("*", "/{path:.*}", self._forward, expect_handler=answer_expectation)
        app.cleanup_ctx.append(self._open_session)
        app.cleanup_ctx.append(self._run_health_checks)
        return app

    async def _open_session(self, app: web.Application) -> AsyncIterator[None]:
        del app
        async with verified_session.open_session() as self._session:
            yield

    async def _run_health_checks(self, app: web.Application) -> AsyncIterator[None]:
        del app
        task = asyncio.create_task(self._monitor.run(self._session))
        yield
        task.cancel()
        self._monitor.close()

    async def _respond(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse foreign names and pages, and answer in JSON what has no route, such as CONNECT."""
        problem = self._own_hosts.find_problem(request)
        if problem is not None:
            return error_response(HTTPStatus.FORBIDDEN, problem)
        try:
            return await handler(request)
        except web.HTTPException as error:
            return error_response(error.status, f"There is no {request.method} {request.path}.")

    async def _forward(self, request: web.Request) -> web.Response:
        start, route = time.perf_counter(), self.route()
        with self._metrics.waiting.track_inprogress():
            try:
                async with self._intake.read(request, route.timeout) as body:
                    response = await self._send_with_retry(request, body)
            except (RequestError, web.HTTPRequestEntityTooLarge, TimeoutError) as error:
                response = error_response(*explain_error(error, self._route.timeout, self._body_limit))
        if request.path == "/invocations":
            self._metrics.requests.labels(response.status, route.version).inc()
            self._metrics.seconds.observe(time.perf_counter() - start)
        return response

    async def _send_with_retry(self, request: web.Request, body: bytes) -> web.Response:
        """Send the request; retry once on a new connection, as a restarted server closes the old one."""
        headers = {name: request.headers[name] for name in REQUEST_HEADERS if name in request.headers}
        for attempt in range(2):
            route = self.route()
            try:
                return await self._send(request, route, body, headers)
            except TimeoutError:  # some are a ClientError as well
                raise
            except aiohttp.ClientError:
                if attempt == 0:
                    await asyncio.sleep(0.02)
        message = f"Version {self._route.version} does not answer; it is being restarted, try again in a few seconds."
        return error_response(HTTPStatus.SERVICE_UNAVAILABLE, message)

    async def _send(self, request: web.Request, route: Route, body: bytes, headers: dict[str, str]) -> web.Response:
        url, timeout = f"{route.url}{request.rel_url}", aiohttp.ClientTimeout(route.timeout + 1)
        options: dict[str, Any] = {"timeout": timeout, "allow_redirects": False, "trace_request_ctx": route}
        sending = self._session.request(request.method, url, data=body, headers=headers, **options)
        async with sending as response:
            forwarded = {name: response.headers[name] for name in RESPONSE_HEADERS if name in response.headers}
            return web.Response(body=await response.read(), status=response.status, headers=forwarded)

    async def _get_metrics(self, request: web.Request) -> web.Response:
        """Return the metrics of the gateway, followed by those of the server."""
        del request
        text, route = self._metrics.format(), self.route()
        try:
            timeout = aiohttp.ClientTimeout(self._health_check.timeout)
            async with self._session.get(f"{route.url}/metrics", timeout=timeout, trace_request_ctx=route) as response:
                text += await response.read() if response.status == HTTPStatus.OK else b""
        except (aiohttp.ClientError, TimeoutError):
            pass  # the metrics of the gateway are returned without those of the server
        return web.Response(body=text, headers=CONTENT_TYPE)


def serve(folder: Path, listening: socket.socket, pipe: int | None = None) -> int:
    """Serve the deployment of a folder until SIGTERM; `gateway_supervisor` calls it.

    Args:
        folder: Folder of the deployment.
        listening: Socket.
        pipe: Descriptor for heartbeats.
    """
    state: dict[str, Any] = json.loads((folder / STATE_FILE).read_text())
    log_file.configure_log()
    max_connections = connections.raise_descriptor_limit(per_connection=2)  # one to the client, one to the server
    app = Gateway(folder).application(state["body_limit"], max_connections)
    heartbeat.send(app, pipe)
    connections.run(app, listening, max_connections)
    return 0
