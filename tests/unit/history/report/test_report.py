"""Writing a report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mlrunner.history import report
from tests.support.reports import SWEEP, make_run, run_content


def test_default_path(tmp_path: Path) -> None:
    folder = tmp_path / "multirun" / "day" / "time"
    folder.mkdir(parents=True)
    record = make_run(tmp_path, tags={"mlrunner.folder": str(folder)})
    assert report.report_path(record, tmp_path) == folder / "report.html"
    elsewhere = replace(record, tags={"mlrunner.folder": str(tmp_path)})
    assert report.report_path(elsewhere, tmp_path).parent == Path()  # L3 of the attack findings
    missing = {"mlrunner.folder": str(tmp_path / "gone"), "mlrunner.sweep_id": SWEEP}
    assert report.report_path(replace(record, tags=missing), tmp_path) == Path("report-2026-01-02-03-04-05-678901.html")


def test_report_replaces_an_older_one(tmp_path: Path) -> None:
    file = tmp_path / "new" / "report.html"
    for _ in range(2):
        assert report.write_report(report.render_report(run_content(make_run(tmp_path))), file) == file
    assert [path.name for path in file.parent.iterdir()] == ["report.html"]
    assert file.read_text().endswith("</html>")


def test_failed_write_leaves_nothing(tmp_path: Path) -> None:
    place = tmp_path / "folder"
    place.mkdir()
    with pytest.raises(IsADirectoryError):
        report.write_report("<html>", place)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
