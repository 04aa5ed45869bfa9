"""How artifacts travel between steps: tables as Arrow files, models by their MLflow address.

A URI is written once, so a process may keep what it wrote or read.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar

import mlflow
import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api.types import is_object_dtype
from pyarrow import ipc
from zenml.enums import ArtifactType
from zenml.materializers.base_materializer import BaseMaterializer

from mlrunner.errors import DataError, StoreError


@dataclass(frozen=True)
class FittedModel:
    """A fitted pipeline that takes raw rows.

    Args:
        pipeline: scikit-learn's; its first step is the cleaning.
        uri: Its MLflow address; None when it is not saved.
        fit_seconds: What the fit took.
    """

    pipeline: Any
    uri: str | None
    fit_seconds: float = float("nan")


KEPT = 24  # artifacts in memory; a composition has seven


class Kept:
    """The artifacts that this process wrote or read last, by URI."""

    def __init__(self, size: int) -> None:
        self._found: OrderedDict[str, Any] = OrderedDict()
        self._size = size
        self._lock = Lock()

    def put(self, uri: str, value: Any) -> None:
        """Remember an artifact, forgetting the oldest."""
        with self._lock:
            self._found[uri] = value
            while len(self._found) > self._size:
                self._found.popitem(last=False)

    def get(self, uri: str) -> Any | None:
        """Find an artifact, or None."""
        with self._lock:
            return self._found.get(uri)


KEEP = Kept(KEPT)


def to_arrow(table: pd.DataFrame) -> pa.RecordBatch:
    """Lay a table out so that its numbers map back without a copy: NaN stays NaN, one piece a column.

    Raises:
        DataError: When a column holds what Arrow has no type for.
    """
    try:
        schema = pa.Schema.from_pandas(table)
    except (pa.ArrowException, TypeError) as error:
        raise DataError(_untyped(table)) from error
    uuids = [field.name for field in schema if isinstance(field.type, pa.UuidType)]  # Arrow gives no objects back
    if uuids:
        return to_arrow(table.assign(**{name: table[name].map(str, na_action="ignore") for name in uuids}))
    arrays = [_array(_column(table, place), field.type) for place, field in enumerate(schema)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _untyped(table: pd.DataFrame) -> str:
    """Find the column that Arrow has no type for, and say how to give it one."""
    for name, column in table.items():
        try:
            pa.Schema.from_pandas(column.to_frame())
        except (pa.ArrowException, TypeError) as error:
            return (
                f"Column '{name}' holds values of several types, or of a type that tables do not keep ({error}); give "
                f"it one in dataset.dtypes, such as {name}: str, or leave it out."
            )
    return "The table has columns that no file can keep; leave them out."


def _column(table: pd.DataFrame, place: int) -> pd.Series[Any]:
    """Take a column by its place, behind which the index stands; names need be neither text nor unlike the index's."""
    width = table.shape[1]
    return table.iloc[:, place] if place < width else table.index.get_level_values(place - width).to_series()


def _array(column: pd.Series[Any], type_: pa.DataType) -> pa.Array:
    is_plain_float = isinstance(column.dtype, np.dtype) and column.dtype.kind == "f"
    array = pa.array(column, type=type_, from_pandas=not is_plain_float)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def from_arrow(table: pa.Table) -> pd.DataFrame:
    """Undo `to_arrow`; a column of objects stays one, or the cleaning would see another table than in a first run."""
    frame: pd.DataFrame = table.to_pandas(split_blocks=True, integer_object_nulls=True)
    columns = table.schema.pandas_metadata["columns"][: frame.shape[1]]
    told = zip(frame.columns, frame.dtypes, columns, strict=True)
    objects = [name for name, dtype, said in told if said["numpy_type"] == "object" and not is_object_dtype(dtype)]
    return frame.astype(dict.fromkeys(objects, object)) if objects else frame


class TableMaterializer(BaseMaterializer):
    """A `DataFrame` as an uncompressed Arrow file, memory-mapped when the store is local."""

    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (pd.DataFrame,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA
    SKIP_REGISTRATION: ClassVar[bool] = True

    @property
    def path(self) -> str:
        """The file of the table."""
        return f"{self.uri}/table.arrow"

    def save(self, data: pd.DataFrame) -> None:
        """Write a table and keep it."""
        table = to_arrow(data)
        with self.artifact_store.open(self.path, "wb") as sink, ipc.new_file(sink, table.schema) as writer:
            writer.write_batch(table)
        KEEP.put(self.uri, data)

    def load(self, data_type: type[Any]) -> pd.DataFrame:
        """Return what this process kept, or map the file."""
        del data_type
        kept: pd.DataFrame | None = KEEP.get(self.uri)
        if kept is not None:
            return kept
        table = self._read()
        KEEP.put(self.uri, table)
        return table

    def _read(self) -> pd.DataFrame:
        if Path(self.path).exists():
            table = ipc.open_file(pa.memory_map(self.path)).read_all()
        else:
            with self.artifact_store.open(self.path, "rb") as source:
                table = ipc.open_file(source.read()).read_all()
        return from_arrow(table)


class ModelMaterializer(BaseMaterializer):
    """A fitted model by the address that MLflow gave it: it is saved once, by MLflow."""

    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (FittedModel,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.MODEL
    SKIP_REGISTRATION: ClassVar[bool] = True

    def save(self, data: FittedModel) -> None:
        """Write the address and keep the model."""
        with self.artifact_store.open(f"{self.uri}/model.txt", "w") as sink:
            sink.write(data.uri or "")
        KEEP.put(self.uri, data)

    def load(self, data_type: type[Any]) -> FittedModel:
        """Return what this process kept, or load it from MLflow.

        Raises:
            StoreError: When the model was not saved (`tracking.log_model=false`).
        """
        del data_type
        kept: FittedModel | None = KEEP.get(self.uri)
        if kept is not None:
            return kept
        with self.artifact_store.open(f"{self.uri}/model.txt", "r") as source:
            uri = source.read()
        if not uri:
            raise StoreError("This run did not save its model; run it again with tracking.log_model=true.")
        return FittedModel(mlflow.sklearn.load_model(uri), uri)
