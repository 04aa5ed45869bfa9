"""Compare the provenance of runs: data, code and environment."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from mlrunner.core.errors import brief
from mlrunner.history.diff.sides import Side
from mlrunner.history.diff.structure import ABSENT, Change, find_changes
from mlrunner.tracking.records.record import DATA_TAG
from mlrunner.tracking.records.snapshot import Provenance

DIGITS = 8  # of the digest of a row
MAX_NAMES = 5  # of columns


def compare_data(sides: Sequence[Side]) -> list[Change]:
    """Compare fingerprints, numbers of rows, and columns with their types."""
    facts = [_data_facts(side) for side in sides]
    if not all(facts):
        return []
    first, *others = [side.provenance.data if side.provenance is not None else {} for side in sides]
    changed = [_describe_changed_values(first, other) for other in others]
    values = [Change("data.values", (ABSENT, *(ABSENT if text is None else text for text in changed)))]
    return [*find_changes(facts, "data"), *(values if any(changed) else [])]


def _describe_changed_values(first: dict[str, Any], other: dict[str, Any]) -> str | None:
    """Name the columns whose values differ between tables of equal size, and count the rows; None without any."""
    old, new = first.get("columns", {}), other.get("columns", {})
    names = [name for name, column in old.items() if name in new and column.get("digest") != new[name].get("digest")]
    if not names or first["rows"] != other["rows"] or len(first["row_digests"]) != len(other["row_digests"]):
        return None
    before, after = (_split(data["row_digests"]) for data in (first, other))
    count = sum(old != new for old, new in zip(before, after, strict=True))
    sample = "sampled " * (len(before) < first["rows"])
    rows = f"row{'s' * (len(before) != 1)} differ{'s' * (count == 1)}"
    return f"{brief(names, MAX_NAMES)}: {count:,} of {len(before):,} {sample}{rows}"


def _split(digests: str) -> list[str]:
    return [digests[start : start + DIGITS] for start in range(0, len(digests), DIGITS)]


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
    """Compare commits, uncommitted changes, digests of source files, and the files of options that all sides have."""
    provenances = [side.provenance for side in sides if side.provenance is not None]
    if len(provenances) < len(sides):
        return []
    shared = set[str].intersection(*(set(provenance.options) for provenance in provenances))
    facts = [_code_facts(provenance, sorted(shared)) for provenance in provenances]
    return list(find_changes(facts, "code"))


def _code_facts(provenance: Provenance, options: Sequence[str]) -> dict[str, Any]:
    return {
        "commit": (provenance.commit or "")[:10],
        "branch": provenance.branch,
        "dirty": _count_lines(provenance.dirty),
        "untracked": list(provenance.untracked),
        "files": dict(provenance.sources),
        "options": {name: provenance.options[name] for name in options},
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
