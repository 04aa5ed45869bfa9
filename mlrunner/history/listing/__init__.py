"""Find the runs and sweeps that `mlrunner runs` and `mlrunner sweeps` list.

With an SQLite store, this imports neither MLflow nor ZenML.
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
from mlrunner.history.listing.sweep import SweepEntry
from mlrunner.tracking.records import (
    BEST_TAG,
    STATUSES,
    SWEEP_TAG,
    TRIAL_TAG,
    WINNER_TAG,
    Fields,
    Record,
    Store,
    filter_grammar,
    lookup,
    quote,
)

STORED_COLUMNS = {
    "id": "attributes.run_id",
    "name": "attributes.run_name",
    "status": "attributes.status",
    "when": "attributes.start_time",
}
COMPUTED_COLUMNS: dict[str, Callable[[Entry], Any]] = {
    "took": lambda entry: entry.record.seconds,
    "objective": lambda entry: entry.objective,
    "test": lambda entry: entry.test,
}
STATUS = filter_grammar.FilterField("attribute", "status")
STATUS_HINT = f" The statuses are {', '.join(STATUSES)} (a pruned trial is KILLED)."
PARENTS_FILTER = f"tags.`{SWEEP_TAG}` IS NOT NULL and tags.`{TRIAL_TAG}` IS NULL"
# What the computed orders need; the other fields are read for the listed runs only.
SORT_FIELDS = Fields(
    params=("objective.metric",), metrics=tuple(f"{part}{name}" for name in GREATER_IS_BETTER for part in ("", "test/"))
)


@dataclass(frozen=True)
class Request:
    """What to list.

    Args:
        sweeps: Whether to list sweeps instead of runs.
        where: Filter in MLflow's grammar; empty for all.
        sort: Columns or MLflow's order clauses; a leading `-` sorts in descending order, ties by the newest first.
        limit: Largest number of entries; None for all.
        within: Name of a sweep, to list only its runs or only the sweep itself; None for all.
    """

    sweeps: bool = False
    where: str = ""
    sort: tuple[str, ...] = ()
    limit: int | None = None
    within: str | None = None


def find_entries(store: Store, request: Request, home: Path) -> list[Entry]:
    """Find the runs or sweeps of a request.

    Raises:
        ConfigError: If the filter or the order is wrong.
    """
    filter_grammar.parse(request.where)  # an error names the user's filter, without the other conditions
    where = " and ".join(part for part in (*_conditions(store, request, home), request.where) if part.strip())
    clauses, computed = _make_order(request.sort)
    limit = request.limit if computed is None else None
    serving = deployments.find_deployments(store, home)
    if request.sweeps:
        entries: list[Entry] = _sweeps(store, store.search(where, clauses, limit), serving)
        return entries if computed is None else computed(entries)[: request.limit]
    if computed is None:
        return _runs(store.search(where, clauses, limit, parents=False), serving)
    entries = computed(_runs(_read_objectives(store, where), serving))[: request.limit]
    return _runs(store.read_runs([entry.record.run_id for entry in entries]), serving)


def _read_objectives(store: Store, where: str) -> list[Record]:
    """Read the objectives of all runs, those of one's own in a second search."""
    records = store.search(where, parents=False, fields=SORT_FIELDS)
    own = sorted({record.metric for record in records} - {"", *GREATER_IS_BETTER})
    if not own:
        return records
    more = tuple(f"{part}{name}" for name in own for part in ("", "test/"))
    return store.search(where, parents=False, fields=SORT_FIELDS._replace(metrics=(*SORT_FIELDS.metrics, *more)))


def _runs(records: Sequence[Record], serving: deployments.Deployments) -> list[Entry]:
    return [Entry(record, record, serving.of(record)) for record in records]


def _conditions(store: Store, request: Request, home: Path) -> list[str]:
    """Write the conditions that are not part of the user's filter."""
    conditions = [PARENTS_FILTER] if request.sweeps else []
    if request.within is not None:
        sweep = lookup.find(store, request.within, home)
        if not sweep.is_sweep:
            raise ConfigError(f"'{request.within}' is the run {sweep.short}, not a sweep; see mlrunner sweeps.")
        conditions.append(f"tags.`{SWEEP_TAG}` = {quote(sweep.tags[SWEEP_TAG])}")
    return conditions


def _make_order(sort: Sequence[str]) -> tuple[list[str], ComputedOrder | None]:
    """Write the order clauses of the store, or the order that it cannot compute.

    Raises:
        ConfigError: If a sort key is neither.
    """
    clauses: list[str] = []
    for key in sort:
        name, descending = key.strip().removeprefix("-"), key.strip().startswith("-")
        if name in COMPUTED_COLUMNS:
            if len(sort) > 1:
                raise ConfigError(f"--sort {key} cannot be combined with another --sort; leave one out.")
            return [], ComputedOrder(name, descending)
        clauses.append(f"{STORED_COLUMNS.get(name, name)}{' DESC' * descending}")
    try:
        filter_grammar.parse_order(clauses)
    except ConfigError as error:
        names = ", ".join([*STORED_COLUMNS, *COMPUTED_COLUMNS])
        unknown = next((key.lstrip("-") for key in sort if key.lstrip("-") not in STORED_COLUMNS), "")
        hint = "" if "Did you mean" in str(error) else nearest(unknown, [*STORED_COLUMNS, *COMPUTED_COLUMNS])
        raise ConfigError(
            f"{error}{hint} Columns to sort by are {names}; a leading - sorts in descending order."
        ) from error
    return clauses, None


@dataclass(frozen=True)
class ComputedOrder:
    """An order that the store cannot compute.

    Args:
        name: Column.
        descending: Whether the greatest value is first.
    """

    name: str
    descending: bool

    def __call__(self, entries: list[Entry]) -> list[Entry]:
        """Sort entries; missing values are last in both directions."""
        key = COMPUTED_COLUMNS[self.name]
        present = [entry for entry in entries if key(entry) is not None]
        missing = [entry for entry in entries if key(entry) is None]
        return [*sorted(present, key=key, reverse=self.descending), *missing]


def _sweeps(store: Store, parents: list[Record], serving: deployments.Deployments) -> list[Entry]:
    counts = store.count_statuses([record.tags[SWEEP_TAG] for record in parents])
    leads = _find_leading(store, parents)
    return [
        SweepEntry(record, lead, serving.of(lead) if lead is not None else None, counts.get(record.tags[SWEEP_TAG], {}))
        for record, lead in zip(parents, leads, strict=True)
    ]


def _find_leading(store: Store, parents: list[Record]) -> list[Record | None]:
    """Read the winner or the best run of each sweep, all at once."""
    run_ids = [record.tags.get(WINNER_TAG) or record.tags.get(BEST_TAG, "") for record in parents]
    records = {record.run_id: record for record in store.read_runs([run_id for run_id in run_ids if run_id])}
    return [records.get(run_id) for run_id in run_ids]


def explain_empty(store: Store, request: Request) -> str:
    """Explain why nothing was found."""
    noun = "sweep" if request.sweeps else "run"
    newest = store.search(PARENTS_FILTER, limit=1) if request.sweeps else store.search(limit=1, parents=False)
    if not newest:
        return f"There is no {noun} yet; start one with mlrunner{' --multirun model=ridge,rf' * request.sweeps}."
    first = newest[0]
    recorded: dict[str, Mapping[str, object]] = {"metric": first.metrics, "param": first.params, "tag": first.tags}
    conditions = filter_grammar.parse(request.where)
    hints = [
        f" The newest has no {field.entity} {field.key}.{nearest(field.key, recorded[field.entity])}"
        for field, *_ in conditions
        if field.entity in recorded and field.key not in recorded[field.entity]
    ]
    hints += [STATUS_HINT for field, _, text in conditions if field == STATUS and text[1:-1] not in STATUSES]
    if not request.where.strip():
        return f"No {noun} of {request.within} is recorded yet."
    return f"No {noun} matches {request.where}.{hints[0] if hints else ''}"
