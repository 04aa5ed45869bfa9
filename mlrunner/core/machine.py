"""Identify where process IDs are valid: containers of one host name have process IDs of their own."""

from __future__ import annotations

import socket
from contextlib import suppress
from functools import cache
from pathlib import Path

OUTERMOST = "pid:[4026531836]"  # namespace of process IDs outside of containers, a constant of Linux


@cache
def identify_machine() -> str:
    """Return host name, machine ID, boot ID and namespace of process IDs of this process, separated by slashes.

    Two processes with the same result see each other's process IDs. What the system does not have is empty.
    """
    name = socket.gethostname().replace(" ", "_").replace("/", "_")
    return "/".join([name, _read("/etc/machine-id"), _read("/proc/sys/kernel/random/boot_id"), _read_namespace()])


def has_restarted(machine: str) -> bool:
    """Check whether a machine is this one before it was last started; False for a container, which may be another.

    Args:
        machine: Result of `identify_machine` in another process.
    """
    before, now = machine.split("/"), identify_machine().split("/")
    if len(before) != len(now) or "" in (*before, *now):
        return False
    is_same_machine = before[:2] == now[:2] and before[3] == now[3] == OUTERMOST
    return is_same_machine and before[2] != now[2]


def _read(file: str) -> str:
    with suppress(OSError):
        return Path(file).read_text().strip()
    return ""


def _read_namespace() -> str:
    with suppress(OSError):
        return str(Path("/proc/self/ns/pid").readlink())
    return ""
