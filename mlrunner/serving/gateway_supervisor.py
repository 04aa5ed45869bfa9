"""`python -m mlrunner.serving.gateway_supervisor FOLDER`: keep the gateway of a deployment running.

This small process holds the socket, and replaces a gateway that ends or hangs, while connections wait. A gateway
whose supervisor has ended or hangs becomes the supervisor itself. So each of the two can be killed at any time.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
from functools import partial
from pathlib import Path

from mlrunner.serving import workers
from mlrunner.serving.gateway_routes import STATE_FILE

MODULE = "mlrunner.serving.gateway_supervisor"
PID_FILE = "gateway.pid"
BACKLOG = 1024


def main() -> int:
    """Supervise the gateway until SIGTERM, or be the gateway of a supervisor.

    Returns:
        0 after a signal, 1 when it cannot serve.
    """
    options = _parse_options()
    if options.master is not None:
        from mlrunner.serving import gateway

        replace = partial(_replace_supervisor, options.folder, options.fd)
        workers.watch_supervisor(options.master, options.master_heartbeat, replace)
        return gateway.serve(options.folder, socket.socket(fileno=options.fd), options.heartbeat)
    try:
        listening = _listen(options.folder) if options.fd is None else socket.socket(fileno=options.fd)
    except OSError as error:
        print(f"cannot listen: {os.strerror(error.errno or 0)}", file=sys.stderr)
        return 1
    return workers.run_workers(1, listening, MODULE)


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}", description="Keep a gateway running.")
    parser.add_argument("folder", type=Path, help="folder of the deployment")
    parser.add_argument("--fd", type=int, default=None, help=argparse.SUPPRESS)  # the socket
    parser.add_argument("--master", type=int, default=None, help=argparse.SUPPRESS)  # set for the gateway
    parser.add_argument("--heartbeat", type=int, default=None, help=argparse.SUPPRESS)  # set for the gateway
    parser.add_argument("--master-heartbeat", type=int, default=None, help=argparse.SUPPRESS)  # set for the gateway
    return parser.parse_args()


def _listen(folder: Path) -> socket.socket:
    state = json.loads((folder / STATE_FILE).read_text())
    listening = socket.create_server((state["host"], state["port"]), backlog=BACKLOG)
    listening.set_inheritable(True)
    return listening


def _replace_supervisor(folder: Path, descriptor: int) -> None:
    """Turn this process into a supervisor; its socket stays open."""
    (folder / PID_FILE).write_text(str(os.getpid()))
    os.execv(sys.executable, [sys.executable, "-m", MODULE, str(folder), "--fd", str(descriptor)])


if __name__ == "__main__":
    sys.exit(main())
