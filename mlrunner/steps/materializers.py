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
import pandas as pd
from pyarrow import ipc
from zenml.enums import ArtifactType
from zenml.materializers.base_materializer import BaseMaterializer

from mlrunner.core.arrow import NAME, from_arrow, map_table, write_table
from mlrunner.core.errors import StoreError


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


class TableMaterializer(BaseMaterializer):
    """A `DataFrame` as an uncompressed Arrow file, memory-mapped when the store is local."""

    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (pd.DataFrame,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA
    SKIP_REGISTRATION: ClassVar[bool] = True

    @property
    def path(self) -> str:
        """The file of the table."""
        return f"{self.uri}/{NAME}"

    def save(self, data: pd.DataFrame) -> None:
        """Write a table and keep it."""
        with self.artifact_store.open(self.path, "wb") as sink:
            write_table(data, sink)
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
            return map_table(self.path)
        with self.artifact_store.open(self.path, "rb") as source:
            return from_arrow(ipc.open_file(source.read()).read_all())


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
