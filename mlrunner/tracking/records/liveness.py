"""Whether the processes that a run belongs to have ended: a killed one cannot close its run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from mlrunner.core.machine import has_restarted, identify_machine
from mlrunner.tracking.records.record import INTERRUPTED_TAG, PROCESS_TAG, Record


@cache
def describe_process(pid: int) -> str:
    """Return the value of `PROCESS_TAG` for a process of this machine.

    Args:
        pid: Process ID; a key of the cache, since a forked process is another one.
    """
    from mlrunner.core import process_control  # psutil takes longer than the list of the runs, which seldom needs it

    return f"{identify_machine()} {pid} {process_control.start_time(pid):.2f}"


def join_processes(tag: str) -> str:
    """Add this process to those of a run that may still work on it.

    Args:
        tag: Value of `PROCESS_TAG`; empty for none.
    """
    before = [each for each in tag.split(";") if each and not _has_ended(each)]
    return ";".join(dict.fromkeys([*before, describe_process(os.getpid())]))


def is_dead(status: str, tags: Mapping[str, str]) -> bool:
    """Check whether a run is open, and each process that works on it is known to have ended.

    Args:
        status: Status in MLflow.
        tags: Tags of the run; a process of another machine may still run.
    """
    tag = tags.get(PROCESS_TAG, "")
    return status == "RUNNING" and tag != "" and all(map(_has_ended, tag.split(";")))


def make_record(status: str, tags: dict[str, str], **fields: Any) -> Record:
    """Make the record of a run as it is stored; one whose process was killed is KILLED, although it is open."""
    if is_dead(status, tags):
        status, tags = "KILLED", {**tags, INTERRUPTED_TAG: "true"}
    return Record(status=status, tags=tags, **fields)


def _has_ended(process: str) -> bool:
    from mlrunner.core import process_control

    try:
        machine, pid, started = process.split(" ")
        if machine != identify_machine():
            return has_restarted(machine)
        return not process_control.is_same_process(int(pid), float(started))
    except ValueError:  # anybody can write a tag
        return False
