"""A report: one HTML file about a sweep or a run, which opens without a network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mlrunner.history.report.content import Content, gather_content
from mlrunner.tracking.records.record import FOLDER_TAG

if TYPE_CHECKING:
    from mlrunner.tracking.records import Record

__all__ = ["REPORT_FILE", "Content", "gather_content", "log_report", "render_report", "report_path", "write_report"]
REPORT_FILE = "report.html"


def render_report(content: Content) -> str:
    """Write a report as HTML."""
    from mlrunner.history.report.page import make_page, render_page

    return render_page(make_page(content))


def write_report(page: str, file: Path) -> Path:
    """Write a report, as HTML, into a file, whole or not at all.

    Returns:
        The file, absolute.
    """
    file = file.absolute()
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        draft.write_text(page, encoding="utf-8")
        draft.replace(file)
    finally:  # of a full disk, or of a folder in its place, nothing stays
        draft.unlink(missing_ok=True)
    return file


def report_path(subject: Record) -> Path:
    """Say where a report goes: into the folder of the run or sweep, else into the working folder."""
    folder = subject.tags.get(FOLDER_TAG)
    if folder is not None and Path(folder).is_dir():
        return Path(folder) / REPORT_FILE
    return Path(f"report-{subject.place.replace('/', '-')}.html")


def log_report(subject: Record, file: Path) -> None:
    """Keep a report with its run in MLflow, as `report.html`; the tracking store is the environment's."""
    import tempfile

    from mlflow import MlflowClient

    with tempfile.TemporaryDirectory() as folder:  # MLflow names what it keeps after the file
        copy = Path(folder) / REPORT_FILE
        copy.write_bytes(file.read_bytes())
        MlflowClient().log_artifact(subject.run_id, str(copy))
