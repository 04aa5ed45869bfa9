"""TODO."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from mlrunner.serving.schema import Schema
from mlrunner.steps.prediction.batches import Batch


class Unfit(Exception):
    """The model refuses rows that are of its schema, for instance its cleaning cannot read a value."""


class TooMany(Exception):
    """The rows are too many for one request."""


class Fault(NamedTuple):
    """Stands for the prediction of a row that the model refused."""

    told: str


class Predictor(Protocol):
    """Predicts rows.

    Attributes:
        schema: Of the rows.
        model: Its registered name.
        version: Its number.
        through: What people read of where predictions come from.
        in_flight: Batches that it takes at once.
    """

    schema: Schema
    model: str
    version: int
    through: str
    in_flight: int

    def predict(self, batch: Batch) -> list[Any]:
        """Predict a batch.

        Raises:
            Unfit: When the model refuses a row of it.
            TooMany: When it is too large.
            MlrunnerError: When nothing can be predicted.
        """

    def stop(self) -> None:
        """End; nobody waits for what is under way."""
