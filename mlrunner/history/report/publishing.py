"""Write the report of a sweep that has just ended, and log it to MLflow."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from mlrunner.composition.stores import open_store
from mlrunner.core.redaction import redact
from mlrunner.core.terminal import console
from mlrunner.history.report import REPORT_FILE, gather_content, log_report, render_report, write_report
from mlrunner.tracking.records import lookup

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mlrunner.core.outcome import Outcome
    from mlrunner.tracking.records import Record

LOG = logging.getLogger(__name__)


def publish_sweep(
    run_id: str,
    home: Path,
    folder: Path,
    outcomes: Sequence[Outcome],
    figures: Mapping[str, Figure] | None = None,
    verdict: str = "",
) -> str | None:
    """Write the report of a sweep; a failure is only a warning, because the sweep is complete and recorded.

    Args:
        run_id: Id of the parent run, which has ended.
        home: Folder that holds `.mlrunner/`.
        folder: Folder of the sweep.
        outcomes: Outcomes of its compositions.
        figures: Figures of a search by name; None for a grid.
        verdict: Sentence about how certain the lead of the best trial is.

    Returns:
        The path of the report; None if it could not be written.
    """
    try:
        store = open_store(home)
        subject = lookup.find_by_id(store, run_id)
        if subject is None:
            return None
        content = gather_content(subject, store, outcomes, figures, verdict)
        file = write_report(render_report(content), folder / REPORT_FILE)
    except Exception as error:
        _warn(
            "The report was not written", f"the sweep is complete; try again with mlrunner report {run_id[:8]}", error
        )
        return None
    keep_report(subject, file)
    return str(file)


def keep_report(record: Record, file: Path) -> None:
    """Log a report to its run in MLflow; a failure is only a warning, because the file exists."""
    try:
        log_report(record, file)
    except Exception as error:
        _warn("The report was not logged to MLflow", f"it is in {file}", error)


def _warn(failure: str, consequence: str, error: Exception) -> None:
    reason = redact(" ".join(f"{type(error).__name__}: {error}".split()))
    LOG.warning("%s (%s); %s.", failure, reason, consequence, exc_info=error)
    console(stderr=True).print(Text(f"{failure} ({reason}); {consequence}.", "yellow"))  # the log is written to a file
