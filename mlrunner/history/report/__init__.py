"""Report on a sweep or a run: one HTML file that loads nothing from a network."""

from __future__ import annotations

import os
from pathlib import Path

from mlrunner.history.report.content import Content, gather_content
from mlrunner.tracking.records import Record

__all__ = ["REPORT_FILE", "Content", "gather_content", "log_report", "render_report", "report_path", "write_report"]
REPORT_FILE = "report.html"


def render_report(content: Content) -> str:
    """Render a report as HTML."""
    from mlrunner.history.report.page import make_page, render_page

    return render_page(make_page(content))


def write_report(page: str, file: Path) -> Path:
    """Write the HTML of a report to a file, completely or not at all.

    Returns:
        The absolute path of the file.
    """
    file = file.absolute()
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        partial.write_text(page, encoding="utf-8")
        partial.replace(file)
    finally:  # nothing is left if the disk is full or a folder is in the way
        partial.unlink(missing_ok=True)
    return file


def report_path(record: Record, home: Path) -> Path:
    """Return the default path of a report: the run's folder in this home, or else the working directory."""
    folder = record.own_folder(home)
    if folder is not None:
        return folder / REPORT_FILE
    return Path(f"report-{record.place.replace('/', '-')}.html")


def log_report(record: Record, file: Path) -> None:
    """Log a report as `report.html` to its run in MLflow's current tracking store."""
    import tempfile

    from mlflow import MlflowClient

    with tempfile.TemporaryDirectory() as folder:  # MLflow keeps the name of the file
        copy = Path(folder) / REPORT_FILE
        copy.write_bytes(file.read_bytes())
        MlflowClient().log_artifact(record.run_id, str(copy))
