"""Which columns become features, and why the others do not."""

from __future__ import annotations

import pandas as pd
import pytest

from mlrunner.core.build import dataclass
from mlrunner.core.column_roles import Roles
from mlrunner.groups.cleaning.column_use import ColumnUse, describe_columns
from mlrunner.groups.cleaning.controller import resolve_strategy
from mlrunner.groups.strategy import CleaningStrategy
from tests.support.cleanings import build_option

TABLE = pd.DataFrame(
    {
        "id": [1, 2],
        "order": ["a", "b"],
        "when": ["13.01.2020", "14.01.2020"],
        "city": ["u", "v"],
        "size": [1.5, 2.5],
        "rooms": [3, 4],
        "y": [5, 6],
    }
)
ROLES = Roles("y", ("id",), "order", "when")
OUT = {"id": "ignored", "order": "group", "y": "target"}


@pytest.mark.parametrize(
    ("option", "used", "left_out"),
    [
        ("full", ["when", "city", "size", "rooms"], OUT),
        ("dates", ["when", "size", "rooms"], OUT | {"city": "text"}),
        ("preprocess", ["size", "rooms"], OUT | {"when": "time", "city": "text"}),
        ("none", ["city", "size", "rooms"], OUT | {"when": "time"}),
    ],
)
def test_every_column_is_used_or_has_a_reason(option: str, used: list[str], left_out: dict[str, str]) -> None:
    use = describe_columns(TABLE, ROLES, resolve_strategy(build_option(option), TABLE, ROLES))
    assert (use.used, use.left_out) == (used, left_out)
    assert use.dates == ({"when": "%d.%m.%Y"} if "when" in used else {})


def test_dropped_columns_have_their_reason() -> None:
    strategy = resolve_strategy(build_option("full", drop=["size"]), TABLE, ROLES)
    assert describe_columns(TABLE, ROLES, strategy).line == (
        "3 used: when, city, rooms; left out 4: ignored id; group order; dropped size; target y"
    )


def test_a_strategy_of_the_user_tells_what_it_passes_on() -> None:
    @dataclass
    class Half(CleaningStrategy):
        def transform_rows(self, table: pd.DataFrame) -> pd.DataFrame:
            return table[["size"]] / 2

    use = describe_columns(TABLE, ROLES, Half())
    assert use.used == ["size"]
    assert use.left_out["rooms"] == "not passed on by the cleaning"


def test_a_wide_table_is_counted() -> None:
    use = ColumnUse([f"column_{n}" for n in range(3000)], {"y": "target"})
    names = "column_0, column_1, column_2, column_3, column_4, column_5, column_6, column_7"
    assert use.line == f"3,000 used: {names}, and 2,992 more; left out 1: target y"


def test_dates_are_shown_with_what_they_lose() -> None:
    use = ColumnUse(dates={"a": "iso", "b": "%d.%m.%Y"}, unreadable={"b": "1 of 200 values …"})
    assert use.date_line == "a (ISO 8601), b (%d.%m.%Y); b: 1 of 200 values …"
