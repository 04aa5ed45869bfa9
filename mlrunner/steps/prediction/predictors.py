"""Choose and open a source of predictions: the files of a release, or the service; both give the same values."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from mlrunner.core.errors import ConfigError, DataError, brief, nearest
from mlrunner.groups.deployer.release import RELEASE_FILE, Release
from mlrunner.groups.deployer.state import DeploymentStore, find_deployment
from mlrunner.serving.errors import RequestError
from mlrunner.steps.prediction.batches import Batch
from mlrunner.steps.prediction.protocol import (
    Predictor,
    RowError,
    TooManyRowsError,
    UnfitRowsError,
    refuse_without_classes,
)


def predict_batch(predictor: Predictor, batch: Batch) -> list[Any]:
    """Predict a batch; split it in halves where it is too large or contains rows that the model rejects.

    Returns:
        Prediction or `RowError` for each row.

    Raises:
        MlrunnerError: If no batch can be predicted.
    """
    if batch.rows == 0:
        return []
    try:
        return predictor.predict(batch)
    except UnfitRowsError as error:
        if batch.rows == 1:
            return [RowError(str(error))]
    except TooManyRowsError as error:
        if batch.rows == 1:
            raise DataError(f"A single row is refused: {error}") from error
    return [result for half in batch.split() for result in predict_batch(predictor, half)]


class OfflinePredictor:
    """Predicts in this process.

    Args:
        release: Files of a version.
        unknown_categories: `refuse` or `accept`, as the deployment sets it.
        probabilities: Whether to predict class probabilities.
    """

    in_flight = 1  # the estimator uses threads itself

    def __init__(self, release: Release, unknown_categories: str, probabilities: bool = False) -> None:
        from mlrunner.serving.model import load_release

        try:
            self._served = load_release(release.folder, unknown_categories)
        except OSError as error:
            raise DataError(f"Version {release.version} of {release.name} cannot be loaded ({error}).") from error
        self.schema, self.through = self._served.schema, "release"
        self.model, self.version = release.name, release.version
        self.classes = self._served.classes if probabilities else None
        if probabilities:
            refuse_without_classes(self.classes)

    def predict(self, batch: Batch) -> list[Any]:
        """See `Predictor.predict`."""
        try:
            arrays = batch.to_arrays(self.schema)
            return self._served.predict(arrays) if self.classes is None else self._served.predict_proba(arrays)
        except RequestError as error:
            raise UnfitRowsError(error.message) from error
        except DataError as error:
            raise UnfitRowsError(str(error)) from error

    def stop(self) -> None:
        """See `Predictor.stop`."""


class PredictorSource(BaseModel, frozen=True):
    """A source of predictions that is not opened yet.

    Attributes:
        folder: Folder of all deployments.
        name: Name of the deployment.
        version: Version of the model.
        offline: Whether to predict in this process instead of through the service.
        probabilities: Whether to predict class probabilities.
    """

    folder: str
    name: str
    version: int
    offline: bool
    probabilities: bool = False


def choose_source(folder: Path, name: str | None, version: int | None, offline: bool) -> PredictorSource:
    """Choose the deployment and version to predict with.

    Args:
        folder: Folder of all deployments.
        name: Name of the deployment; None: the only one.
        version: Version of the model, which is predicted offline; None: the version that serves.
        offline: Whether to predict in this process instead of through the service.

    Raises:
        ConfigError: If there is no such deployment or version, or nothing serves.
    """
    store = find_deployment(folder, name)
    state = store.read_state()
    if version is not None:
        _refuse_absent_version(store, version)
        return PredictorSource(folder=str(folder), name=store.name, version=version, offline=True)
    if state is None or not state.versions:
        raise ConfigError(f"Nothing has served as {store.name} yet; deploy a run with mlrunner deploy RUN.")
    if not offline and state.active is None:
        raise ConfigError(
            f"Deployment {store.name} is stopped; predict with --offline, or mlrunner deploy --restart {store.name}."
        )
    serving = state.versions[-1] if state.active is None else state.active.version
    return PredictorSource(folder=str(folder), name=store.name, version=serving, offline=offline)


def _refuse_absent_version(store: DeploymentStore, version: int) -> None:
    versions = sorted(int(file.parent.name) for file in (store.folder / "releases").glob(f"[0-9]*/{RELEASE_FILE}"))
    if version not in versions:
        available = f"available: {brief(versions)}" if versions else "it has no versions"
        hint = nearest(str(version), map(str, versions))
        raise ConfigError(f"--version {version} is not a version of {store.name}; {available}.{hint}")


def read_reading(source: PredictorSource) -> dict[str, Any]:
    """Return the options that tell how the training table of a model was read."""
    return DeploymentStore(Path(source.folder) / source.name).get_release(source.version).reading


@lru_cache(maxsize=1)
def open_predictor(source: PredictorSource) -> Predictor:
    """Load the model or connect to the service, once for the check and the prediction that follows.

    Raises:
        MlrunnerError: If that fails.
    """
    store = DeploymentStore(Path(source.folder) / source.name)
    state = store.read_state()
    if source.offline:
        settings = {} if state is None else state.settings
        unknown = str(settings.get("unknown_categories", "refuse"))
        return OfflinePredictor(store.get_release(source.version), unknown, source.probabilities)
    from mlrunner.steps.prediction.service import ServicePredictor

    return ServicePredictor(store, source.version, probabilities=source.probabilities)
