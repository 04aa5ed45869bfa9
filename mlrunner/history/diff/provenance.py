"""Compare the provenance of runs: data, code and environment."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from mlrunner.history.diff.sides import Side
from mlrunner.history.diff.structure import ABSENT, Change, find_changes
from mlrunner.tracking.records.record import DATA_TAG
from mlrunner.tracking.records.snapshot import Provenance


def compare_data(sides: Sequence[Side]) -> list[Change]:
    """Compare fingerprints, numbers of rows, and columns with their types."""
    facts = [_data_facts(side) for side in sides]
    return list(find_changes(facts, "data")) if all(facts) else []


def _data_facts(side: Side) -> dict[str, Any]:
    if side.record is None or side.provenance is None:
        return {}
    profile = side.provenance.data
    facts: dict[str, Any] = {"fingerprint": side.record.tags.get(DATA_TAG, "")[:12]}
    if profile:
        facts |= {
            "rows": profile["rows"],
            "columns": {name: column["dtype"] for name, column in profile["columns"].items()},
        }
    return facts


def compare_code(sides: Sequence[Side]) -> list[Change]:
    """Compare commits, uncommitted changes, and the digests of source files."""
    provenances = [side.provenance for side in sides if side.provenance is not None]
    if len(provenances) < len(sides):
        return []
    facts = [_code_facts(provenance) for provenance in provenances]
    return list(find_changes(facts, "code"))


def _code_facts(provenance: Provenance) -> dict[str, Any]:
    return {
        "commit": (provenance.commit or "")[:10],
        "branch": provenance.branch,
        "dirty": _count_lines(provenance.dirty),
        "untracked": list(provenance.untracked),
        "files": dict(provenance.sources),
    }


def _count_lines(diff: str) -> dict[str, str]:
    """Count the added and removed lines of each file of a diff, with a digest of them."""
    counts = {}
    for section in re.split(r"^diff --git ", diff, flags=re.MULTILINE)[1:]:  # a changed line may contain the same text
        name = section.partition("\n")[0].rpartition(" b/")[2]
        lines = [line for line in section.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
        added = sum(line.startswith("+") for line in lines)
        digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:6]
        counts[name] = f"+{added} -{len(lines) - added} ({digest})"
    return counts


def compare_environment(sides: Sequence[Side]) -> list[Change]:
    """Compare the versions of Python and packages."""
    provenances = [side.provenance for side in sides if side.provenance is not None and side.provenance.packages]
    if len(provenances) < len(sides):
        return []
    differences = find_changes([{"python": item.python, **item.packages} for item in provenances])
    return [
        Change(item.key, tuple("not installed" if value is ABSENT else value for value in item.values))
        for item in differences
    ]
