"""`python -m mlrunner.serving RELEASE`: serve a released model, in one process or several on one port."""

from __future__ import annotations

import argparse
import gc
import os
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from mlrunner.core.environment import INSTANCE_VARIABLE, serving_token, variable
from mlrunner.core.process import freeze_gc
from mlrunner.serving import workers

if TYPE_CHECKING:
    from mlrunner.serving.model import ServedModel

BACKLOG = 1024


def main() -> int:
    """Serve until SIGTERM.

    Returns:
        0 after a signal, 1 when it cannot serve.
    """
    # Until the server handles signals itself: the kernel ignores SIGTERM for the first process of a container.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    options = _parse_options()
    if options.fd is not None:
        workers.exit_with_supervisor(options.master, options.master_heartbeat)
        return _serve(options, socket.socket(fileno=options.fd))
    try:
        listening = _listen(options.host, options.port)
    except OSError as error:
        print(f"cannot listen on {options.host}:{options.port}: {os.strerror(error.errno or 0)}", file=sys.stderr)
        return 1
    return _serve(options, listening) if options.workers == 1 else workers.run_workers(options.workers, listening)


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m mlrunner.serving", description="Serve a released model.")
    parser.add_argument("release", type=Path, help="folder with release.json and model/")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="port to listen on (%(default)s)")
    parser.add_argument("--instance", default=variable(INSTANCE_VARIABLE) or "", help="name that /version shows")
    parser.add_argument("--workers", type=int, default=1, help="processes (%(default)s)")
    parser.add_argument("--timeout", type=float, default=60.0, help="maximum seconds of a request (%(default)s)")
    parser.add_argument("--body-limit", type=float, default=64.0, help="maximum megabytes of a body (%(default)s)")
    parser.add_argument("--batch-rows", type=int, default=1024, help="maximum rows of a batch (%(default)s)")
    parser.add_argument("--row-limit", type=int, default=1_000_000, help="maximum rows of a request (%(default)s)")
    parser.add_argument("--unknown-categories", choices=["refuse", "accept"], default="refuse", help="(%(default)s)")
    parser.add_argument("--fd", type=int, default=None, help=argparse.SUPPRESS)  # set for workers: the shared socket
    parser.add_argument("--master", type=int, default=None, help=argparse.SUPPRESS)  # set for workers: the supervisor
    parser.add_argument("--heartbeat", type=int, default=None, help=argparse.SUPPRESS)  # set for workers: a pipe
    parser.add_argument("--master-heartbeat", type=int, default=None, help=argparse.SUPPRESS)  # set for workers: a pipe
    return parser.parse_args()


def _listen(host: str, port: int) -> socket.socket:
    """Listen before the slow imports, so that an occupied port fails at once."""
    listening = socket.create_server((host, port), backlog=BACKLOG)
    listening.set_inheritable(True)
    return listening


def _serve(options: argparse.Namespace, listening: socket.socket) -> int:
    gc.disable()  # imports create millions of permanent objects
    from mlrunner.serving import connections, heartbeat, log_file
    from mlrunner.serving.large_requests import LargeRequests
    from mlrunner.serving.limits import Limits
    from mlrunner.serving.server import ModelServer

    log_file.configure_log()
    try:
        with ThreadPoolExecutor(1) as thread:  # threads of OpenMP belong to it and end with it, so that a fork is safe
            model = thread.submit(_load_model, options).result()
    except Exception as error:
        print(f"cannot serve {options.release}: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    freeze_gc()
    limits = Limits(options.timeout, options.body_limit, options.batch_rows, options.row_limit)
    large_requests = LargeRequests(model, limits, listening)
    max_connections = connections.raise_descriptor_limit(per_connection=1)
    server = ModelServer(model, serving_token(), limits, options.instance, large_requests.answer)
    app = server.application(max_connections)
    heartbeat.send(app, options.heartbeat)
    connections.run(app, listening, max_connections)
    large_requests.close()
    return 0


def _load_model(options: argparse.Namespace) -> ServedModel:
    from mlrunner.serving.model import load_release

    model = load_release(options.release, options.unknown_categories)
    model.answer(model.example)  # warms up, and fails before the first request
    return model


if __name__ == "__main__":
    sys.exit(main())
