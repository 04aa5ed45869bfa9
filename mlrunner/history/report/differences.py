"""In what the run that leads differs from the default composition."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from mlrunner.core.errors import MlrunnerError
from mlrunner.core.redaction import SECRETS, redact

if TYPE_CHECKING:
    from mlrunner.history.report.content import Content
    from mlrunner.tracking.records.snapshot import Snapshot

DATA = re.compile(r"[+~]{0,2}dataset[.=]")
ROW = re.compile(rf'(<th scope="row">[^<]*\b(?:{SECRETS})</th>)(.*?</tr>)')


def compare_with_default(content: Content) -> Markup | None:
    """Compare the run that leads with the default composition on its data; None where there is nothing to compare."""
    from mlrunner.history import diff
    from mlrunner.history.diff import documents, sides

    if content.lead is None:
        return None
    try:
        lead = sides.read_run(content.lead.place, content.lead, content.store)
        found = diff.compare([sides.compose_side(_of_data(lead.snapshot)), lead])
    except MlrunnerError:  # a run that mlrunner did not make, or whose composition is gone
        return None
    return Markup(hide_secrets(documents.to_html(found)))


def _of_data(frozen: Snapshot) -> list[str]:
    """Take what chose the data: what a default makes of other data tells nothing."""
    folders = [word for folder in frozen.sources if Path(folder).is_dir() for word in ("-cd", folder)]
    return [*folders, *(text for text in frozen.overrides if DATA.match(text))]


def hide_secrets(fragment: str) -> str:
    """Hide the secrets of a comparison: today's files hold those that a run's record does not.

    Args:
        fragment: Of HTML; each text between its tags is looked at by itself, and each row by its key.
    """
    hidden = re.sub(r">([^<]+)<", lambda text: f">{redact(text[1])}<", fragment)
    return ROW.sub(lambda row: row[1] + re.sub(r"<td>(?!-<|null<)[^<]+<", "<td>***<", row[2]), hidden)
