"""A look at a table: its target and task, and which columns should be no features, with the reason for each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

import pandas as pd

from mlrunner.core.build import Group, build
from mlrunner.core.column_kinds import Kind, infer_kind
from mlrunner.core.column_roles import Roles, Task, infer_task
from mlrunner.core.errors import ConfigError, DataError, brief, nearest
from mlrunner.core.formatting import format_number
from mlrunner.core.warning_names import Notice
from mlrunner.evaluation.advice import columns, leaks
from mlrunner.evaluation.advice.data_warnings import warn_of_data
from mlrunner.evaluation.advice.facts import TableFacts
from mlrunner.groups.cleaning import DateFeatures
from mlrunner.groups.cleaning.controller import resolve_strategy
from mlrunner.groups.dataset import Dataset, loading

GROUP_NAME = re.compile(r"(?i:(^|[_\W])(id|uuid|guid)$)|(?<=[a-z])(ID|Id)$")
ROWS_PER_GROUP = 1.5  # on average, so that rows repeat the value of a group
LONG_TEXT = 60  # characters on average; names and categories are shorter


@dataclass(frozen=True)
class Draft:
    """What a look at a table suggests.

    Args:
        table: Raw table.
        target: Column to predict.
        task: Task of the target.
        ignore: Reason by name of the columns that should be no features.
        group: Column whose rows belong together, and the reason; None without one.
        time: Column that orders the rows, and the reason; None without one.
        notices: Warnings that remain.
    """

    table: pd.DataFrame
    target: str
    task: Task
    ignore: dict[str, str]
    group: tuple[str, str] | None
    time: tuple[str, str] | None
    notices: tuple[Notice, ...]

    @property
    def task_reason(self) -> str:
        """Why the task is what it is."""
        values = self.table[self.target].dropna()
        if self.task == "regression":
            ends = values.min(), values.max()
            low, high = map(format_number, ends) if infer_kind(values) is Kind.NUMBER else map(str, ends)
            return f"{values.nunique():,} different values, {low} to {high}"
        labels = sorted(map(str, values.unique()))
        return f"{len(labels)} classes: {brief(labels)}"


def read_table(group: Group) -> tuple[pd.DataFrame, tuple[Notice, ...]]:
    """Read the table of a config group, which need not have a target."""
    dataset: Dataset = build({**group, "target": group.get("target") or "?"}, "dataset", Dataset)
    return loading.read_with_notices({**group, "target": dataset.target}, dataset.fingerprint())


def make_draft(table: pd.DataFrame, target: str, group: Group, lost: tuple[Notice, ...] = ()) -> Draft:
    """Look at a table.

    Args:
        table: Raw table.
        target: Column to predict.
        group: Config group that read it, whose roles stay as they are.
        lost: What was lost when it was read.

    Raises:
        ConfigError: When the table has no such column.
    """
    if target not in table:
        names = list(map(str, table.columns))
        raise ConfigError(f"--target {target} is not a column; there are {brief(names, 20)}.{nearest(target, names)}")
    task: Task = group.get("task") or infer_task(table[target])
    ignore = dict.fromkeys(group.get("ignore") or (), "left out by mlrunner's own option")
    facts = TableFacts(table, Roles(target, tuple(ignore), group.get("group"), group.get("time")), task)
    for name, reason in _list_useless(facts):
        ignore.setdefault(name, reason)
    facts = replace(facts, roles=replace(facts.roles, ignore=tuple(ignore)))
    grouped = _find_group(facts)
    facts = replace(facts, roles=replace(facts.roles, group=grouped[0] if grouped else None))
    time = _find_time(facts)
    facts = replace(facts, roles=replace(facts.roles, time=time[0] if time else None))
    return Draft(table, target, task, ignore, grouped, time, (*lost, *warn_of_data(facts)))


def _list_useless(facts: TableFacts) -> Iterator[tuple[str, str]]:
    """List the columns that should be no features, with the reason; of several reasons, the first one counts."""
    target = facts.roles.target
    for name in columns.find_constants(facts):
        yield name, "has one value in every row"
    for name in columns.find_row_numbers(facts):
        yield name, "numbers the rows in their order"
    for name in columns.find_ids(facts):
        yield name, "differs in nearly every row, like an id"
    for name in leaks.find_leaks(facts):
        yield name, f"alone tells {target}; a feature only if it is known before"
    for name in leaks.find_sum(facts):
        yield name, f"is a part of a sum that gives {target} exactly; a feature only if it is known before"
    for name, earlier in columns.find_duplicates(facts).items():
        yield name, f"repeats {earlier}"
    for name, column in facts.columns.items():
        if infer_kind(column) is Kind.TEXT and (length := column.dropna().astype(str).str.len().mean()) > LONG_TEXT:
            yield name, f"is text of {length:.0f} characters on average, which no encoder here reads"


def _find_group(facts: TableFacts) -> tuple[str, str] | None:
    """Find the column that is named as an id and repeats: its rows belong together."""
    if facts.roles.group is not None:
        return facts.roles.group, "as in mlrunner's own option"
    known = len(facts.sample)
    named = [name for name in facts.columns if GROUP_NAME.search(name) and facts.distinct[name] > 1]
    repeating = [name for name in named if facts.distinct[name] * ROWS_PER_GROUP <= known]
    if not repeating:
        return None
    name = max(repeating, key=lambda each: facts.distinct[each])
    return name, f"an id with {facts.table[name].nunique():,} values in {len(facts.table):,} rows"


def _find_time(facts: TableFacts) -> tuple[str, str] | None:
    """Find the first column of dates, as cleaning=full finds them."""
    if facts.roles.time is not None:
        return facts.roles.time, "as in mlrunner's own option"
    strategy = DateFeatures(keep_numeric=False, date_endings=["date", "datetime", "timestamp", "time", "at"])
    with suppress(DataError):  # dates that no single format reads; the check says what to set
        dates = list(resolve_strategy(strategy, facts.table, facts.roles).date_columns)
        if dates:
            more = f"; also {brief(dates[1:], 4)}" if len(dates) > 1 else ""
            return dates[0], f"the first column of dates{more}"
    return None
