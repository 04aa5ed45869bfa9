"""The interface that every source of predictions implements, and the errors it raises for rows."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from mlrunner.core.errors import ConfigError
from mlrunner.serving.schema import Schema
from mlrunner.steps.prediction.batches import Batch


class UnfitRowsError(Exception):
    """The model rejects rows that match its schema; for instance, its cleaning cannot parse a value."""


class TooManyRowsError(Exception):
    """The rows are too many for one request."""


def refuse_without_classes(classes: list[Any] | None) -> None:
    """Refuse to predict the probabilities of a model without any.

    Raises:
        ConfigError: When there are no classes.
    """
    if classes is None:
        raise ConfigError("--probabilities: the model has no class probabilities; leave the flag out.")


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
        classes: Classes in the order of their probabilities; None where the predictions are no probabilities.
    """

    schema: Schema
    model: str
    version: int
    through: str
    in_flight: int
    classes: list[Any] | None

    def predict(self, batch: Batch) -> list[Any]:
        """Predict a batch.

        Raises:
            UnfitRowsError: If the model rejects a row.
            TooManyRowsError: If the batch is too large.
            MlrunnerError: If no batch can be predicted.
        """

    def stop(self) -> None:
        """Release all resources without waiting for running requests."""
