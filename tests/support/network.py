"""Network namespaces: parts of this machine that are like hosts of their own, whose link can be cut."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest


def run_ip(*words: str, check: bool = True) -> None:
    subprocess.run(["ip", *words], check=check, capture_output=True, timeout=30)


class Host:
    """A namespace with a link to this one.

    Attributes:
        address: Address of this machine on the link.
        prefix: Words before a command that run it there.
    """

    def __init__(self) -> None:
        name, network = f"mlr{secrets.token_hex(4)}", f"10.{secrets.randbelow(200) + 20}.{secrets.randbelow(250)}"
        self.address, self.prefix, self._name = f"{network}.1", ["ip", "netns", "exec", name], name
        run_ip("netns", "add", name)
        run_ip("link", "add", name, "type", "veth", "peer", "name", "uplink", "netns", name)
        run_ip("address", "add", f"{network}.1/30", "dev", name)
        run_ip("link", "set", name, "up")
        run_ip("-n", name, "address", "add", f"{network}.2/30", "dev", "uplink")
        run_ip("-n", name, "link", "set", "lo", "up")
        self.heal()

    def cut(self) -> None:
        """Cut the link: packets are lost without an error."""
        run_ip("-n", self._name, "link", "set", "uplink", "down")

    def heal(self) -> None:
        """Mend the link."""
        run_ip("-n", self._name, "link", "set", "uplink", "up")

    def close(self) -> None:
        """Remove the namespace; what runs there keeps it, without a link."""
        run_ip("link", "delete", self._name, check=False)
        run_ip("netns", "delete", self._name, check=False)


@contextmanager
def open_hosts(count: int) -> Iterator[list[Host]]:
    """Make hosts; skip the test where this process may not."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and the command ip, which Debian has in iproute2")
    hosts: list[Host] = []
    with ExitStack() as stack:
        for _ in range(count):
            try:
                hosts.append(Host())
            except subprocess.CalledProcessError as error:
                pytest.skip(f"this kernel makes no network namespaces: {error.stderr.decode().strip()}")
            stack.callback(hosts[-1].close)
        yield hosts
