"""Exceptions as sentences and exit codes."""

from __future__ import annotations

import pytest

from mlrunner.cli.error_report import report_error
from mlrunner.core.errors import ConfigError, ProblemsError


@pytest.mark.parametrize(
    ("error", "code", "err"),
    [
        (ConfigError("seed is wrong."), 2, "mlrunner: seed is wrong.\n"),
        (ProblemsError(["a is wrong.", "b too."]), 2, "mlrunner: a is wrong.\nmlrunner: b too.\n"),
        (ValueError("x is odd\nmore"), 1, "mlrunner: ValueError: x is odd (-v shows where)\n"),
    ],
    ids=["one", "several", "unexpected"],
)
def test_an_exception_is_a_sentence(
    error: Exception, code: int, err: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLRUNNER_HOME", "/nonexistent")
    assert report_error(error, []) == code
    assert capsys.readouterr() == ("", err)
