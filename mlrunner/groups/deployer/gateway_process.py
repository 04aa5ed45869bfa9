"""The gateway of a deployment, a process that outlives the command that started it."""

from __future__ import annotations

import sys
import time
from http import HTTPStatus

from mlrunner.core import loopback, process_control
from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer import daemons
from mlrunner.groups.deployer.release import Server
from mlrunner.groups.deployer.state import DeploymentStore
from mlrunner.serving import identity

GATEWAY = "mlrunner.serving.gateway_supervisor"
FOLLOW_TIMEOUT = 20.0  # seconds until the gateway must answer with the new version, its start included


def ensure_follows(store: DeploymentStore, url: str, server: Server, timeout: float = FOLLOW_TIMEOUT) -> None:
    """Start the gateway if it does not run or hangs, and wait until the stable address answers with a server.

    Args:
        store: Folder of the deployment, whose state names the server.
        url: Stable address.
        server: Server that must answer there.
        timeout: Seconds to wait, the start of the gateway included.

    Raises:
        DeployError: When the gateway ends or does not answer in time.
    """
    if find_pid(store) is not None and not is_responsive(url):
        stop(store, grace=1.0)
    if find_pid(store) is None:
        pid_file, log_file = store.folder / "gateway.pid", store.folder / "gateway.log"
        daemons.start(pid_file, log_file, sys.executable, "-m", GATEWAY, str(store.folder))
    deadline = time.monotonic() + timeout
    while True:
        if identity.is_own(url, server.token):
            return
        if time.monotonic() > deadline or find_pid(store) is None:
            log = daemons.get_last_line(daemons.read_last_lines(store.folder / "gateway.log"))
            raise DeployError(f"The gateway does not answer on {url}: {log}")
        time.sleep(0.05)


def find_pid(store: DeploymentStore) -> int | None:
    """Find the process number of the gateway; None when it does not run."""
    pid = daemons.read_pid(store.folder / "gateway.pid")
    return pid if pid and process_control.is_running(pid, str(store.folder)) else None


def is_responsive(url: str, timeout: float = 6.0) -> bool:
    """Check that the gateway itself answers, even when its server does not.

    Args:
        url: Stable address.
        timeout: Maximum seconds, more than the gateway waits for the metrics of its server.
    """
    try:
        return loopback.request(f"{url}/metrics", timeout=timeout).status == HTTPStatus.OK
    except OSError:
        return False


def stop(store: DeploymentStore, grace: float = process_control.GRACE) -> None:
    """Stop the gateway and free its port; kill it after `grace` seconds."""
    process_control.terminate_all(f"{GATEWAY} {store.folder} ", grace)  # a start that is interrupted leaves no file
    (store.folder / "gateway.pid").unlink(missing_ok=True)
