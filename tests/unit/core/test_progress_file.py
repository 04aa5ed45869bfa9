"""Progress of a sweep in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.core.progress_file import PROGRESS_VARIABLE, Progress, is_requested, read, report


def test_each_finished_job_is_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "progress"
    monkeypatch.setenv(PROGRESS_VARIABLE, str(file))
    assert is_requested()
    assert read(file) == []
    report(Progress(3, "r2 0.5"))
    report(Progress(None, "a\nb"))
    with file.open("a") as lines:
        lines.write('{"total": 3, "no')  # is still being written
    assert read(file) == [Progress(3, "r2 0.5"), Progress(None, "a\nb")]


def test_a_command_reports_only_when_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PROGRESS_VARIABLE, raising=False)
    assert not is_requested()
    report(Progress(3, "r2 0.5"))


def test_a_file_that_cannot_be_written_stops_no_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PROGRESS_VARIABLE, str(tmp_path))
    report(Progress(3, "r2 0.5"))
