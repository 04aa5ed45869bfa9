"""Serve optuna-dashboard to this machine's browser alone; runs in the child process that `dashboard` starts.

optuna-dashboard answers any host, so a web page whose name resolves to this machine could delete a study.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIServer, make_server

from mlrunner.core.loopback import HOST

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class ThreadedServer(ThreadingMixIn, WSGIServer):
    """Server that answers each request in a thread of its own."""

    daemon_threads = True


def main() -> None:
    """Serve the storage and the port that the arguments name."""
    from optuna_dashboard import wsgi

    storage, port = sys.argv[1], int(sys.argv[2])
    app = refuse_foreign_hosts(wsgi(storage), {f"{HOST}:{port}", f"localhost:{port}"})
    make_server(HOST, port, app, server_class=ThreadedServer).serve_forever()


def refuse_foreign_hosts(app: Application, hosts: set[str]) -> Application:
    """Wrap an application: refuse requests to another host, and those of pages of another host.

    Args:
        app: Application.
        hosts: Addresses `HOST:PORT` of the server.
    """

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        named = environ.get("HTTP_HOST", "")
        origin = environ.get("HTTP_ORIGIN", f"http://{named}")
        if named in hosts and origin.removeprefix("http://") in hosts:
            return app(environ, start_response)
        start_response("403 Forbidden", [("Content-Type", "text/plain")])
        return [b"This host is not the server's own.\n"]

    return answer
