"""Write the output of a batch prediction: the predictions, and the rejected rows with their reasons."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa

from mlrunner.steps.prediction.batches import CheckedRows
from mlrunner.steps.prediction.files import TableFile
from mlrunner.steps.prediction.protocol import RowError

REASONS_IN_SUMMARY = 2


def rejected_path(out: Path) -> Path:
    """Return the path of the file with the rejected rows."""
    return out.with_name(f"{out.name}.rejected.csv")


class ResultWriter:
    """Writes predictions and rejected rows; both files appear at the end, or not at all.

    Args:
        out: File of the predictions; its suffix selects Parquet or CSV.
        model: Name of the registered model.
        version: Version of the model.
        classes: Classes whose probabilities are written, a column each; None: one column of predictions.
    """

    def __init__(self, out: Path, model: str, version: int, classes: Sequence[Any] | None = None) -> None:
        self.rows = self.predicted = self.rejected = 0
        self.reasons: list[str] = []
        self._out, self._rejected = TableFile(out), TableFile(rejected_path(out))
        self._model, self._version, self._classes = model, version, classes
        self._empty: pa.Table | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Publish the files, the predictions last, or remove them after an error."""
        try:
            if kind is None:
                self._publish()
        finally:
            self._out.discard()
            self._rejected.discard()

    def add(self, chunk: CheckedRows, results: Sequence[Any]) -> None:
        """Write the results of a chunk."""
        positions = chunk.positions.tolist()
        pairs = list(zip(positions, results, strict=True))
        rejected = {position: result.message for position, result in pairs if isinstance(result, RowError)}
        predictions = {position: result for position, result in pairs if not isinstance(result, RowError)}
        errors = {**chunk.errors, **rejected}
        self._write_predictions(chunk, list(predictions), list(predictions.values()))
        if errors:
            self._write_rejected(chunk, dict(sorted(errors.items())))
        self.rows += chunk.rows
        self.predicted += len(predictions)
        self.rejected += len(errors)

    def _write_predictions(self, chunk: CheckedRows, positions: list[int], values: list[Any]) -> None:
        table = _select_rows(chunk, positions, self._name_values(values))
        table = table.append_column("model", pa.array([self._model] * len(positions), pa.string()))
        table = table.append_column("version", pa.array(np.full(len(positions), self._version)))
        if positions:
            self._out.write(table)
        elif self._empty is None:
            self._empty = table  # only for its columns: the type of the predictions is not known

    def _name_values(self, values: list[Any]) -> dict[str, pa.Array]:
        if self._classes is not None:
            columns = zip(*values, strict=True) if values else [()] * len(self._classes)
            named = zip(self._classes, columns, strict=True)
            return {f"probability_{label}": pa.array(column, pa.float64()) for label, column in named}
        predictions = pa.array(values)
        return {"prediction": predictions.cast(pa.float64()) if pa.types.is_null(predictions.type) else predictions}

    def _write_rejected(self, chunk: CheckedRows, errors: dict[int, str]) -> None:
        messages = list(errors.values())
        self._rejected.write(_select_rows(chunk, list(errors), {"reason": pa.array(messages)}))
        self.reasons += messages[: REASONS_IN_SUMMARY - len(self.reasons)]

    def _publish(self) -> None:
        if not self._out.is_open and self._empty is not None:
            self._out.write(self._empty)
        if self._rejected.is_open:
            self._rejected.publish()
        else:
            self._rejected.path.unlink(missing_ok=True)  # left by the prediction that this one replaces
        self._out.publish()


def _select_rows(chunk: CheckedRows, positions: list[int], values: dict[str, pa.Array]) -> pa.Table:
    """Return columns for some rows of a chunk, with their numbers in the table and the copied columns."""
    numbers = pa.array(np.asarray(positions, dtype=np.int64) + chunk.start)
    copied = chunk.copied.take(pa.array(positions, pa.int64())) if chunk.copied.num_columns else chunk.copied
    return pa.table({"row": numbers, **dict(zip(copied.column_names, copied.columns, strict=True)), **values})
