"""Names by which a gateway is reached: a page of another site, or one that rebinds its name, is refused."""

from __future__ import annotations

import json
import socket
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

LOOPBACK = ("127.0.0.1", "localhost", "::1")
ALL_ADDRESSES = ("0.0.0.0", "::")


class OwnHosts:
    """Check the Host and the Origin of requests.

    Args:
        host: Address that the gateway listens on; with all addresses, a number is always its own, as no foreign page
            can have the number of this machine as its name.
        allowed: Further names.
    """

    def __init__(self, host: str, allowed: list[str]) -> None:
        self._takes_numbers = host in ALL_ADDRESSES
        own_name = [socket.gethostname()] if self._takes_numbers else []
        self._names = {name.lower() for name in (host, *LOOPBACK, *own_name, *allowed)}

    def find_problem(self, request: web.BaseRequest) -> str | None:
        """Return a message about a foreign Host or Origin; None without one."""
        host, origin = request.headers.get("Host"), request.headers.get("Origin")
        if host is not None and not self._is_own(f"//{host}"):
            return f"The header Host names {host!r}; add it to deployer.allowed_hosts if this is its server."
        if origin is not None and not self._is_own(origin):
            return f"Pages of {origin!r} may not ask; add its name to deployer.allowed_hosts if it may."
        return None

    def _is_own(self, url: str) -> bool:
        try:
            name = urlsplit(url).hostname or ""
            return name in self._names or (self._takes_numbers and bool(ip_address(name)))
        except ValueError:
            return False


def read_own_hosts(state_file: Path) -> OwnHosts:
    """Read the own names of a gateway from the state of its deployment."""
    state = json.loads(state_file.read_text())
    return OwnHosts(state["host"], state["settings"].get("allowed_hosts", []))
