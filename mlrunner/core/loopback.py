"""HTTP requests to servers on this machine, and free ports for them."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

HOST = "127.0.0.1"
OPENER = build_opener(ProxyHandler({}))  # a proxy cannot reach this machine's loopback
JSON = "application/json"


@dataclass(frozen=True)
class Response:
    """What a server answered; a refusal (status 400 and above) is an answer as well."""

    status: int
    body: bytes
    headers: Message[str, str]


def request(url: str, body: bytes | None = None, content_type: str = JSON, timeout: float = 5.0) -> Response:
    """Send a request, and read the answer.

    Args:
        url: Address with its path.
        body: Body of a POST request; None for a GET request.
        content_type: Media type of `body`.
        timeout: Seconds to wait for the connection, and for each read.

    Raises:
        OSError: When the server cannot be reached, or does not speak HTTP.
    """
    try:
        with OPENER.open(Request(url, body, {"Content-Type": content_type}), timeout=timeout) as answer:
            return Response(answer.status, answer.read(), answer.headers)
    except HTTPError as error:
        with error:
            return Response(error.code, error.read(), error.headers)
    except HTTPException as error:
        raise ConnectionError(str(error) or type(error).__name__) from error


def request_json(url: str, body: bytes | None = None, timeout: float = 5.0) -> tuple[int, Any]:
    """Send a JSON request.

    Returns:
        The HTTP status and the decoded answer, as text where it is not JSON; 0 and the reason without an answer.
    """
    try:
        response = request(url, body, timeout=timeout)
    except (OSError, ValueError) as error:
        return 0, str(getattr(error, "reason", error))
    try:
        return response.status, json.loads(response.body or b"null")
    except ValueError:
        return response.status, response.body.decode(errors="replace")


def free_port() -> int:
    """Return a TCP port of the loopback interface that is not in use."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def bind_error(host: str, port: int) -> str | None:
    """Return why a server cannot listen on an address; None when it can."""
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        return os.strerror(error.errno) if error.errno else str(error)
    return None
