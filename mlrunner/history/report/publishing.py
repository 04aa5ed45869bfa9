"""The report of a sweep that has just ended: written into its folder, kept with it in MLflow."""

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
    """Make the report of a sweep; one that fails is a warning, for the sweep itself is done and recorded.

    Args:
        run_id: Of the sweep's parent, which is closed.
        home: The folder that holds `.mlrunner/`.
        folder: Of the sweep.
        outcomes: Of its compositions.
        figures: Of a search, drawn.
        verdict: How sure the best one's lead is.

    Returns:
        The file; None where there is none.
    """
    try:
        store = open_store(home)
        subject = lookup.find_by_id(store, run_id)
        if subject is None:
            return None
        made = gather_content(subject, store, outcomes, figures, verdict)
        file = write_report(render_report(made), folder / REPORT_FILE)
    except Exception as error:
        _warn("There is no report", f"the sweep is whole, and mlrunner report {run_id[:8]} tries again", error)
        return None
    keep_report(subject, file)
    return str(file)


def keep_report(subject: Record, file: Path) -> None:
    """Keep a report with its run in MLflow; a store that does not take it is a warning, for the file is there."""
    try:
        log_report(subject, file)
    except Exception as error:
        _warn("MLflow does not keep the report", f"it is in {file}", error)


def _warn(told: str, but: str, error: Exception) -> None:
    reason = redact(" ".join(f"{type(error).__name__}: {error}".split()))
    LOG.warning("%s (%s); %s.", told, reason, but, exc_info=error)
    console(stderr=True).print(Text(f"{told} ({reason}); {but}.", "yellow"))  # the log goes to a file
