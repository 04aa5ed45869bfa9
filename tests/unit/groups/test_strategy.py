"""The base class of the cleaning strategies."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from mlrunner.core.errors import ConfigError
from mlrunner.groups.strategy import CleaningStrategy


@dataclasses.dataclass(frozen=True)
class Scaling(CleaningStrategy):
    """Strategy that multiplies every column, and refuses a factor of 0."""

    factor: float

    def problems(self) -> list[str]:
        return ["cleaning.factor is 0; choose another."] if self.factor == 0 else []

    def transform_rows(self, table: pd.DataFrame) -> pd.DataFrame:
        return table * self.factor


def test_training_and_serving_clean_alike_by_default() -> None:
    table, strategy = pd.DataFrame({"a": [1.0, 2.0]}), Scaling(3)
    pd.testing.assert_frame_equal(strategy.handle_data(table), strategy.transform_rows(table))
    assert strategy.select_rows(table) is table
    assert strategy.named_columns == {}


def test_contradicting_settings_are_refused_before_cleaning() -> None:
    with pytest.raises(ConfigError, match=r"^cleaning\.factor is 0; choose another\.$"):
        Scaling(0).handle_data(pd.DataFrame({"a": ["text"]}))
