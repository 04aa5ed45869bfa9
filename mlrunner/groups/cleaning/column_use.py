"""Which columns of a table become features, and why the others are left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pandas as pd

from mlrunner.core.column_roles import Roles
from mlrunner.core.date_parsing import describe_format
from mlrunner.groups.cleaning.controller import select_inputs
from mlrunner.groups.strategy import CleaningStrategy

FEW, FEWER = 12, 3  # names that the line shows of used columns, and of those left out for one reason
LENGTH = 80  # characters of the used names


@dataclass(frozen=True)
class ColumnUse:
    """The columns of a table, by what becomes of them.

    Args:
        used: Columns that features are made of.
        left_out: Reason by name of the other columns.
        dates: Format of each column that is read as dates.
        unreadable: Clause by column about its values that are no dates in the format, and become missing.
    """

    used: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    dates: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """Describe the columns in one line: every name of a narrow table, counts and the first names of a wide one."""
        reasons: dict[str, list[str]] = {}
        for name, reason in self.left_out.items():
            reasons.setdefault(reason, []).append(name)
        clauses = [f"{reason} {_list(names, FEWER)}" for reason, names in reasons.items()]
        left_out = f"; left out {len(self.left_out):,}: {'; '.join(clauses)}" if clauses else ""
        return f"{len(self.used):,} used: {_list(self.used)}{left_out}"

    @property
    def date_line(self) -> str:
        """Describe the date columns in one line; empty without any."""
        formats = [f"{name} ({describe_format(each)})" for name, each in self.dates.items()]
        return "; ".join([_list(formats), *(f"{name}: {clause}" for name, clause in self.unreadable.items())])


def describe_columns(table: pd.DataFrame, roles: Roles, strategy: CleaningStrategy) -> ColumnUse:
    """Describe what becomes of each column."""
    inputs = select_inputs(table, roles)
    left_out = {**strategy.left_out(inputs), **dict(_excluded(table, roles))}
    if roles.time in inputs and roles.time not in strategy.date_columns:
        left_out[str(roles.time)] = "time"
    names = [str(name) for name in table.columns]
    used = [name for name in names if name not in left_out]
    in_order = {name: left_out[name] for name in names if name in left_out}
    return ColumnUse(used, in_order, dict(strategy.date_columns), strategy.describe_unreadable(inputs))


def _excluded(table: pd.DataFrame, roles: Roles) -> Iterator[tuple[str, str]]:
    """Yield the columns that no cleaning gets, with their roles."""
    named = {roles.weight: "weight", roles.group: "group", roles.target: "target"}
    for name in map(str, table.columns):
        if name in roles.ignore:
            yield name, "ignored"
        elif name in named and name != roles.time:
            yield name, named[name]


def _list(names: list[str], few: int = FEW) -> str:
    first: list[str] = []
    for name in names[:few]:
        if first and len(", ".join([*first, name])) > LENGTH:
            break
        first.append(name)
    more = len(names) - len(first)
    return ", ".join([*first, *([f"and {more:,} more"] if more else [])])
