"""The gateway of a deployment: one stable address, in front of the server that its `state.json` names.

It follows the file: whoever switches writes it, and the next request goes to the new server, while those under way
are answered by the old one, which goes on. A server that does not answer any more is restarted by the command that
the file holds.
"""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from mlrunner.serving import gateway_routes
from mlrunner.serving.errors import RequestError
from mlrunner.serving.gateway_routes import STATE_FILE, Route
from mlrunner.serving.monitoring import CONTENT_TYPE, GatewayMetrics
from mlrunner.serving.server import MEGABYTE, error_response, read_body

LOOK = 1.0  # seconds between two looks at the server
PATIENCE = 5.0  # seconds that it may take to answer such a look
CALM = (0.0, 5.0, 15.0, 60.0)  # seconds before each further attempt to restart it
HEADERS = ("Content-Type", "Accept")  # that concern the server
TOLD = ("Content-Type", "X-Model", "Allow", "Retry-After")  # that concern the client
log = logging.getLogger(__name__)


class Gateway:
    """Forwards, measures, limits, and has a dead server restarted."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / STATE_FILE
        self._meters = GatewayMetrics()
        self._read, self._route = gateway_routes.read_fingerprint(self._file), gateway_routes.read_route(self._file)
        self._mending: subprocess.Popen[bytes] | None = None

    def route(self) -> Route:
        """Read where requests go, if the file has changed; a file that does not tell changes nothing."""
        try:
            mark = gateway_routes.read_fingerprint(self._file)
            if mark != self._read:
                route = gateway_routes.read_route(self._file)
                if route.url != self._route.url:
                    self._meters.switches.inc()
                self._route, self._read = route, mark
        except (OSError, ValueError, LookupError, TypeError):
            pass  # it is being removed, or was written by hand
        return self._route

    def application(self, body_limit: float) -> web.Application:
        """Build the application.

        Args:
            body_limit: Megabytes of a body.
        """
        self._body_limit = body_limit
        app = web.Application(client_max_size=int(body_limit * MEGABYTE))
        app.router.add_get("/metrics", self._told_metrics)
        app.router.add_route("*", "/{path:.*}", self._forward)
        app.cleanup_ctx.append(self._client)
        app.cleanup_ctx.append(self._watching)
        return app

    async def _client(self, app: web.Application) -> AsyncIterator[None]:
        del app
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as self._session:
            yield

    async def _watching(self, app: web.Application) -> AsyncIterator[None]:
        del app
        task = asyncio.create_task(self._watch())
        yield
        task.cancel()
        if self._mending is not None:
            self._mending.poll()

    async def _forward(self, request: web.Request) -> web.Response:
        began, route = time.perf_counter(), self.route()
        with self._meters.waiting.track_inprogress():
            try:
                response = await self._asked(request, await read_body(request))
            except RequestError as error:
                response = error_response(error.status, error.message)
            except web.HTTPRequestEntityTooLarge:
                told = f"The body is larger than {self._body_limit:g} MB; send fewer rows at a time."
                response = error_response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, told)
        if request.path == "/invocations":
            self._meters.requests.labels(response.status, route.version).inc()
            self._meters.seconds.observe(time.perf_counter() - began)
        return response

    async def _asked(self, request: web.Request, body: bytes) -> web.Response:
        """Ask the server; once more where the first connection had died, which a restarted server explains."""
        headers = {name: request.headers[name] for name in HEADERS if name in request.headers}
        for attempt in range(2):
            route = self.route()
            try:
                return await self._answered(request, route, body, headers)
            except TimeoutError:
                told = f"No answer within {route.timeout:g} s; send fewer rows at a time."
                return error_response(HTTPStatus.GATEWAY_TIMEOUT, told)
            except aiohttp.ClientError:
                if attempt == 0:
                    await asyncio.sleep(0.02)
        told = f"Version {self._route.version} does not answer; it is being restarted, ask again in a few seconds."
        failed = error_response(HTTPStatus.SERVICE_UNAVAILABLE, told)
        failed.headers["Retry-After"] = "5"
        return failed

    async def _answered(self, request: web.Request, route: Route, body: bytes, headers: dict[str, str]) -> web.Response:
        url, timeout = f"{route.url}{request.rel_url}", aiohttp.ClientTimeout(route.timeout + 1)
        asked = self._session.request(
            request.method, url, data=body, headers=headers, timeout=timeout, allow_redirects=False
        )
        async with asked as found:
            told = {name: found.headers[name] for name in TOLD if name in found.headers}
            return web.Response(body=await found.read(), status=found.status, headers=told)

    async def _told_metrics(self, request: web.Request) -> web.Response:
        """Tell the gateway's own numbers, and those of the server that serves."""
        del request
        text = self._meters.text()
        try:
            timeout = aiohttp.ClientTimeout(PATIENCE)
            async with self._session.get(f"{self.route().url}/metrics", timeout=timeout) as found:
                text += await found.read() if found.status == HTTPStatus.OK else b""
        except (aiohttp.ClientError, TimeoutError):
            pass  # the gateway's own are told all the same
        return web.Response(body=text, headers=CONTENT_TYPE)

    async def _watch(self) -> None:
        """Have the server restarted when it is gone, calmer with each attempt."""
        attempts, next_at = 0, 0.0
        while True:
            await asyncio.sleep(LOOK)
            mending = self._mending is not None and self._mending.poll() is None
            if await self._answers():
                attempts = 0
            elif time.monotonic() >= next_at and not mending:
                self._meters.restarts.inc()
                self._mend()
                attempts += 1
                next_at = time.monotonic() + CALM[min(attempts, len(CALM) - 1)]

    def _mend(self) -> None:
        try:
            self._mending = subprocess.Popen(self._route.restart, stdin=subprocess.DEVNULL)
        except (OSError, LookupError, ValueError):
            log.exception("the restart command cannot be run")

    async def _answers(self) -> bool:
        """Tell whether somebody listens; one that is busy does."""
        try:
            async with self._session.get(f"{self.route().url}/ping", timeout=aiohttp.ClientTimeout(PATIENCE)):
                return True
        except TimeoutError:
            return True
        except (aiohttp.ClientError, OSError, ValueError):
            return False


def main() -> int:
    """Serve the deployment of a folder until SIGTERM."""
    folder = Path(sys.argv[1])
    told: dict[str, Any] = json.loads((folder / STATE_FILE).read_text())
    app = Gateway(folder).application(told["body_limit"])
    web.run_app(app, host=told["host"], port=told["port"], print=lambda *_: None, access_log=None, shutdown_timeout=5.0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
