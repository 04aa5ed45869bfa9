"""The controller: which columns and rows a strategy receives, and which it returns."""

from __future__ import annotations

import pandas as pd
import pytest

from mlrunner.core.column_roles import Roles
from mlrunner.core.errors import DataError
from mlrunner.groups.cleaning import KeepAll, RobustPreprocess
from mlrunner.groups.cleaning.controller import DataCleaning, select_inputs
from mlrunner.groups.strategy import DataStrategy
from tests.support.cleanings import OPTIONS, ROLES, build_option, raw_table

everywhere = pytest.mark.parametrize("name", OPTIONS)


@pytest.mark.parametrize(("deduplicate", "left"), [(True, [0, 2, 3]), (False, [0, 1, 2, 3])])
def test_repeated_rows_are_left_out_of_training_by_all_their_columns(deduplicate: bool, left: list[int]) -> None:
    table = pd.DataFrame({"id": [7, 7, 8, 9], "x": [1, 1, 1, 1], "y": [0, 0, 0, 1]})
    strategy = RobustPreprocess(deduplicate=deduplicate)
    assert DataCleaning(table, strategy, Roles("y", ("id",))).handle_data().index.tolist() == left
    assert len(strategy.transform_rows(table[["x"]])) == 4


class Recorder(DataStrategy):
    """Strategy of a user: it has only `handle_data`, and drops rows."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def handle_data(self, table: pd.DataFrame) -> pd.DataFrame:
        self.seen = list(table.columns)
        return table[table["x"] > 1]


def test_strategy_receives_features_and_time() -> None:
    strategy = Recorder()
    result = DataCleaning(raw_table(), strategy, ROLES).handle_data()
    assert strategy.seen == ["day", "x"]
    assert result.index.tolist() == [2, 3]
    assert result.to_dict("list") == {
        "x": [3.0, 4.0],
        "y": [7.0, 8.0],
        "order": [2, 2],
        "day": ["2020-01-03", "2020-01-04"],
    }


@everywhere
def test_role_columns_stay_unchanged(name: str) -> None:
    raw = raw_table()
    result = DataCleaning(raw, build_option(name), ROLES).handle_data()
    role_columns = ["y", "order", "day"]
    assert list(result.columns[-3:]) == role_columns
    assert "id" not in result
    pd.testing.assert_frame_equal(result[role_columns], raw.loc[result.index, role_columns])
    pd.testing.assert_frame_equal(raw, raw_table())


@everywhere
def test_the_controller_works_without_target_group_and_time(name: str) -> None:
    result = DataCleaning(raw_table()[["x"]], build_option(name), ROLES).handle_data()
    assert result.to_dict("list") == {"x": [1.0, 2.0, 3.0, 4.0]}


def test_column_can_have_two_roles_and_be_ignored() -> None:
    roles = Roles("y", ("day", "id"), "day", "day")
    result = DataCleaning(raw_table(), build_option("full"), roles).handle_data()
    assert list(result.columns) == ["order", "x", "y", "day"]
    assert list(select_inputs(raw_table(), Roles("y", (), "day", "day")).columns) == ["id", "order", "day", "x"]


def test_writing_to_the_result_leaves_the_raw_table_alone() -> None:
    raw = raw_table().dropna()
    result = DataCleaning(raw, KeepAll(), ROLES).handle_data()
    result["x"] = 0.0
    result.loc[0, "y"] = -1.0
    pd.testing.assert_frame_equal(raw, raw_table().dropna())


@pytest.mark.parametrize(
    ("table", "message"),
    [
        pytest.param(
            pd.DataFrame({"x": [1, 2], "y": [None, None]}),
            "dataset.target 'y' is missing in each of the 2 rows; name another column.",
            id="no target at all",
        ),
        pytest.param(
            pd.DataFrame({"city": ["a", "b"], "y": [1, 2]}),
            "cleaning: none of the 2 columns is left as a feature (city, y); cleaning=full keeps text too.",
            id="no feature left",
        ),
    ],
)
def test_table_without_features_or_targets_is_refused(table: pd.DataFrame, message: str) -> None:
    with pytest.raises(DataError) as caught:
        DataCleaning(table, build_option("preprocess"), Roles("y")).handle_data()
    assert str(caught.value) == message
