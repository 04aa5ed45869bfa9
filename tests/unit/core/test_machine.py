"""Where process IDs are valid."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mlrunner.core import machine

IN_A_NAMESPACE = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]


def test_processes_of_one_machine_and_boot_have_one_identity() -> None:
    command = [sys.executable, "-c", "from mlrunner.core import machine; print(machine.identify_machine())"]
    assert subprocess.check_output(command, text=True).strip() == machine.identify_machine()
    name, _, boot, namespace = machine.identify_machine().split("/")
    assert name == socket.gethostname()
    assert boot == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert namespace == os.readlink("/proc/self/ns/pid")  # noqa: PTH115


def test_two_containers_of_one_host_name_are_told_apart() -> None:
    code = "from mlrunner.core import machine; print(machine.identify_machine())"
    done = subprocess.run([*IN_A_NAMESPACE, sys.executable, "-c", code], capture_output=True, text=True)
    if "unshare" in done.stderr:
        pytest.skip(f"no namespaces here: {done.stderr}")
    assert done.stdout.split("/")[:3] == machine.identify_machine().split("/")[:3]
    assert done.stdout.strip() != machine.identify_machine()


@pytest.mark.parametrize(
    ("before", "now", "restarted"),
    [
        ("host/id/boot1/pid:[4026531836]", "host/id/boot2/pid:[4026531836]", True),
        ("host/id/boot1/pid:[4026531836]", "host/id/boot1/pid:[4026531836]", False),
        ("host/id/boot1/pid:[4026532000]", "host/id/boot2/pid:[4026532000]", False),
        ("host/other/boot1/pid:[4026531836]", "host/id/boot2/pid:[4026531836]", False),
        ("other/id/boot1/pid:[4026531836]", "host/id/boot2/pid:[4026531836]", False),
        ("host//boot1/pid:[4026531836]", "host//boot2/pid:[4026531836]", False),
        ("host/id//pid:[4026531836]", "host/id/boot2/pid:[4026531836]", False),
        ("host", "host/id/boot2/pid:[4026531836]", False),
    ],
    ids=["restarted", "same", "container", "other id", "other name", "no id", "no boot", "anything"],
)
def test_a_machine_that_has_restarted_is_known(
    before: str, now: str, restarted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "identify_machine", lambda: now)
    assert machine.has_restarted(before) is restarted
