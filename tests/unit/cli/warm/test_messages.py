"""Messages between a command and the warm process."""

from __future__ import annotations

import os
import socket

import pytest

from mlrunner.cli.warm import messages


def test_a_request_arrives_with_the_standard_streams() -> None:
    one, other = socket.socketpair()
    with one, other:
        messages.send_request(one, do="status", name="Müller\udc80")  # as Python reads a byte that is not UTF-8
        request, files = messages.receive_request(other)
    assert request == {"do": "status", "name": "Müller\udc80"}
    assert [os.fstat(file).st_ino for file in files] == [os.fstat(file).st_ino for file in messages.STANDARD]
    for file in files:
        os.close(file)


def test_what_is_no_request_is_refused() -> None:
    one, other = socket.socketpair()
    with one, other:
        one.sendall(b"\n{}\n")
        with pytest.raises(ValueError, match="not a request"):
            messages.receive_request(other)


def test_a_request_that_does_not_arrive_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "SECONDS", 0.05)
    one, other = socket.socketpair()
    with one, other, pytest.raises(TimeoutError):
        messages.receive_request(other)


def test_answers_end_with_the_other_side() -> None:
    one, other = socket.socketpair()
    with other:
        messages.answer(one, pid=7)
        messages.answer(one, code=0)
        one.close()
        assert list(messages.read_answers(other)) == [{"pid": 7}, {"code": 0}]
