"""Select the runs to remove: a pure function of the records, the criteria and the protected runs."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from mlrunner.history.pruning.criteria import DAY, Criteria
from mlrunner.tracking.records import DATA_TAG, FOLDER_TAG, REOPENED_TAG, REPRODUCES_TAG, SWEEP_TAG, Record
from mlrunner.tracking.records.record import INVALID_TAG, PRUNING_TAG, TEST_ROWS_TAG, VALIDATION_ROWS_TAG

SCORE_PREFIXES = ("test/", "validation/", "cv/", "")  # of the score that ranks a run, in order of preference
Members = Mapping[str, Sequence[Record]]


def select(
    records: Sequence[Record],
    criteria: Criteria,
    protected: Mapping[str, str],
    now: float,
    is_searched: Callable[[Record], bool] = lambda _: False,
) -> tuple[list[Record], dict[str, str]]:
    """Select the runs to remove.

    Args:
        records: All runs of the store.
        criteria: Conditions that a run must meet.
        protected: Reason by id of each run that must stay.
        now: Seconds since 1970.
        is_searched: Check whether a process works on a search.

    Returns:
        The runs to remove, trials before the parent of their sweep. By id of each run that meets the criteria and is
        kept, the reason, which completes a sentence that begins with the run.
    """
    members = members_by_sweep(records)
    matches = _matching(records, members, criteria, now)
    sweeps = {run.tags[SWEEP_TAG] for run in matches if SWEEP_TAG in run.tags}
    active = active_sweeps((run for run in records if run.tags.get(SWEEP_TAG) in sweeps), members, now, is_searched)
    reasons = {run.run_id: protected.get(run.run_id) or _why_unfinished(run, criteria, active, now) for run in matches}
    kept = {run_id: reason for run_id, reason in reasons.items() if reason is not None}
    selected = reasons.keys() - kept.keys()
    for run in matches:
        stay = sum(member.run_id not in selected for member in members.get(run.tags.get(SWEEP_TAG, ""), ()))
        if run.is_sweep and run.run_id in selected and stay:
            kept[run.run_id] = f"has {stay} run{'s' * (stay > 1)} that stay{'s' * (stay == 1)}"
    return sorted((run for run in matches if run.run_id not in kept), key=lambda run: (run.is_sweep, -run.start)), kept


def members_by_sweep(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Group trials and winners by the id of their sweep."""
    members: dict[str, list[Record]] = defaultdict(list)
    for run in records:
        if SWEEP_TAG in run.tags and not run.is_sweep:
            members[run.tags[SWEEP_TAG]].append(run)
    return members


def active_sweeps(
    records: Iterable[Record], members: Members, now: float, is_searched: Callable[[Record], bool]
) -> set[str]:
    """Find the ids of the sweeps that are running; one that was killed may still have the status RUNNING.

    A sweep is running if it was started, resumed or given a trial within the last day, or if a process works on it.
    """
    active = set()
    for run in records:
        if run.is_sweep:
            is_recent = _is_recent([run, *members.get(run.tags[SWEEP_TAG], ())], now)
            # Another process may continue a study after the first one has closed the parent run.
            if (is_recent and _is_running(run)) or ((is_recent or _is_running(run)) and is_searched(run)):
                active.add(run.tags[SWEEP_TAG])
    return active


def score(record: Record) -> float | None:
    """Return the score that ranks a run: on the test rows, else on validation rows or folds."""
    return record.metrics.get(f"{_score_prefix(record)}{record.metric}")


def _score_prefix(record: Record) -> str:
    prefixes = (prefix for prefix in SCORE_PREFIXES if f"{prefix}{record.metric}" in record.metrics)
    return next(prefixes, SCORE_PREFIXES[0])


def _judged_by(record: Record) -> tuple[str, str]:
    """Return the kind of rows that a run's score is computed on, and their digest."""
    prefix = _score_prefix(record)
    return prefix, record.tags.get(TEST_ROWS_TAG if prefix == "test/" else VALIDATION_ROWS_TAG, "")


def _matching(records: Sequence[Record], members: Members, criteria: Criteria, now: float) -> list[Record]:
    """Find the runs that meet every criterion; a run of another program matches only by its name."""
    candidates = [run for run in records if FOLDER_TAG in run.tags or run.run_id in (criteria.named or ())]
    allowed = [ids for ids in (criteria.named, criteria.matching) if ids is not None]
    if criteria.worse_than is not None:
        allowed.append(_with_parents(candidates, members, _all_but_best(candidates, criteria.worse_than)))
    if criteria.keep is not None:
        newest = sorted((run for run in candidates if not run.is_sweep), key=lambda run: run.start, reverse=True)
        allowed.append(_with_parents(candidates, members, {run.run_id for run in newest[criteria.keep :]}))

    def meets(run: Record) -> bool:
        is_old = criteria.older is None or now - (run.end or run.start) / 1000 > criteria.older
        has_status = not criteria.status or run.status in criteria.status
        return is_old and has_status and all(run.run_id in ids for ids in allowed)

    return [run for run in candidates if PRUNING_TAG in run.tags or (not criteria.is_empty and meets(run))]


def _all_but_best(records: Sequence[Record], count: int) -> set[str]:
    """Find all but the best runs of each data set, metric, target and judged rows: other scores are not comparable.

    A run without a score, and one that is invalid, ranks last. A reproduction, which repeats another run, is not
    counted among the best.
    """
    groups: dict[tuple[str, ...], list[Record]] = defaultdict(list)
    for run in records:
        if DATA_TAG in run.tags and not run.is_sweep and not _is_running(run):
            groups[run.tags[DATA_TAG], run.metric, *_judged_by(run)].append(run)
    return {run_id for group in groups.values() for run_id in _behind(group, count)}


def _behind(group: Sequence[Record], count: int) -> Iterable[str]:
    ranks = sorted(_rank(run) for run in group if REPRODUCES_TAG not in run.tags)
    return (run.run_id for run in group if bisect_left(ranks, _rank(run)) >= count)


def _rank(record: Record) -> tuple[bool, float, int, str]:
    value = None if INVALID_TAG in record.tags else score(record)
    sign = -1 if record.maximizes else 1
    return value is None, 0.0 if value is None else sign * value, -record.start, record.run_id


def _with_parents(records: Sequence[Record], members: Members, selected: set[str]) -> frozenset[str]:
    """Add the parents of the sweeps whose runs are all selected."""
    parents = {
        run.run_id
        for run in records
        if run.is_sweep and (runs := members.get(run.tags[SWEEP_TAG])) and all(run.run_id in selected for run in runs)
    }
    return frozenset(selected | parents)


def _why_unfinished(record: Record, criteria: Criteria, active: set[str], now: float) -> str | None:
    """Explain why a run has not ended; None if it has."""
    if _is_running(record):
        if "RUNNING" not in criteria.status:
            return "is running (if it was killed: --status running removes it once it is a day old)"
        if _is_recent([record], now):
            return "is running: it started less than a day ago"
        if record.is_sweep and record.tags[SWEEP_TAG] in active:
            return "is running: a process works on its study"
    return "belongs to a sweep that is running" if record.tags.get(SWEEP_TAG) in active else None


def _is_running(record: Record) -> bool:
    return record.status in ("RUNNING", "SCHEDULED")


def _is_recent(records: Iterable[Record], now: float) -> bool:
    """Check whether one of the runs was started, ended or reopened less than a day ago."""
    events = (max(run.start, run.end or 0, int(run.tags.get(REOPENED_TAG) or 0)) for run in records)
    return any(now - event / 1000 < DAY for event in events)
