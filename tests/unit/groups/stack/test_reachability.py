"""First requests to a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from mlrunner.core.errors import ConfigError, StoreError
from mlrunner.groups.stack import reachability
from tests.support.http_server import answering

ZENML_INFO = b'{"name": "default", "auth_scheme": "OAUTH2_PASSWORD_BEARER"}'


@pytest.fixture
def serve() -> Iterator[Callable[[int, bytes], str]]:
    """Start servers that answer every request with one page, and return their addresses."""
    with ExitStack() as servers:
        yield lambda status, body: servers.enter_context(answering(status, body))


@pytest.mark.parametrize(
    ("status", "page"), [(200, b"hello"), (401, None), (404, b""), (503, None)], ids=lambda case: repr(case)
)
def test_every_http_response_counts_as_an_answer(
    status: int, page: bytes | None, serve: Callable[[int, bytes], str]
) -> None:
    assert reachability.fetch_page(serve(status, b"hello"), "stack.tracking_uri") == page


def test_login_in_the_address_is_neither_sent_nor_shown(serve: Callable[[int, bytes], str]) -> None:
    address = serve(200, b"hello").replace("http://", "http://me:swordfish@")
    assert reachability.fetch_page(address, "stack.tracking_uri") == b"hello"
    assert "swordfish" not in reachability.remove_login(address)


@pytest.mark.parametrize("rest", ["host:5000/path?a=b@c", "/absolute.db", "host/a@b"])
@pytest.mark.parametrize("login", ["me:pass@word", "me", ""])
def test_only_the_login_is_removed(rest: str, login: str) -> None:
    assert reachability.remove_login(f"sqlite+x://{login}@{rest}") == f"sqlite+x://{rest}"
    assert reachability.remove_login(f"sqlite://{rest}") == f"sqlite://{rest}"


@pytest.mark.parametrize(
    ("url", "kind", "message"),
    [
        ("http://127.0.0.1:1", StoreError, r"=http://127.0.0.1:1 does not answer \(Connection refused\); start"),
        ("http://me:swordfish@127.0.0.1:1", StoreError, "=http://127.0.0.1:1 does not answer"),
        ("http://no-such-host.invalid", StoreError, "does not answer"),
        ("http://127.0.0.1:port", ConfigError, "is not a server's address; write it like"),
        ("127.0.0.1:5000", ConfigError, "is not a server's address; write it like"),
    ],
    ids=["refused", "refused with login", "unknown host", "no port", "no scheme"],
)
def test_no_answer_is_one_sentence(
    url: str, kind: type[Exception], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    with pytest.raises(kind, match=message) as caught:
        reachability.fetch_page(url, "stack.tracking_uri")
    assert str(caught.value).startswith("stack.tracking_uri=")


@pytest.mark.parametrize(("status", "body"), [(200, ZENML_INFO), (401, b""), (503, b"")], ids=["info", "401", "503"])
def test_possible_zenml_server_is_accepted(status: int, body: bytes, serve: Callable[[int, bytes], str]) -> None:
    reachability.refuse_other_server(serve(status, body))


@pytest.mark.parametrize(
    ("status", "body"), [(200, b"<html>"), (200, b"[1]"), (200, b'{"a": 1}'), (404, b"")], ids=lambda case: repr(case)
)
def test_other_server_is_refused(status: int, body: bytes, serve: Callable[[int, bytes], str]) -> None:
    with pytest.raises(StoreError, match=r"stack\.url=http://127.* answers, but is not a ZenML server"):
        reachability.refuse_other_server(serve(status, body))


def test_database_is_not_a_zenml_server() -> None:
    with pytest.raises(ConfigError, match=r"stack\.url=mysql://host/db is not a server's address"):
        reachability.refuse_other_server("mysql://root:swordfish@host/db")
