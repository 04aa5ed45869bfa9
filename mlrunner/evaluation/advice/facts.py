"""What the warnings about a table look at: a sample of its rows, computed once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from mlrunner.core.column_kinds import Kind, infer_kind
from mlrunner.core.overrides import join_words

if TYPE_CHECKING:
    from mlrunner.core.column_roles import Roles, Task

SAMPLE_ROWS = 5_000  # evenly spaced; more rows would change few answers
MAX_COLUMNS = 500  # thousands of columns would take seconds
MIN_ROWS = 30  # in fewer rows, most patterns are chance


@dataclass(frozen=True)
class TableFacts:
    """A table and its roles.

    Args:
        table: Raw rows, in the order of the source.
        roles: Roles of the columns.
        task: Task; None when it is not known.
        is_random: Whether the split draws rows at random.
        dates: Format of each feature column that the cleaning reads as dates, see `core.date_parsing`.
    """

    table: pd.DataFrame
    roles: Roles
    task: Task | None
    is_random: bool = True
    dates: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def names(self) -> list[str]:
        """Names of the feature columns, at most `MAX_COLUMNS`."""
        others = {self.roles.target, self.roles.group, self.roles.time, self.roles.weight, *self.roles.ignore}
        return [str(name) for name in self.table.columns if name not in others][:MAX_COLUMNS]

    @cached_property
    def sample(self) -> pd.DataFrame:
        """Evenly spaced rows, in order."""
        return self.table.iloc[:: max(1, -(-len(self.table) // SAMPLE_ROWS))]

    @cached_property
    def columns(self) -> dict[str, pd.Series[Any]]:
        """The feature columns of the sample; one whose values cannot be compared is left out."""
        columns = {name: self.sample[name] for name in self.names}
        return {name: column for name, column in columns.items() if _is_comparable(column)}

    @cached_property
    def codes(self) -> dict[str, pd.Series[Any]]:
        """The feature columns as codes of their distinct values, -1 for a missing one."""
        return {
            name: pd.Series(pd.factorize(column)[0], index=column.index, name=name)
            for name, column in self.columns.items()
        }

    @cached_property
    def distinct(self) -> dict[str, int]:
        """Number of distinct values of each feature column in the sample, without missing ones."""
        return {name: int(codes.max()) + 1 for name, codes in self.codes.items()}

    @cached_property
    def target(self) -> pd.Series[Any] | None:
        """The target in the sample; None when the table has none."""
        return self.sample[self.roles.target] if self.roles.target in self.table else None


def _is_comparable(column: pd.Series[Any]) -> bool:
    return infer_kind(column) is not Kind.UNSUPPORTED


def list_names(names: list[str], limit: int = 4) -> str:
    """List names for a sentence: the first ones, and the number of the others."""
    more = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {more} more" if more > 0 else "")


def write_ignore(names: list[str]) -> str:
    """Write the override that leaves columns out, as it is typed in a shell."""
    return _write(f"dataset.ignore=[{','.join(map(_quote, names))}]")


def write_time(name: str) -> str:
    """Write the override that names the column of time, as it is typed in a shell."""
    return _write(f"dataset.time={_quote(name)}")


def write_group(name: str) -> str:
    """Write the override that names the column of groups, as it is typed in a shell."""
    return _write(f"dataset.group={_quote(name)}")


def _quote(name: str) -> str:
    is_plain = name.isascii() and name.replace("_", "").isalnum()
    return name if is_plain else "'" + name.replace("'", "\\'") + "'"


def _write(override: str) -> str:
    return join_words([override]) if "'" in override else override
