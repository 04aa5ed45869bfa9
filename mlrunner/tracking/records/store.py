"""What every store of runs can be asked."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mlrunner.tracking.records.record import SWEEP, TRIAL, Record

MANY = 500  # ids a filter
SHORT = 8  # digits of an id
TYPED = re.compile(r"[\w.,=+/-]+")  # what needs no quotes in a shell
STACK = ("stack=", "stack.")  # begins an override that says where the runs are recorded


class Only(NamedTuple):
    """The names of what is wanted of a run; a store may give more."""

    params: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class Store(ABC):
    """Where runs are recorded."""

    @abstractmethod
    def search(
        self,
        where: str = "",
        sort: Sequence[str] = (),
        limit: int | None = None,
        parents: bool = True,
        only: Only | None = None,
    ) -> list[Record]:
        """Find runs.

        Args:
            where: In MLflow's filter grammar, `metrics.r2 > 0.3 and params.model = 'rf'`; empty for all.
            sort: In MLflow's order grammar, `metrics.r2 DESC`; the newest first where they are equal.
            limit: How many at most; None for all.
            parents: Whether the parents of sweeps, which are no compositions, are among them.
            only: The parameters, metrics and tags that are wanted, which saves most of the time; None for all.

        Raises:
            ConfigError: When the filter or the order is none of MLflow's.
        """

    @abstractmethod
    def statuses(self, sweeps: Sequence[str]) -> dict[str, dict[str, int]]:
        """Count the runs of some sweeps by status.

        Args:
            sweeps: Their ids.
        """

    @abstractmethod
    def aliases(self) -> list[tuple[str, str, int, str]]:
        """Read the aliases of the registry: model, alias, version and the version's run, in this order."""

    def champions(self) -> dict[str, str]:
        """Find the run of each model that the registry's alias `champion` points at, by the model's name."""
        return {name: run_id for name, alias, _, run_id in self.aliases() if alias == "champion"}

    def named(self, run_ids: Sequence[str]) -> list[Record]:
        """Find runs by their whole ids, in this order; those that are not there are left out."""
        told = [", ".join(f"'{run_id}'" for run_id in run_ids[at : at + MANY]) for at in range(0, len(run_ids), MANY)]
        found = [record for ids in told for record in self.search(f"attributes.run_id IN ({ids})")]
        known = {record.run_id: record for record in found}
        return [known[run_id] for run_id in run_ids if run_id in known]

    def labels(self, prefix: str, limit: int, sweeps: bool = False) -> list[str]:
        """Name runs in the ways that begin so and can be typed in a shell, the newest first.

        Args:
            prefix: Of the name, of the id, or of SWEEP/TRIAL.
            limit: How many runs at most.
            sweeps: Only sweeps, by DAY/TIME.
        """
        places = [
            (record.run_id, record.name, record.tags.get(SWEEP), record.tags.get(TRIAL)) for record in self.search()
        ]
        return labels_of(places, prefix, limit, sweeps)

    def one(self, where: str, sort: Sequence[str] = ()) -> Record | None:
        """Find the first of the runs that `search` would find."""
        return next(iter(self.search(where, sort, 1)), None)


def quoted(text: str) -> str:
    """Write a text as a filter's value; one with both kinds of quotes fits no filter of MLflow's, and finds nothing."""
    return f'"{text.replace(chr(34), "?")}"' if "'" in text else f"'{text}'"


def split(words: Iterable[str]) -> tuple[list[str], list[str]]:
    """Tell names of runs, which may hold `=` as well, from overrides of the stack that has them.

    Returns:
        The names and the overrides, each in their order.
    """
    told = list(words)
    overrides = [word for word in told if word.startswith(STACK)]
    return [word for word in told if not word.startswith(STACK)], overrides


def labels_of(
    runs: Iterable[tuple[str, str, str | None, str | None]], prefix: str, limit: int, sweeps: bool
) -> list[str]:
    """Name runs in the ways that begin so: SWEEP/TRIAL, the beginning of the id, the name; once where nothing is typed.

    Args:
        runs: Id, name, sweep and trial of each.
        prefix: What is typed.
        limit: How many runs at most.
        sweeps: Only sweeps, by DAY/TIME.
    """
    found: list[list[str]] = []
    for run_id, name, sweep, trial in runs:
        if sweeps and (sweep is None or trial is not None):
            continue
        place = [] if sweep is None else [sweep if trial is None else f"{sweep}/{trial}"]
        ways = place if sweeps else [*place, run_id[: max(SHORT, len(prefix))], name]
        fitting = [way for way in ways if way.startswith(prefix) and TYPED.fullmatch(way)]
        found += [fitting if prefix else fitting[:1]] if fitting else []
        if len(found) == limit:
            break
    return list(dict.fromkeys(way for ways in found for way in ways))
