"""A model server that proves its identity, and answers `/invocations` with given values."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from mlrunner.serving import identity


class VersionServer:
    """Serve in a thread.

    Args:
        token: Token of the server.
        predictions: Answer of `/invocations`; None answers with status 500.
    """

    def __init__(self, token: str, predictions: list[Any] | None = None) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer(200, identity.prove(token, self.path.partition("=")[2]))

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                if predictions is None:
                    self.answer(500, {"message": "the model failed"})
                else:
                    self.answer(200, {"predictions": predictions})

            def answer(self, status: int, content: Any) -> None:
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> str:
        """Start, and return the address."""
        self._thread.start()
        return self.url

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
