"""The abstract strategies: the one that cleaning and splitting share, and what cleaning adds to it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import pandas as pd

from mlrunner.core.errors import ConfigError


class DataStrategy(ABC):
    """One way to handle a table; it stores its settings and learns nothing."""

    @abstractmethod
    def handle_data(self, table: pd.DataFrame) -> Any:
        """Handle a table.

        Args:
            table: Rows by columns; never changed in place.

        Returns:
            What the strategy makes of it: a table (cleaning) or a `Division` (splitting).
        """


class CleaningStrategy(DataStrategy):
    """A strategy that handles each row by itself, so that the served model can begin with it."""

    @property
    def keeps_rows(self) -> bool:
        """Whether training sees every row."""
        return True

    @property
    def named_columns(self) -> dict[str, list[str]]:
        """The columns that the settings name, by full key; the start-up check refuses absent ones."""
        return {}

    def problems(self) -> list[str]:
        """Say what is wrong with the settings by themselves, a sentence each."""
        return []

    def select_rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Choose the rows to train on, from whole raw rows; serving never asks."""
        return table

    @abstractmethod
    def transform_rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Clean the feature columns of rows to serve.

        Args:
            table: Feature columns, some of which may be absent; never changed in place.

        Returns:
            The cleaned columns of every row, under the table's own index.
        """

    def handle_data(self, table: pd.DataFrame) -> pd.DataFrame:
        """Clean the feature columns of rows to train on.

        Args:
            table: Feature columns only; never changed in place.

        Returns:
            The cleaned columns, under the table's own index.

        Raises:
            ConfigError: When the settings contradict themselves.
            DataError: When the table does not fit them.
        """
        for problem in self.problems():
            raise ConfigError(problem)
        return self.transform_rows(table)
