"""Compare the best run with the default composition."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from mlrunner.core.errors import MlrunnerError
from mlrunner.core.redaction import SECRET, redact

if TYPE_CHECKING:
    from mlrunner.history.report.content import Content
    from mlrunner.tracking.records.snapshot import Snapshot

DATA = re.compile(r"[+~]{0,2}dataset[.=]")
ROW = re.compile(rf'(<th scope="row">[^<]*{SECRET}</th>)(.*?</tr>)', re.IGNORECASE)


def compare_with_default(content: Content) -> Markup | None:
    """Compare the best run with the default composition on the same data; None if there is nothing to compare."""
    from mlrunner.history import diff
    from mlrunner.history.diff import documents, sides

    if content.lead is None:
        return None
    try:
        lead = sides.read_run(content.lead.place, content.lead, content.store)
        comparison = diff.compare([sides.compose_side(_of_data(lead.snapshot)), lead])
    except MlrunnerError:  # not a run of mlrunner, or its composition is missing
        return None
    return Markup(hide_secrets(documents.to_html(comparison)))


def _of_data(frozen: Snapshot) -> list[str]:
    """Return the overrides that choose the data: a default on other data is not comparable."""
    folders = [word for folder in frozen.sources if Path(folder).is_dir() for word in ("-cd", folder)]
    return [*folders, *(text for text in frozen.overrides if DATA.match(text))]


def hide_secrets(fragment: str) -> str:
    """Hide the secrets of a comparison: unlike the record of a run, today's configuration files contain them.

    Args:
        fragment: HTML, in which each text between tags is redacted, and each row whose key is secret.
    """
    hidden = re.sub(r">([^<]+)<", lambda match: f">{redact(match[1])}<", fragment)
    return ROW.sub(lambda row: row[1] + re.sub(r"<td>(?!-<|null<)[^<]+<", "<td>***<", row[2]), hidden)
