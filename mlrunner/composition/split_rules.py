"""The rule between the split and the rows: they can be divided, and each fit gets rows of several classes."""

from __future__ import annotations

from collections.abc import Iterator

from mlrunner.composition.findings import Data, Findings
from mlrunner.core.column_kinds import Kind, infer_kind, infer_kinds
from mlrunner.groups.split import DataDivideStrategy
from mlrunner.groups.split.assignment import Assignment, GroupAssignment, TimeAssignment
from mlrunner.groups.split.division_check import DivisionCheck

UNKNOWN_ROWS = 10**9  # rows; stands for those of a table that cannot be read, so that the split is still checked

MANY_ROWS = 100  # of other classes: chance does not keep all of them from the training rows, so nothing is divided


def check_sizes(findings: Findings) -> Iterator[str]:
    """Refuse a split that needs more rows, groups or members of a class than there are."""
    split, data = findings.built["split"], findings.data
    if split is None:
        return
    if data is None or data.labeled_rows.empty:
        yield from split.problems(UNKNOWN_ROWS, UNKNOWN_ROWS, None)
        return
    roles = data.dataset.roles
    present = [name for name in (roles.target, roles.group) if name in data.table]
    if Kind.UNSUPPORTED in infer_kinds(data.table[present]).values():
        return  # `check_table` refuses them
    groups = data.labeled_rows[roles.group].nunique() if roles.group in data.labeled_rows else None
    counts = data.labeled_rows[roles.target].value_counts()
    smallest = int(counts[counts > 0].min()) if findings.task == "classification" else None
    problems = split.problems(len(data.labeled_rows), groups, smallest) or list(_divide(findings, split, data))
    is_number = roles.group is not None and groups is not None and infer_kind(data.table[roles.group]) is Kind.NUMBER
    lost = f" If its codes differ by leading zeros, set 'dataset.dtypes={{{roles.group}: str}}'." if is_number else ""
    yield from (f"{problem}{lost if 'groups' in problem else ''}" for problem in problems)


def _divide(findings: Findings, split: DataDivideStrategy, data: Data) -> Iterator[str]:
    """Refuse rows that do not allow the division, or that leave training rows of a single class."""
    rows, roles, cleaning = data.labeled_rows, data.dataset.roles, findings.built["cleaning"]
    if cleaning is None or not {roles.group, roles.time} <= {*rows.columns, None} or not isinstance(split, Assignment):
        return
    is_classification = findings.task == "classification" and len(findings.labels or ()) > 1
    others = len(rows) - int(rows[roles.target].value_counts().max())
    if isinstance(split, GroupAssignment) and split.group is None and others >= MANY_ROWS:
        return
    if is_classification or isinstance(split, TimeAssignment):
        names = {roles.target, *(getattr(split, key, None) for key in ("group", "time"))}
        table = cleaning.select_rows(rows)[[name for name in rows.columns if name in names]]
        stops_early = getattr(findings.built["model"], "early_stopping", None) is not None
        yield from DivisionCheck(table, roles, is_classification, stops_early).problems(split)
