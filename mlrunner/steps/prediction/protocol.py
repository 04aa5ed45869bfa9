"""The interface that every source of predictions implements, and the errors it raises for rows."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from mlrunner.serving.schema import Schema
from mlrunner.steps.prediction.batches import Batch


class UnfitRowsError(Exception):
    """The model rejects rows that match its schema; for instance, its cleaning cannot parse a value."""


class TooManyRowsError(Exception):
    """The rows are too many for one request."""


class RowError(NamedTuple):
    """Takes the place of a prediction for a row that the model rejects."""

    message: str


class Predictor(Protocol):
    """A source of predictions.

    Attributes:
        schema: Schema of the rows.
        model: Name of the registered model.
        version: Version of the model.
        through: `release`, or the URL of the service.
        in_flight: Maximum number of concurrent batches.
    """

    schema: Schema
    model: str
    version: int
    through: str
    in_flight: int

    def predict(self, batch: Batch) -> list[Any]:
        """Predict a batch.

        Raises:
            UnfitRowsError: If the model rejects a row.
            TooManyRowsError: If the batch is too large.
            MlrunnerError: If no batch can be predicted.
        """

    def stop(self) -> None:
        """Release all resources without waiting for running requests."""
