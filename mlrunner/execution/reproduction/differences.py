"""List what has changed since a run was launched: code, data and packages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from mlrunner.core.errors import brief
from mlrunner.core.redaction import redact
from mlrunner.tracking import provenance
from mlrunner.tracking.records.record import DATA_TAG
from mlrunner.tracking.records.snapshot import INSTALLERS, PIN, PYTHON, read_provenance

if TYPE_CHECKING:
    from mlrunner.composition.checks import Checked
    from mlrunner.tracking.records import Record, Store
    from mlrunner.tracking.records.snapshot import Provenance

SHORT = 10  # digits of a commit


def list_differences(record: Record, store: Store, checked: Checked) -> Iterator[str]:
    """List the changes of code, data and packages, one sentence each.

    Args:
        record: Record of the run.
        store: Store of the record.
        checked: Composition of the run, checked against today's data and code.
    """
    then = read_provenance(record, store)
    yield from _compare_code(then)
    yield from compare_sources(then.sources, checked.source_digests)
    yield from _compare_data(record, checked)
    yield from _compare_packages(then)


def list_code_differences(record: Record, store: Store) -> Iterator[str]:
    """List the changes of code and packages, for a composition that does not pass today's checks."""
    then = read_provenance(record, store)
    yield from _compare_code(then)
    yield from _compare_packages(then)


def _compare_code(then: Provenance) -> Iterator[str]:
    git = provenance.read_git()
    now = git.get("commit")
    if then.commit is None:
        yield "The run recorded no commit, so its code is unknown."
    elif now != then.commit:
        yield f"Commit: {then.commit[:SHORT]} then, {(now or 'none')[:SHORT]} now; git checkout {then.commit[:SHORT]}."
    yield from _compare_diffs(_split_diff(then.dirty), _split_diff(redact(git.get("diff", ""))))  # records are redacted
    status = git.get("status", "").splitlines()
    untracked, before = {line[3:] for line in status if line.startswith("??")}, set(then.untracked)
    if untracked != before:
        yield f"Untracked files: {_list(sorted(before - untracked))} then, {_list(sorted(untracked - before))} now."


def _compare_diffs(then: dict[str, str], now: dict[str, str]) -> Iterator[str]:
    changed = [name for name in then if name in now and then[name] != now[name]]
    removed, added = [name for name in then if name not in now], [name for name in now if name not in then]
    if changed:
        yield f"Uncommitted changes in {_list(changed)} have changed."
    if removed or added:
        yield f"Uncommitted changes: {_list(removed)} then, {_list(added)} now."


def _split_diff(diff: str) -> dict[str, str]:
    """Split a diff by file."""
    parts = re.split(r"(?m)^diff --git ", diff.strip())[1:]
    return {part.partition("\n")[0].rpartition(" b/")[2]: part.strip() for part in parts}


def _list(names: list[str]) -> str:
    return brief(names, 4) if names else "none"


def compare_sources(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    """Compare the source files of the composition's classes; those outside the project have no commit."""
    changed = [name for name in now if name in then and then[name] != now[name]]
    added = [name for name in now if name not in then]  # a search records the files of its first trial
    if not then:
        yield "The run recorded no source files, so they cannot be compared."
    elif changed or added:
        parts = [f"changed {brief(changed, 4)}"] if changed else []
        parts += [f"not recorded {brief(added, 4)}"] if added else []
        yield f"Source files: {'; '.join(parts)}."


def _compare_data(record: Record, checked: Checked) -> Iterator[str]:
    then, now = record.tags.get(DATA_TAG, ""), checked.data.fingerprint
    if then != now:
        rows = f"{len(checked.data.table):,} rows"
        yield f"Data: content {then[:12] or 'unknown'} then, {now[:12]} now ({checked.data.dataset.label}, {rows})."


def _compare_packages(then: Provenance) -> Iterator[str]:
    requirements = provenance.list_packages()
    python = PYTHON.search(requirements)
    if then.python is not None and python is not None and python[1] != then.python:
        yield f"Python: {then.python} then, {python[1]} now."
    now = dict(PIN.findall(requirements))
    if not then.packages:
        yield "The run recorded no packages, so they cannot be compared."
        return
    names = sorted({*then.packages, *now} - set(INSTALLERS), key=str.lower)
    changes = [
        f"{name} {then.packages.get(name, 'absent')} → {now.get(name, 'absent')}"
        for name in names
        if then.packages.get(name) != now.get(name)
    ]
    if changes:
        yield f"Packages: {brief(changes)}; --in-env creates the recorded environment."
