"""A look at a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlrunner.core.errors import ConfigError
from mlrunner.core.warning_names import Notice
from mlrunner.execution.scaffold.draft import make_draft, read_table

ROWS = 60
SHUFFLED = [row * 37 % 61 for row in range(ROWS)]  # distinct, in no order
LABELS = [("no", "yes")[row * 7 % 13 % 2] for row in range(ROWS)]


def table(**more: Any) -> pd.DataFrame:
    """Return a table of 60 rows with a target of two classes and a feature."""
    return pd.DataFrame({"y": LABELS, "x": [row % 7 for row in range(ROWS)], **more})


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (1, "has one value in every row"),
        (range(ROWS), "numbers the rows in their order"),
        ([f"K{value}" for value in SHUFFLED], "differs in nearly every row, like an id"),
        ([label.upper() for label in LABELS], "alone tells y; a feature only if it is known before"),
        ([row % 7 for row in range(ROWS)], "repeats x"),
        ([f"seventy characters in each row of this table, of which nine differ: {row % 9:02}" for row in range(ROWS)],
         "is text of 70 characters on average, which no encoder here reads"),
    ],
)  # fmt: skip
def test_a_useless_column_is_no_feature(values: Any, reason: str) -> None:
    assert make_draft(table(c=values), "y", {}).ignore == {"c": reason}


def test_the_parts_of_a_sum_are_no_features() -> None:
    parts = {"a": SHUFFLED, "b": [value * value % 23 for value in SHUFFLED]}
    whole = [2 * a + b + 0.5 for a, b in zip(*parts.values(), strict=True)]
    draft = make_draft(pd.DataFrame({"y": whole, **parts}), "y", {})
    reason = "is a part of a sum that gives y exactly; a feature only if it is known before"
    assert (draft.task, draft.ignore) == ("regression", {"a": reason, "b": reason})


def test_an_id_that_repeats_is_a_group_and_the_first_date_the_time() -> None:
    dates = pd.date_range("2024-01-01", periods=ROWS).strftime("%Y-%m-%d")
    draft = make_draft(table(customer_id=[value // 3 for value in SHUFFLED], paid=1, sold_at=dates, due=dates), "y", {})
    assert draft.group == ("customer_id", "an id with 21 values in 60 rows")  # 0 to 20
    assert draft.time == ("sold_at", "the first column of dates")  # `due` repeats it
    assert [notice.name for notice in draft.notices] == []


def test_the_task_has_a_reason() -> None:
    assert make_draft(table(), "y", {}).task_reason == "2 classes: no, yes"
    assert make_draft(table(z=[value / 4 for value in SHUFFLED]), "z", {}).task_reason.endswith(
        "different values, 0 to 15"
    )
    assert make_draft(table(), "x", {"task": "regression"}).task == "regression"


def test_roles_of_the_option_stay() -> None:
    group = {"ignore": ["x"], "group": "g", "time": "t"}
    draft = make_draft(table(g=[row % 9 for row in range(ROWS)], t=range(ROWS)), "y", group, (Notice("a", "b"),))
    assert draft.ignore == {"x": "left out by mlrunner's own option"}
    assert (draft.group, draft.time) == (("g", "as in mlrunner's own option"), ("t", "as in mlrunner's own option"))
    assert draft.notices[0] == Notice("a", "b")


def test_a_wrong_target_names_the_nearest_column() -> None:
    with pytest.raises(ConfigError, match=r"--target xx is not a column; there are y, x\. Did you mean 'x'\?"):
        make_draft(table(), "xx", {})


def test_a_table_is_read_without_a_target(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    group = {"_target_": "mlrunner.groups.dataset.TableDataset", "name": "t", "path": str(tmp_path / "t.csv")}
    assert read_table(group)[0].shape == (1, 2)
