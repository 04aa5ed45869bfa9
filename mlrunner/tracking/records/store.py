"""The interface of every store of runs."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mlrunner.tracking.records.record import SWEEP_TAG, TRIAL_TAG, Record

IDS_PER_FILTER = 500
SHORT_ID_LENGTH = 8
SHELL_SAFE = re.compile(r"[\w.,=+/-]+")  # needs no quotes in a shell
STACK_PREFIXES = ("stack=", "stack.")  # of overrides that select the store


class Fields(NamedTuple):
    """Names of the parameters, metrics and tags to read of a run; a store may return more."""

    params: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class Store(ABC):
    """A tracking store."""

    @abstractmethod
    def search(
        self,
        where: str = "",
        sort: Sequence[str] = (),
        limit: int | None = None,
        parents: bool = True,
        fields: Fields | None = None,
    ) -> list[Record]:
        """Search runs.

        Args:
            where: Filter in MLflow's grammar, `metrics.r2 > 0.3 and params.model = 'rf'`; empty: all runs.
            sort: Sort keys in MLflow's grammar, `metrics.r2 DESC`; the newest run comes first among equals.
            limit: Maximum number of runs; None: no limit.
            parents: Whether to include the parents of sweeps, which have no composition.
            fields: Parameters, metrics and tags to read, which saves most of the time; None: all.

        Raises:
            ConfigError: If MLflow does not accept the filter or a sort key.
        """

    @abstractmethod
    def count_statuses(self, sweeps: Sequence[str]) -> dict[str, dict[str, int]]:
        """Count the trials of sweeps by status, that of the last run where an interrupted one was run again.

        Returns:
            Number of trials by sweep and status, MLflow's or INTERRUPTED, without sweeps that have no runs.
        """

    @abstractmethod
    def read_aliases(self) -> list[tuple[str, str, int, str]]:
        """Read the aliases of the model registry: name of the model, alias, version and the version's run id."""

    def find_champions(self) -> dict[str, str]:
        """Return the run id behind the alias `champion`, by name of the registered model."""
        return {name: run_id for name, alias, _, run_id in self.read_aliases() if alias == "champion"}

    def read_runs(self, run_ids: Sequence[str]) -> list[Record]:
        """Read runs by their full ids, in the same order; ids that do not exist are left out."""
        batches = [run_ids[start : start + IDS_PER_FILTER] for start in range(0, len(run_ids), IDS_PER_FILTER)]
        filters = [f"attributes.run_id IN ({', '.join(map(quote, batch))})" for batch in batches]
        records = {record.run_id: record for where in filters for record in self.search(where)}
        return [records[run_id] for run_id in run_ids if run_id in records]

    def list_labels(self, prefix: str, limit: int, sweeps: bool = False) -> list[str]:
        """List labels of runs that start with a prefix and need no quotes in a shell, the newest run first.

        Args:
            prefix: Start of a name, of an id, or of SWEEP/TRIAL.
            limit: Maximum number of runs.
            sweeps: Whether to list sweeps only, as DAY/TIME.
        """
        runs = [(run.run_id, run.name, run.tags.get(SWEEP_TAG), run.tags.get(TRIAL_TAG)) for run in self.search()]
        return match_labels(runs, prefix, limit, sweeps)

    def find_first(self, where: str, sort: Sequence[str] = ()) -> Record | None:
        """Return the first run that `search` would return, or None."""
        return next(iter(self.search(where, sort, 1)), None)


def quote(text: str) -> str:
    """Quote a text as a filter's value.

    MLflow cannot express a text with both kinds of quotes: such a filter matches nothing.
    """
    return f'"{text.replace(chr(34), "?")}"' if "'" in text else f"'{text}'"


def separate_stack_overrides(words: Iterable[str]) -> tuple[list[str], list[str]]:
    """Separate names of runs, which may contain `=`, from the overrides that select the store.

    Returns:
        The names and the overrides, each in their order.
    """
    words = list(words)
    overrides = [word for word in words if word.startswith(STACK_PREFIXES)]
    return [word for word in words if not word.startswith(STACK_PREFIXES)], overrides


def match_labels(
    runs: Iterable[tuple[str, str, str | None, str | None]], prefix: str, limit: int, sweeps: bool
) -> list[str]:
    """List the labels of runs that start with a prefix: SWEEP/TRIAL, the start of the id, the name.

    Args:
        runs: Id, name, sweep and trial number of each run.
        prefix: Start of the labels; empty: the first label of each run only.
        limit: Maximum number of runs.
        sweeps: Whether to list sweeps only, as DAY/TIME.
    """
    matches: list[list[str]] = []
    for run_id, name, sweep, trial in runs:
        if sweeps and (sweep is None or trial is not None):
            continue
        place = [] if sweep is None else [sweep if trial is None else f"{sweep}/{trial}"]
        labels = place if sweeps else [*place, run_id[: max(SHORT_ID_LENGTH, len(prefix))], name]
        matching = [label for label in labels if label.startswith(prefix) and SHELL_SAFE.fullmatch(label)]
        matches += [matching if prefix else matching[:1]] if matching else []
        if len(matches) == limit:
            break
    return list(dict.fromkeys(label for labels in matches for label in labels))
