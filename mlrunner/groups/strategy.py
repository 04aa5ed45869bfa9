"""Abstract strategies: the base that cleaning and splitting share, and the base of every cleaning."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Self

import pandas as pd

from mlrunner.core.errors import ConfigError

FEW_ROWS = 5  # show which columns a cleaning passes on


class DataStrategy(ABC):
    """Base of the strategies that handle a table; a strategy stores settings and learns nothing."""

    @abstractmethod
    def handle_data(self, table: pd.DataFrame) -> Any:
        """Handle a table.

        Args:
            table: Table to handle; it is not modified.

        Returns:
            A table (cleaning) or a `Division` (splitting).
        """


class CleaningStrategy(DataStrategy):
    """Base of the strategies that clean each row by itself, so that the served model can start with them."""

    @property
    def named_columns(self) -> dict[str, list[str]]:
        """Columns that the settings name, by full key; the start-up check refuses absent ones."""
        return {}

    def problems(self) -> list[str]:
        """Return one sentence for each contradiction between the settings."""
        return []

    def resolve(self, table: pd.DataFrame) -> Self:
        """Return the strategy with the settings that only the whole table decides, such as date formats.

        The saved model starts with it, so that a single row is read as the training table was.

        Args:
            table: Feature columns of the raw table.

        Raises:
            DataError: When the values do not decide; the message says what to set.
        """
        del table
        return self

    def describe_unreadable(self, table: pd.DataFrame) -> dict[str, str]:
        """Return a clause for each column with values that the strategy cannot read, which become missing.

        Args:
            table: Feature columns of the raw table.

        Raises:
            DataError: When these are more than one in a hundred.
        """
        del table
        return {}

    @property
    def date_columns(self) -> dict[str, str]:
        """Format of each column that the strategy reads as dates, once it is resolved."""
        return {}

    def left_out(self, table: pd.DataFrame) -> dict[str, str]:
        """Return the reason for each column that becomes no feature.

        Args:
            table: Feature columns of the raw table.
        """
        features = self.transform_rows(table.head(FEW_ROWS)).columns
        return {str(name): "not passed on by the cleaning" for name in table.columns if name not in features}

    def mask_unreadable(self, table: pd.DataFrame) -> pd.DataFrame:
        """Replace the values that the strategy cannot read by missing ones."""
        return table

    def select_rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Select the rows to train on; serving cleans every row.

        Args:
            table: Raw rows with all columns.
        """
        return table

    @abstractmethod
    def transform_rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Clean the feature columns of the rows to serve.

        Args:
            table: Feature columns, some of which may be absent; it is not modified.

        Returns:
            The cleaned columns of every row, with the index of the table.
        """

    def handle_data(self, table: pd.DataFrame) -> pd.DataFrame:
        """Clean the feature columns of the rows to train on.

        Args:
            table: Feature columns only; it is not modified.

        Returns:
            The cleaned columns, with the index of the table.

        Raises:
            ConfigError: When the settings contradict each other.
            DataError: When the table does not fit the settings.

        """
        for problem in self.problems():
            raise ConfigError(problem)
        return self.transform_rows(table)
