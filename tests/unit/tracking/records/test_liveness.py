"""Which processes have ended; closing their runs is tested in `test_open_runs.py`."""

from __future__ import annotations

import os

import pytest

from mlrunner.core.machine import OUTERMOST
from mlrunner.tracking.records.liveness import describe_process, is_dead, join_processes
from mlrunner.tracking.records.record import PROCESS_TAG

HERE = describe_process(os.getpid())
HOST = HERE.split()[0]
NAME, MACHINE, BOOT, NAMESPACE = HOST.split("/")
CONTAINER = f"{NAME}/{MACHINE}/{BOOT}/pid:[1]"  # of the same host name
ANOTHER_BOOT = f"{NAME}/{MACHINE}/another/{NAMESPACE}"
REUSED = f"{HOST} {os.getpid()} 1.00"  # the system has given the number to another process since


@pytest.mark.parametrize(
    ("tag", "dead"),
    [
        (HERE, False),
        (REUSED, True),
        (f"{HOST} 4194305 1.00", True),  # above the largest number of Linux
        (f"{REUSED};{HERE}", False),
        ("elsewhere 1 1.00", False),
        (f"{CONTAINER} {os.getpid()} 1.00", False),
        (f"{ANOTHER_BOOT} {os.getpid()} 1.00", NAMESPACE == OUTERMOST and MACHINE != ""),  # in a container: unknown
        (f"{HOST} one 1.00", False),
        ("", False),
    ],
    ids=["same", "reused", "no such", "one lives", "other machine", "container", "other boot", "no number", "none"],
)
def test_a_process_is_known_by_machine_number_and_start(tag: str, dead: bool) -> None:
    assert is_dead("RUNNING", {PROCESS_TAG: tag}) is dead
    assert not is_dead("FINISHED", {PROCESS_TAG: tag})


def test_a_process_joins_those_that_may_still_work() -> None:
    assert join_processes(f"{REUSED};elsewhere 1 1.00") == f"elsewhere 1 1.00;{HERE}"
    assert join_processes(HERE) == join_processes("") == HERE
