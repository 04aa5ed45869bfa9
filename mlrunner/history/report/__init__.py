"""A report: one HTML file about a sweep or a run, which opens without a network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mlrunner.history.report.content import Material, gather

if TYPE_CHECKING:
    from mlrunner.tracking.records import Record

__all__ = ["FILE", "Material", "gather", "html", "log", "place", "write"]
FILE = "report.html"


def html(material: Material) -> str:
    """Write a report as HTML."""
    from mlrunner.history.report.page import page_of, render

    return render(page_of(material))


def write(page: str, file: Path) -> Path:
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


def place(subject: Record) -> Path:
    """Say where a report goes: into the folder of the run or sweep, else into the working folder."""
    folder = subject.tags.get("mlrunner.folder")
    if folder is not None and Path(folder).is_dir():
        return Path(folder) / FILE
    return Path(f"report-{subject.place.replace('/', '-')}.html")


def log(subject: Record, file: Path) -> None:
    """Keep a report with its run in MLflow, as `report.html`; the tracking store is the environment's."""
    import tempfile

    from mlflow import MlflowClient

    with tempfile.TemporaryDirectory() as folder:  # MLflow names what it keeps after the file
        copy = Path(folder) / FILE
        copy.write_bytes(file.read_bytes())
        MlflowClient().log_artifact(subject.run_id, str(copy))
