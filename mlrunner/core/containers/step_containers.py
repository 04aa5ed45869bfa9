"""The containers of pipeline steps: their labels, and those that are left of a command that was killed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from mlrunner.core import environment
from mlrunner.core.containers.engine import remove
from mlrunner.core.machine import has_restarted, identify_machine
from mlrunner.core.process_control import is_same_process, start_time

RUN_LABEL = "mlrunner.pipeline_run"  # ZenML's name of the run
DRIVER_LABEL = "mlrunner.driver"  # machine, process ID and start time of the command
HOME_LABEL = "mlrunner.home"  # folder that holds `.mlrunner/`


def label_container(run: str) -> dict[str, str]:
    """Return the labels of a container that runs a step for this process.

    Args:
        run: ZenML's name of the run.
    """
    driver = f"{identify_machine()} {os.getpid()} {start_time():.3f}"
    return {RUN_LABEL: run, DRIVER_LABEL: driver, HOME_LABEL: str(environment.home().resolve())}


def remove_containers(client: Any, run: str) -> None:
    """Remove the containers of a run."""
    for container in client.containers.list(all=True, filters={"label": f"{RUN_LABEL}={run}"}):
        remove(container)


def find_orphans(client: Any, home: Path) -> list[Any]:
    """Find the containers of a home whose command was killed: it would have removed them.

    Args:
        client: Client of Docker's engine.
        home: Folder that holds `.mlrunner/`.
    """
    labels = [RUN_LABEL, DRIVER_LABEL, f"{HOME_LABEL}={home.resolve()}"]
    containers = client.containers.list(all=True, filters={"label": labels}, ignore_removed=True)
    return [container for container in containers if _is_dead(container.labels[DRIVER_LABEL])]


def _is_dead(driver: str) -> bool:
    """Check whether a driver has ended; False for one of another machine, whose processes are not seen here."""
    machine, _, process = driver.partition(" ")
    if machine != identify_machine():
        return has_restarted(machine)
    pid, _, started = process.partition(" ")
    return not is_same_process(int(pid), float(started))
