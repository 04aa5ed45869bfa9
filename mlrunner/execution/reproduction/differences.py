"""What is not as it was when a run was launched: code, data, packages."""

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
    """Say what is not as it was, a sentence each.

    Args:
        record: The run.
        store: Where it is recorded.
        checked: Its composition, as it would run today.
    """
    then = read_provenance(record, store)
    yield from _code(then)
    yield from compare_sources(then.sources, checked.sources)
    yield from _data(record, checked)
    yield from _packages(then)


def list_code_differences(record: Record, store: Store) -> Iterator[str]:
    """Say what is not as it was of code and packages, for a composition that today's refuse."""
    then = read_provenance(record, store)
    yield from _code(then)
    yield from _packages(then)


def _code(then: Provenance) -> Iterator[str]:
    git = provenance.read_git()
    now = git.get("commit")
    if then.commit is None:
        yield "The run did not record a commit, so its code is not known."
    elif now != then.commit:
        yield f"Commit: {then.commit[:SHORT]} then, {(now or 'none')[:SHORT]} now; git checkout {then.commit[:SHORT]}."
    yield from _uncommitted(_dirty(then.dirty), _dirty(redact(git.get("diff", ""))))  # as it is recorded
    status = git.get("status", "").splitlines()
    untracked, before = {line[3:] for line in status if line.startswith("??")}, set(then.untracked)
    if untracked != before:
        told = f"{_some(sorted(before - untracked))} then, {_some(sorted(untracked - before))} now"
        yield f"Files that git does not know: {told}."


def _uncommitted(then: dict[str, str], now: dict[str, str]) -> Iterator[str]:
    others = [name for name in then if name in now and then[name] != now[name]]
    gone, new = ([name for name in one if name not in other] for one, other in ((then, now), (now, then)))
    if others:
        yield f"Uncommitted changes in {_some(others)} are not those of then."
    if gone or new:
        yield f"Uncommitted changes {_some(gone)} then, {_some(new)} now."


def _dirty(diff: str) -> dict[str, str]:
    """Take a diff apart, by file."""
    parts = re.split(r"(?m)^diff --git ", diff.strip())[1:]
    return {part.partition("\n")[0].rpartition(" b/")[2]: part.strip() for part in parts}


def _some(names: list[str]) -> str:
    return brief(names, 4) if names else "none"


def compare_sources(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    """Name the modules that the choices run on and that have changed; git does not know those of the user's own."""
    changed = [name for name in now if name in then and then[name] != now[name]]
    new = [name for name in now if name not in then]  # a search records those of its first trial
    if not then:
        yield "The run did not record the source files that it ran on, so they cannot be compared."
    elif changed or new:
        told = [f"changed {brief(changed, 4)}"] if changed else []
        told += [f"not recorded then {brief(new, 4)}"] if new else []
        yield f"Source files: {'; '.join(told)}."


def _data(record: Record, checked: Checked) -> Iterator[str]:
    then, now = record.tags.get(DATA_TAG, ""), checked.data.fingerprint
    if then != now:
        rows = f"{len(checked.data.table):,} rows"
        yield f"Data: content {then[:12] or 'unknown'} then, {now[:12]} now ({checked.data.dataset.label}, {rows})."


def _packages(then: Provenance) -> Iterator[str]:
    told = provenance.list_packages()
    python = PYTHON.search(told)
    if then.python is not None and python is not None and python[1] != then.python:
        yield f"Python: {then.python} then, {python[1]} now."
    now = dict(PIN.findall(told))
    if not then.packages:
        yield "The run did not record its packages, so they cannot be compared."
        return
    names = sorted({*then.packages, *now} - set(INSTALLERS), key=str.lower)
    found = [
        f"{name} {then.packages.get(name, 'absent')} → {now.get(name, 'absent')}"
        for name in names
        if then.packages.get(name) != now.get(name)
    ]
    if found:
        yield f"Packages: {brief(found)}; --in-env makes the recorded environment."
