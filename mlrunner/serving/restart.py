"""`python -m mlrunner.serving.restart FOLDER`: replace the server of a deployment of `deployer=local`.

A gateway runs it when the server has ended or hangs. It imports neither ZenML nor MLflow, which take seconds; ZenML
still finds the server, by the file with its process ID.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from mlrunner.core import loopback, process_control
from mlrunner.core.environment import TOKEN_VARIABLE, child_environment
from mlrunner.serving import identity
from mlrunner.serving.gateway_routes import STATE_FILE, write_state

GRACE = 1.0  # seconds between SIGTERM and SIGKILL: the server does not answer anyway


def main() -> int:
    """Replace the server.

    Returns:
        0 when it answers, or when another command is changing the deployment; 1 when it does not start.
    """
    folder = Path(sys.argv[1])
    try:
        with FileLock(folder / "lock", timeout=0):
            state = replace_server(folder)
    except Timeout:
        return 0
    return 0 if state is None or _wait_until_ready(state["active"], state["settings"]["start_timeout"]) else 1


def replace_server(folder: Path, timeout: float = 3.0) -> dict[str, Any] | None:
    """End the server of a deployment and start another one, unless it answers.

    Args:
        folder: Folder of the deployment, whose lock is held.
        timeout: Seconds in which the server may still answer.

    Returns:
        The new state; None when nothing was changed.
    """
    state: dict[str, Any] = json.loads((folder / STATE_FILE).read_text())
    server = state["active"]
    if server is None or identity.is_own(server["url"], server["token"], timeout):
        return None
    process_control.terminate_all(identity.instance_name(server["token"]), GRACE)
    port = int(server["url"].rpartition(":")[2])
    if loopback.bind_error(loopback.HOST, port) is not None:
        port = loopback.free_port()
    # A token of its own: a connection that another process accepted on this port is never taken for the new server's.
    token = identity.create_token()
    server |= {"url": f"http://{loopback.HOST}:{port}", "token": token, "pid": 0}
    write_state(folder / STATE_FILE, state)  # first: whatever ends this process, the next one finds the server
    command = [*server["launch"], "--port", str(port), "--instance", identity.instance_name(token)]
    subprocess.run(command, env=child_environment(**{TOKEN_VARIABLE: token}), check=True)
    server["pid"] = int(Path(server["pid_file"]).read_text())
    write_state(folder / STATE_FILE, state)
    return state


def _wait_until_ready(server: dict[str, Any], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not identity.is_own(server["url"], server["token"]):
        is_running = process_control.is_running(server["pid"], identity.instance_name(server["token"]))
        if not is_running or time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


if __name__ == "__main__":
    sys.exit(main())
