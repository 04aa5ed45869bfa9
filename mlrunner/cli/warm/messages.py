"""Messages between a command and the warm process: JSON, one a line."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

Answers = Iterator[dict[str, Any]]
STANDARD = (0, 1, 2)  # descriptors that a command hands over
SECONDS = 5.0  # for a request to arrive


def send_request(connection: socket.socket, **request: Any) -> None:
    """Send a request, with the standard streams of this process."""
    socket.send_fds(connection, [b"\n"], STANDARD)
    answer(connection, **request)


def receive_request(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Receive a request and the descriptors of the streams.

    Raises:
        OSError: When it does not arrive in time or not completely.
        ValueError: When it is no request.
    """
    connection.settimeout(SECONDS)
    _, descriptors, _, _ = socket.recv_fds(connection, 1, len(STANDARD))
    request = next(read_answers(connection), {})
    connection.settimeout(None)
    if "do" not in request or len(descriptors) != len(STANDARD):
        raise ValueError("not a request")
    return request, descriptors


def answer(connection: socket.socket, **fields: Any) -> None:
    """Send fields as one line.

    Raises:
        OSError: When the other side has ended.
    """
    connection.sendall(json.dumps(fields).encode() + b"\n")


def read_answers(connection: socket.socket) -> Answers:
    """Read one line after the other until the other side ends."""
    with connection.makefile("r") as lines, suppress(OSError):
        yield from map(json.loads, lines)
