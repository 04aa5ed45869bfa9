"""The progress bar of a sweep from Python."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mlrunner.api.progress_bar import is_wanted, show_progress
from mlrunner.core.progress_file import PROGRESS_VARIABLE, Progress, report


def test_a_bar_counts_the_finished_trials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "progress"
    monkeypatch.setenv(PROGRESS_VARIABLE, str(file))
    with show_progress(file) as update:
        update()
        report(Progress(20, "r2 0.25"))
        report(Progress(20, "r2 0.75"))
        update()
    last = capsys.readouterr().err.rpartition("\r")[2]
    assert last.startswith("sweep:  10%")
    assert "| 2/20 [" in last
    assert "r2 0.75]" in last


@pytest.mark.usefixtures("capsys")  # stderr is no terminal
@pytest.mark.parametrize(("kernel", "expected"), [(True, True), (False, False)])
def test_a_notebook_gets_a_bar_and_a_pipe_gets_none(
    kernel: bool, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    if kernel:
        monkeypatch.setitem(sys.modules, "ipykernel", sys)
    assert is_wanted(None) is expected
    assert not is_wanted(False)
    assert is_wanted(True)
