"""What `mlrunner runs` and `mlrunner sweeps` show: what is asked, found in the tracking store, as entries.

Imports neither MLflow nor ZenML where the store is SQLite.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlrunner.core.errors import ConfigError, nearest
from mlrunner.core.metric_names import GREATER_IS_BETTER
from mlrunner.history.listing import deployments
from mlrunner.history.listing.entries import Entry
from mlrunner.history.listing.sweep import Sweep
from mlrunner.tracking.records import (
    BEST,
    STATUSES,
    SWEEP,
    TRIAL,
    WINNER,
    Only,
    Record,
    Store,
    filter_grammar,
    lookup,
    quoted,
)

STORED = {
    "id": "attributes.run_id",
    "name": "attributes.run_name",
    "status": "attributes.status",
    "when": "attributes.start_time",
}
COMPUTED: dict[str, Callable[[Entry], Any]] = {
    "took": lambda entry: entry.record.seconds,
    "objective": lambda entry: entry.objective,
    "test": lambda entry: entry.test,
}
STATUS = filter_grammar.Named("attribute", "status")
WORDS = f" The statuses are {', '.join(STATUSES)} (a pruned trial is KILLED)."
PARENTS = f"tags.`{SWEEP}` IS NOT NULL and tags.`{TRIAL}` IS NULL"
# What the orders that no store computes look at; what is shown is read afterwards.
SORTED = Only(
    params=("objective.metric",),
    metrics=tuple(f"{part}{name}" for name in GREATER_IS_BETTER for part in ("", "test/")),
)


@dataclass(frozen=True)
class Request:
    """What a person asks for.

    Args:
        sweeps: Sweeps, not runs.
        where: In MLflow's filter grammar; empty for all.
        sort: Columns or MLflow's order clauses, `-` before one for descending; the newest first where equal.
        limit: How many at most; None for all.
        within: A sweep, by what a person calls it: only its runs, or only itself.
    """

    sweeps: bool = False
    where: str = ""
    sort: tuple[str, ...] = ()
    limit: int | None = None
    within: str | None = None


def find(store: Store, request: Request, home: Path) -> list[Entry]:
    """Find what is asked for.

    Raises:
        ConfigError: When the filter or the order cannot be read.
    """
    filter_grammar.parse(request.where)  # is refused by itself, not together with what is added
    where = " and ".join(part for part in (*_kind(store, request, home), request.where) if part.strip())
    clauses, computed = _order(request.sort)
    limit = request.limit if computed is None else None
    serving = deployments.found(store, home)
    if request.sweeps:
        entries: list[Entry] = _sweeps(store, store.search(where, clauses, limit), serving)
        return entries if computed is None else computed(entries)[: request.limit]
    if computed is None:
        return _runs(store.search(where, clauses, limit, parents=False), serving)
    entries = computed(_runs(store.search(where, parents=False, only=SORTED), serving))[: request.limit]
    return _runs(store.named([entry.record.run_id for entry in entries]), serving)


def _runs(records: Sequence[Record], serving: deployments.Serving) -> list[Entry]:
    return [Entry(record, record, serving.of(record)) for record in records]


def _kind(store: Store, request: Request, home: Path) -> list[str]:
    """Write as conditions what is not the person's filter."""
    found = [PARENTS] if request.sweeps else []
    if request.within is not None:
        sweep = lookup.find(store, request.within, home)
        if not sweep.is_sweep:
            raise ConfigError(f"'{request.within}' is the run {sweep.short}, and no sweep; see mlrunner sweeps.")
        found.append(f"tags.`{SWEEP}` = {quoted(sweep.tags[SWEEP])}")
    return found


def _order(sort: Sequence[str]) -> tuple[list[str], Computed | None]:
    """Write what the store sorts by, or what it cannot.

    Raises:
        ConfigError: When it is neither.
    """
    clauses: list[str] = []
    for told in sort:
        name, descending = told.strip().removeprefix("-"), told.strip().startswith("-")
        if name in COMPUTED:
            if len(sort) > 1:
                raise ConfigError(f"--sort {told} is computed here, so nothing else sorts beside it; leave one out.")
            return [], Computed(name, descending)
        clauses.append(f"{STORED.get(name, name)}{' DESC' * descending}")
    try:
        filter_grammar.parse_order(clauses)
    except ConfigError as error:
        known = ", ".join([*STORED, *COMPUTED])
        unknown = next((told.lstrip("-") for told in sort if told.lstrip("-") not in STORED), "")
        close = "" if "Did you mean" in str(error) else nearest(unknown, [*STORED, *COMPUTED])
        raise ConfigError(f"{error}{close} The columns {known} sort as well; - before one is descending.") from error
    return clauses, None


@dataclass(frozen=True)
class Computed:
    """An order that the store does not know.

    Args:
        name: Of the column.
        descending: The greatest first.
    """

    name: str
    descending: bool

    def __call__(self, entries: list[Entry]) -> list[Entry]:
        """Sort; what is missing comes last either way."""
        key = COMPUTED[self.name]
        there = [entry for entry in entries if key(entry) is not None]
        missing = [entry for entry in entries if key(entry) is None]
        return [*sorted(there, key=key, reverse=self.descending), *missing]


def _sweeps(store: Store, parents: list[Record], serving: deployments.Serving) -> list[Entry]:
    counts = store.statuses([record.tags[SWEEP] for record in parents])
    leads = _leads(store, parents)
    return [
        Sweep(record, lead, serving.of(lead) if lead is not None else None, counts.get(record.tags[SWEEP], {}))
        for record, lead in zip(parents, leads, strict=True)
    ]


def _leads(store: Store, parents: list[Record]) -> list[Record | None]:
    """Find the winner of each sweep, or its best run, all at once."""
    wanted = [record.tags.get(WINNER) or record.tags.get(BEST, "") for record in parents]
    known = {record.run_id: record for record in store.named([run_id for run_id in wanted if run_id])}
    return [known.get(run_id) for run_id in wanted]


def why_nothing(store: Store, request: Request) -> str:
    """Say why nothing was found."""
    what = "sweep" if request.sweeps else "run"
    newest = store.search(PARENTS, limit=1) if request.sweeps else store.search(limit=1, parents=False)
    if not newest:
        return f"There is no {what} yet; start one with mlrunner{' --multirun model=ridge,rf' * request.sweeps}."
    first = newest[0]
    kept: dict[str, Mapping[str, object]] = {"metric": first.metrics, "param": first.params, "tag": first.tags}
    asked = filter_grammar.parse(request.where)
    lacking = [
        f" The newest has no {about.entity} {about.key}.{nearest(about.key, kept[about.entity])}"
        for about, *_ in asked
        if about.entity in kept and about.key not in kept[about.entity]
    ]
    lacking += [WORDS for about, _, text in asked if about == STATUS and text[1:-1] not in STATUSES]
    if not request.where.strip():
        return f"No {what} of {request.within} is recorded yet."
    return f"No {what} matches {request.where}.{lacking[0] if lacking else ''}"
