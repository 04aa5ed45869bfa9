"""Error bodies."""

from __future__ import annotations

import json

import pytest

from mlrunner.serving.errors import MAX_MESSAGE_LENGTH, error_body


def test_messages_are_short_and_can_be_encoded() -> None:
    assert len(error_body(400, "x" * 10_000_000)["message"]) == MAX_MESSAGE_LENGTH
    assert json.dumps(error_body(422, "\ud800 is odd"), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("status", "code"), [(400, "BAD_REQUEST"), (422, "INVALID_PARAMETER_VALUE"), (500, "INTERNAL_ERROR")]
)
def test_each_status_has_the_error_code_of_mlflow(status: int, code: str) -> None:
    assert error_body(status, "message") == {"error_code": code, "message": "message"}
