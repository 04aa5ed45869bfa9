"""The controller: which columns and rows a strategy receives, and which it returns."""

from __future__ import annotations

import pandas as pd
import pytest

from mlrunner.core.column_roles import Roles
from mlrunner.core.errors import DataError
from mlrunner.groups.cleaning import KeepAll, RobustPreprocess
from mlrunner.groups.cleaning.controller import DataCleaning, select_inputs
from mlrunner.groups.strategy import DataStrategy
from tests.support.cleanings import OPTIONS, ROLES, option, sample

everywhere = pytest.mark.parametrize("name", OPTIONS)


@pytest.mark.parametrize(("deduplicate", "left"), [(True, [0, 2, 3]), (False, [0, 1, 2, 3])])
def test_repeated_rows_are_left_out_of_training_by_all_their_columns(deduplicate: bool, left: list[int]) -> None:
    table = pd.DataFrame({"id": [7, 7, 8, 9], "x": [1, 1, 1, 1], "y": [0, 0, 0, 1]})
    strategy = RobustPreprocess(deduplicate=deduplicate)
    assert strategy.keeps_rows is not deduplicate
    assert DataCleaning(table, strategy, Roles("y", ("id",))).handle_data().index.tolist() == left
    assert len(strategy.transform_rows(table[["x"]])) == 4


class Recorder(DataStrategy):
    """Somebody's own strategy: it has `handle_data` alone, and drops rows."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def handle_data(self, table: pd.DataFrame) -> pd.DataFrame:
        self.seen = list(table.columns)
        return table[table["x"] > 1]


def test_the_controller_shows_a_strategy_its_features_and_the_time() -> None:
    strategy = Recorder()
    found = DataCleaning(sample(), strategy, ROLES).handle_data()
    assert strategy.seen == ["day", "x"]
    assert found.index.tolist() == [2, 3]
    assert found.to_dict("list") == {
        "x": [3.0, 4.0],
        "y": [7.0, 8.0],
        "order": [2, 2],
        "day": ["2020-01-03", "2020-01-04"],
    }


@everywhere
def test_the_controller_keeps_the_parts_played_as_they_were(name: str) -> None:
    raw = sample()
    found = DataCleaning(raw, option(name), ROLES).handle_data()
    played = ["y", "order", "day"]
    assert list(found.columns[-3:]) == played
    assert "id" not in found
    pd.testing.assert_frame_equal(found[played], raw.loc[found.index, played])
    pd.testing.assert_frame_equal(raw, sample())


@everywhere
def test_the_controller_works_without_target_group_and_time(name: str) -> None:
    found = DataCleaning(sample()[["x"]], option(name), ROLES).handle_data()
    assert found.to_dict("list") == {"x": [1.0, 2.0, 3.0, 4.0]}


def test_one_column_may_play_two_parts_and_be_ignored() -> None:
    roles = Roles("y", ("day", "id"), "day", "day")
    found = DataCleaning(sample(), option("full"), roles).handle_data()
    assert list(found.columns) == ["order", "x", "y", "day"]
    assert list(select_inputs(sample(), Roles("y", (), "day", "day")).columns) == ["id", "order", "day", "x"]


def test_writing_to_the_result_leaves_the_raw_table_alone() -> None:
    raw = sample().dropna()
    found = DataCleaning(raw, KeepAll(), ROLES).handle_data()
    found["x"] = 0.0
    found.loc[0, "y"] = -1.0
    pd.testing.assert_frame_equal(raw, sample().dropna())


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
def test_a_table_with_nothing_to_learn_from_is_refused(table: pd.DataFrame, message: str) -> None:
    with pytest.raises(DataError) as caught:
        DataCleaning(table, option("preprocess"), Roles("y")).handle_data()
    assert str(caught.value) == message
