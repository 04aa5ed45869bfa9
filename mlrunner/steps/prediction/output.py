"""What a batch prediction leaves: the predictions, and the rows that were put aside, each with its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa

from mlrunner.steps.prediction.batches import Part
from mlrunner.steps.prediction.files import Target
from mlrunner.steps.prediction.protocol import Fault

SHOWN = 2  # reasons that a summary shows


def aside_of(out: Path) -> Path:
    """Name the file of the rows that are put aside."""
    return out.with_name(f"{out.name}.rejected.csv")


class Results:
    """Collects what becomes of the rows; its files appear whole at the end, or not at all.

    Args:
        out: Of the predictions; Parquet or CSV by its suffix.
        model: The registered name.
        version: Its number.
    """

    def __init__(self, out: Path, model: str, version: int) -> None:
        self.rows = self.predicted = self.rejected = 0
        self.reasons: list[str] = []
        self._out, self._aside = Target(out), Target(aside_of(out))
        self._model, self._version = model, version
        self._empty: pa.Table | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Let the files appear, the predictions last, or remove what there is of them."""
        try:
            if kind is None:
                self._publish()
        finally:
            self._out.discard()
            self._aside.discard()

    def add(self, part: Part, found: Sequence[Any]) -> None:
        """Take what became of a part.

        Args:
            part: The checked rows.
            found: A prediction or a `Fault` for each row of its batch.
        """
        places = part.places.tolist()
        refused = {at: one.told for at, one in zip(places, found, strict=True) if isinstance(one, Fault)}
        values = [one for one in found if not isinstance(one, Fault)]
        faults = {**part.faults, **refused}
        self._predicted(part, [at for at in places if at not in refused] if refused else places, values)
        if faults:
            self._put_aside(part, dict(sorted(faults.items())))
        self.rows += part.rows
        self.predicted += len(values)
        self.rejected += len(faults)

    def _predicted(self, part: Part, places: list[int], values: list[Any]) -> None:
        predictions = pa.array(values)
        predictions = predictions.cast(pa.float64()) if pa.types.is_null(predictions.type) else predictions
        table = _table(part, places, prediction=predictions)
        table = table.append_column("model", pa.array([self._model] * len(places), pa.string()))
        table = table.append_column("version", pa.array(np.full(len(places), self._version)))
        if places:
            self._out.write(table)
        elif self._empty is None:
            self._empty = table  # tells no type of the predictions

    def _put_aside(self, part: Part, faults: dict[int, str]) -> None:
        told = list(faults.values())
        self._aside.write(_table(part, list(faults), reason=pa.array(told)))
        self.reasons += told[: SHOWN - len(self.reasons)]

    def _publish(self) -> None:
        if not self._out.is_open and self._empty is not None:
            self._out.write(self._empty)
        if self._aside.is_open:
            self._aside.publish()
        else:
            self._aside.path.unlink(missing_ok=True)  # of a prediction that this one replaces
        self._out.publish()


def _table(part: Part, places: list[int], **column: pa.Array) -> pa.Table:
    """Number rows of a part, and copy what is kept beside a column of their own."""
    (name, values), *_ = column.items()
    rows = pa.array(np.asarray(places, dtype=np.int64) + part.start)
    kept = part.kept.take(pa.array(places, pa.int64())) if part.kept.num_columns else part.kept
    return pa.table({"row": rows, **dict(zip(kept.column_names, kept.columns, strict=True)), name: values})
