"""Pass artifacts between steps: tables as Arrow files, models by their MLflow URI.

ZenML writes each artifact's URI once, so a process can reuse what it wrote or read.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar

import pandas as pd
from cachetools import LRUCache
from pyarrow import ipc
from zenml.enums import ArtifactType
from zenml.materializers.base_materializer import BaseMaterializer
from zenml.materializers.built_in_materializer import BuiltInContainerMaterializer

from mlrunner.core.arrow import TABLE_FILE, from_arrow, map_table, write_table
from mlrunner.core.errors import StoreError
from mlrunner.evaluation.cross_validation import CrossValidation  # ZenML reads the annotations of steps
from mlrunner.steps.step_body import prepare_process
from mlrunner.tracking import model_registry

# By name: for a class ZenML would open its store while a module of steps is imported.
TABLE_MATERIALIZER = f"{__name__}.TableMaterializer"
MODEL_MATERIALIZER = f"{__name__}.ModelMaterializer"
DOCUMENT_MATERIALIZER = f"{__name__}.DocumentMaterializer"
MODEL_FILE = "model.txt"
ARTIFACTS: LRUCache[str, Any] = LRUCache(maxsize=24)  # of this process, by URI; a run has seven
LOCK = Lock()


@dataclass(frozen=True)
class FittedModel:
    """A fitted pipeline that takes raw rows.

    Args:
        pipeline: scikit-learn pipeline; its first step is the cleaning.
        uri: MLflow URI of the saved model; None if it is not saved.
        fit_seconds: Duration of the fit in seconds.
        validated: Cross-validation by which its threshold was tuned; None without one, or in another process.
    """

    pipeline: Any
    uri: str | None
    fit_seconds: float = float("nan")
    validated: CrossValidation | None = None


def _keep(uri: str, artifact: Any) -> None:
    with LOCK:
        ARTIFACTS[uri] = artifact


def _get(uri: str) -> Any:
    with LOCK:
        return ARTIFACTS.get(uri)


class TableMaterializer(BaseMaterializer):
    """Stores a `DataFrame` as an uncompressed Arrow file, which a local store memory-maps."""

    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (pd.DataFrame,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA
    SKIP_REGISTRATION: ClassVar[bool] = True

    @property
    def path(self) -> str:
        """Path of the file."""
        return f"{self.uri}/{TABLE_FILE}"

    def save(self, data: pd.DataFrame) -> None:
        """Write a table."""
        with self.artifact_store.open(self.path, "wb") as sink:
            write_table(data, sink)
        _keep(self.uri, data)

    def load(self, data_type: type[Any]) -> pd.DataFrame:
        """Return the table of this process, or read the file."""
        del data_type
        table: pd.DataFrame | None = _get(self.uri)
        if table is None:
            table = self._read()
            _keep(self.uri, table)
        return table

    def _read(self) -> pd.DataFrame:
        if Path(self.path).exists():
            return map_table(self.path)
        with self.artifact_store.open(self.path, "rb") as source:
            return from_arrow(ipc.open_file(source.read()).read_all())


class DocumentMaterializer(BuiltInContainerMaterializer):
    """Stores a dictionary as ZenML does; by this class `mlrunner prune` knows which artifacts are ours."""

    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (dict,)
    SKIP_REGISTRATION: ClassVar[bool] = True


class ModelMaterializer(BaseMaterializer):
    """Stores the MLflow URI of a fitted model, which MLflow saves once."""

    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (FittedModel,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.MODEL
    SKIP_REGISTRATION: ClassVar[bool] = True

    def save(self, data: FittedModel) -> None:
        """Write the URI of a model, and how long its fit took."""
        with self.artifact_store.open(f"{self.uri}/{MODEL_FILE}", "w") as sink:
            sink.write(f"{data.uri or ''}\n{data.fit_seconds}")
        _keep(self.uri, data)

    def load(self, data_type: type[Any]) -> FittedModel:
        """Return the model of this process, or load it from MLflow.

        Raises:
            StoreError: If the model was not saved (`tracking.log_model=false`).
        """
        del data_type
        model: FittedModel | None = _get(self.uri)
        if model is not None:
            return model
        with self.artifact_store.open(f"{self.uri}/{MODEL_FILE}", "r") as source:
            uri, _, seconds = source.read().partition("\n")
        if not uri:
            raise StoreError("This run did not save its model; run it again with tracking.log_model=true.")
        prepare_process()
        return FittedModel(model_registry.load_model(uri), uri, float(seconds or "nan"))
