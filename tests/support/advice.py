"""Tables for the warnings about data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from mlrunner.core.column_roles import Roles, Task
from mlrunner.core.warning_names import Notice
from mlrunner.evaluation.advice.facts import TableFacts

ROWS = 60


def facts(task: Task = "regression", is_random: bool = True, roles: Roles | None = None, **columns: Any) -> TableFacts:
    """Build the facts of a table of 60 rows with the target y, 0 to 9 in turn, and other columns."""
    table = pd.DataFrame({"y": [float(row % 10) for row in range(ROWS)], **columns})
    return TableFacts(table, roles or Roles("y"), task, is_random)


def texts(check: Callable[[TableFacts], Iterator[Notice]], table: TableFacts) -> list[str]:
    """List the sentences of a check."""
    return [notice.text for notice in check(table)]
