"""The gateway of a deployment, as a process that outlives the command that started it."""

from __future__ import annotations

import sys
import time

from mlrunner.core import loopback, process_control
from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer import daemons
from mlrunner.groups.deployer.release import Server
from mlrunner.groups.deployer.state import Ledger

GATEWAY = "mlrunner.serving.gateway"
FOLLOW = 20.0  # seconds until it must answer with the new version; its start is included


def restart_command(ledger: Ledger) -> list[str]:
    """The command by which the gateway has its deployment mended."""
    return [sys.executable, "-m", "mlrunner", "deploy", "--restart", ledger.name]


def follow(ledger: Ledger, url: str, server: Server) -> None:
    """Start the gateway if it does not run, and wait until the stable address answers with a server.

    Raises:
        DeployError: When it does not.
    """
    if pid_of(ledger) is None:
        pid_file, log_file = ledger.folder / "gateway.pid", ledger.folder / "gateway.log"
        daemons.start(pid_file, log_file, sys.executable, "-m", GATEWAY, str(ledger.folder))
    until = time.monotonic() + FOLLOW
    while True:
        status, told = loopback.request_json(f"{url}/version", timeout=2.0)
        if status == 200 and isinstance(told, dict) and told.get("instance") == server.token:
            return
        if time.monotonic() > until or pid_of(ledger) is None:
            log = daemons.last(daemons.tail(ledger.folder / "gateway.log"))
            raise DeployError(f"The gateway does not answer on {url}: {log}")
        time.sleep(0.05)


def pid_of(ledger: Ledger) -> int | None:
    """Find the gateway's process; None when it does not run."""
    pid = daemons.read_pid(ledger.folder / "gateway.pid")
    return pid if pid and process_control.is_running(pid, str(ledger.folder)) else None


def end(ledger: Ledger) -> None:
    """End the gateway and free its port."""
    pid = pid_of(ledger)
    if pid is not None:
        process_control.terminate(pid, str(ledger.folder))
    (ledger.folder / "gateway.pid").unlink(missing_ok=True)
