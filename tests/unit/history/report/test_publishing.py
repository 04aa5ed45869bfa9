"""Reports of sweeps that have just ended."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from mlrunner.history.report import publishing
from tests.support.reports import ListStore, break_write, make_grid, make_outcome


def test_failure_is_a_warning(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    parent = make_grid(tmp_path, [make_outcome(0)]).subject
    monkeypatch.setattr(publishing, "open_store", lambda _: ListStore(parent))
    monkeypatch.setattr(publishing, "write_report", break_write)
    with caplog.at_level(logging.WARNING):
        path = publishing.publish_sweep(parent.run_id, tmp_path, tmp_path, [make_outcome(0)])
    message = (
        "The report was not written (OSError: no space at postgresql://me:***@host); the sweep is complete; try again "
        "with mlrunner report eeeeeeee."
    )
    assert path is None
    assert caplog.messages == [message]
    printed = capsys.readouterr()
    assert (printed.out, printed.err.strip()) == ("", message)
