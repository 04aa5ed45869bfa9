"""Compare what runs stood on: the data, the code, the environment."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from mlrunner.history.diff.sides import Side
from mlrunner.history.diff.structure import ABSENT, Change, changes
from mlrunner.tracking.records.snapshot import Surroundings


def data(sides: Sequence[Side]) -> list[Change]:
    """Compare fingerprints, numbers of rows, columns and their types."""
    found = [_data_facts(side) for side in sides]
    return list(changes(found, "data")) if all(found) else []


def _data_facts(side: Side) -> dict[str, Any]:
    if side.record is None or side.surroundings is None:
        return {}
    known = side.surroundings.data
    told: dict[str, Any] = {"fingerprint": side.record.tags.get("mlrunner.data_hash", "")[:12]}
    if known:
        told |= {"rows": known["rows"], "columns": {name: one["dtype"] for name, one in known["columns"].items()}}
    return told


def code(sides: Sequence[Side]) -> list[Change]:
    """Compare commit, what differed from it, and the digest of each source file."""
    known = [side.surroundings for side in sides if side.surroundings is not None]
    if len(known) < len(sides):
        return []
    facts = [_code_facts(one) for one in known]
    return list(changes(facts, "code"))


def _code_facts(one: Surroundings) -> dict[str, Any]:
    return {
        "commit": (one.commit or "")[:10],
        "branch": one.branch,
        "dirty": _lines_of(one.dirty),
        "untracked": list(one.untracked),
        "files": dict(one.sources),
    }


def _lines_of(diff: str) -> dict[str, str]:
    """Tell what a dirty diff says of each file: its added and removed lines, and a digest of them."""
    found = {}
    for part in re.split(r"^diff --git ", diff, flags=re.MULTILINE)[1:]:  # a changed line may say so as well
        name = part.partition("\n")[0].rpartition(" b/")[2]
        lines = [line for line in part.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
        added = sum(line.startswith("+") for line in lines)
        mark = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:6]
        found[name] = f"+{added} -{len(lines) - added} ({mark})"
    return found


def environment(sides: Sequence[Side]) -> list[Change]:
    """Compare the versions of Python and of the packages."""
    known = [side.surroundings for side in sides if side.surroundings is not None and side.surroundings.packages]
    if len(known) < len(sides):
        return []
    found = changes([{"python": one.python, **one.packages} for one in known])
    return [Change(one.key, tuple("not installed" if v is ABSENT else v for v in one.values)) for one in found]
