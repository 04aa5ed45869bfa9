"""Choose the runs that go: a function of records, criteria and what must stay."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from mlrunner.core.metric_names import greater_is_better
from mlrunner.history.pruning import DAY, MARK, Criteria, Selection, Stay
from mlrunner.tracking.records import DATA, FOLDER, REOPENED, REPRODUCES, SWEEP, Record

PARTS = ("test/", "validation/", "cv/", "")  # where a score is looked for, best word first
Members = Mapping[str, Sequence[Record]]


def select(
    records: Sequence[Record],
    criteria: Criteria,
    kept: Mapping[str, str],
    now: float,
    is_searched: Callable[[Record], bool] = lambda _: False,
) -> Selection:
    """Choose what goes.

    Args:
        records: All there are.
        criteria: What is asked for.
        kept: Runs that must stay, each with the reason.
        now: In seconds since 1970.
        is_searched: Tells whether a process works at a search.
    """
    members = members_of(records)
    wanted = _chosen(records, members, criteria, now)
    about = {one.tags[SWEEP] for one in wanted if SWEEP in one.tags}
    alive = running((one for one in records if one.tags.get(SWEEP) in about), members, now, is_searched)
    staying = [
        Stay(one, reason)
        for one in wanted
        if (reason := kept.get(one.run_id) or _unfinished(one, criteria, alive, now)) is not None
    ]
    left = {stay.record.run_id for stay in staying}
    going = {one.run_id for one in wanted} - left
    for one in wanted:
        missing = sum(run.run_id not in going for run in members.get(one.tags.get(SWEEP, ""), ()))
        if one.is_sweep and one.run_id in going and missing:
            going.discard(one.run_id)
            staying.append(Stay(one, f"has {missing} run{'s' * (missing > 1)} that stay{'s' * (missing == 1)}"))
    return Selection(sorted((one for one in wanted if one.run_id in going), key=_parents_last), staying)


def members_of(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Sort the trials and winners by their sweep."""
    found: dict[str, list[Record]] = defaultdict(list)
    for one in records:
        if SWEEP in one.tags and not one.is_sweep:
            found[one.tags[SWEEP]].append(one)
    return found


def running(records: Iterable[Record], members: Members, now: float, is_searched: Callable[[Record], bool]) -> set[str]:
    """Find the sweeps that run, and not only say so since they were killed.

    They have begun, were resumed or had a run less than a day ago, or a process is at work for longer on one trial.
    """
    found = set()
    for one in records:
        if one.is_sweep:
            is_fresh = _is_fresh([one, *members.get(one.tags[SWEEP], ())], now)
            # Another process may go on with a study whose parent the first one has ended.
            if (is_fresh and _runs(one)) or ((is_fresh or _runs(one)) and is_searched(one)):
                found.add(one.tags[SWEEP])
    return found


def score(record: Record) -> float | None:
    """Take the score that a run is ranked by: on test rows, else on those of validation or the folds."""
    return record.metrics.get(f"{scored_on(record)}{record.metric}")


def scored_on(record: Record) -> str:
    """Name the rows of that score, like `test/`, which is also where one is missing that has none at all."""
    return next((part for part in PARTS if f"{part}{record.metric}" in record.metrics), PARTS[0])


def _chosen(records: Sequence[Record], members: Members, criteria: Criteria, now: float) -> list[Record]:
    """Take what meets every criterion; what another program recorded has to be named."""
    able = [one for one in records if FOLDER in one.tags or one.run_id in (criteria.named or ())]
    allowed = [found for found in (criteria.named, criteria.matching) if found is not None]
    if criteria.worse_than is not None:
        allowed.append(_with_parents(able, members, _worse(able, criteria.worse_than)))
    if criteria.keep is not None:
        newest = sorted((one for one in able if not one.is_sweep), key=lambda one: one.start, reverse=True)
        allowed.append(_with_parents(able, members, {one.run_id for one in newest[criteria.keep :]}))

    def meets(one: Record) -> bool:
        is_old = criteria.older is None or _age(one, now) > criteria.older
        has_status = not criteria.status or one.status in criteria.status
        return is_old and has_status and all(one.run_id in found for found in allowed)

    return [one for one in able if MARK in one.tags or (not criteria.is_empty and meets(one))]


def _worse(records: Sequence[Record], best: int) -> set[str]:
    """Find all but the best of each data set, metric and kind of rows, for a score on test rows compares with no other.

    A run without a score is worse than one with. A reproduction takes nobody's place: it is the same run again.
    """
    groups: dict[tuple[str, str, str], list[Record]] = defaultdict(list)
    for one in records:
        if DATA in one.tags and not one.is_sweep and not _runs(one):
            groups[one.tags[DATA], one.metric, scored_on(one)].append(one)
    return {run_id for group in groups.values() for run_id in _behind(group, best)}


def _behind(group: Sequence[Record], best: int) -> Iterable[str]:
    ranks = sorted(_rank(one) for one in group if REPRODUCES not in one.tags)
    return (one.run_id for one in group if bisect_left(ranks, _rank(one)) >= best)


def _rank(record: Record) -> tuple[bool, float, int, str]:
    found = score(record)
    sign = -1 if greater_is_better(record.metric) else 1
    return found is None, 0.0 if found is None else sign * found, -record.start, record.run_id


def _with_parents(records: Sequence[Record], members: Members, chosen: set[str]) -> frozenset[str]:
    """Add the sweeps of which every run was chosen."""
    whole = {
        one.run_id
        for one in records
        if one.is_sweep and (runs := members.get(one.tags[SWEEP])) and all(run.run_id in chosen for run in runs)
    }
    return frozenset(chosen | whole)


def _unfinished(record: Record, criteria: Criteria, alive: set[str], now: float) -> str | None:
    """Say why a run is not over."""
    if _runs(record):
        if "RUNNING" not in criteria.status:
            return "runs still (one that was killed goes with --status running, once it is a day old)"
        if _is_fresh([record], now):
            return "runs still: it began less than a day ago"
        if record.is_sweep and record.tags[SWEEP] in alive:
            return "runs still, as far as its study tells"
    return "is of a sweep that runs still" if record.tags.get(SWEEP) in alive else None


def _runs(record: Record) -> bool:
    return record.status in ("RUNNING", "SCHEDULED")


def _is_fresh(records: Iterable[Record], now: float) -> bool:
    """Tell whether one of some runs gave a sign of life less than a day ago."""
    return any(now - _seen(one) / 1000 < DAY for one in records)


def _seen(record: Record) -> int:
    """Tell when a run began, ended or was reopened, whichever was last."""
    reopened = record.tags.get(REOPENED, "")
    return max(record.start, record.end or 0, int(reopened) if reopened.isdecimal() else 0)


def _age(record: Record, now: float) -> float:
    return now - (record.end or record.start) / 1000


def _parents_last(record: Record) -> tuple[bool, int]:
    return record.is_sweep, -record.start
