"""Requests by foreign names, and of foreign pages, are refused."""

from __future__ import annotations

import socket

import pytest
from aiohttp.test_utils import make_mocked_request

from mlrunner.serving.hosts import OwnHosts


def is_refused(own: OwnHosts, **headers: str) -> bool:
    """Check whether a request with these headers is refused."""
    return own.find_problem(make_mocked_request("GET", "/", headers=headers)) is not None


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "LOCALHOST:1", "[::1]:8000", "models.example.org"])
def test_own_names_are_accepted(host: str) -> None:
    own = OwnHosts("127.0.0.1", ["Models.example.org"])
    assert not is_refused(own)
    assert not is_refused(own, Host=host)
    assert not is_refused(own, Host=host, Origin=f"http://{host}")


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.", "10.0.0.1", "", "[", "evil@x"]
)
def test_foreign_names_are_refused(host: str) -> None:
    assert is_refused(OwnHosts("127.0.0.1", []), Host=host)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "file://", "https://evil.example:8000"])
def test_foreign_pages_are_refused(origin: str) -> None:
    assert is_refused(OwnHosts("127.0.0.1", []), Host="127.0.0.1:8000", Origin=origin)


def test_a_gateway_on_all_addresses_accepts_numbers_and_its_name() -> None:
    own = OwnHosts("0.0.0.0", [])
    assert not any(is_refused(own, Host=host) for host in ("10.0.0.1:80", "[fe80::1]", socket.gethostname()))
    assert is_refused(own, Host="evil.example")


def test_messages_say_how_to_allow_it() -> None:
    own = OwnHosts("127.0.0.1", [])
    assert own.find_problem(make_mocked_request("GET", "/", headers={"Host": "a.b"})) == (
        "The header Host names 'a.b'; add it to deployer.allowed_hosts if this is its server."
    )
    assert own.find_problem(make_mocked_request("GET", "/", headers={"Origin": "null"})) == (
        "Pages of 'null' may not ask; add its name to deployer.allowed_hosts if it may."
    )
