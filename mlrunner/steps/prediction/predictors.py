"""Where predictions come from: the files of a release, or the service; both give the same."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from mlrunner.core.errors import ConfigError, DataError, brief, nearest
from mlrunner.groups.deployer.release import DESCRIBED, Release
from mlrunner.groups.deployer.state import Ledger, find
from mlrunner.serving.errors import RequestError
from mlrunner.steps.prediction.batches import Batch
from mlrunner.steps.prediction.protocol import Fault, Predictor, TooMany, Unfit


def ask(predictor: Predictor, batch: Batch) -> list[Any]:
    """Predict a batch; where that fails because of some of its rows or of their number, in halves.

    Returns:
        A prediction or a `Fault` for each row.

    Raises:
        MlrunnerError: When nothing can be predicted.
    """
    if batch.rows == 0:
        return []
    try:
        return predictor.predict(batch)
    except Unfit as error:
        if batch.rows == 1:
            return [Fault(str(error))]
    except TooMany as error:
        if batch.rows == 1:
            raise DataError(f"A single row is refused: {error}") from error
    return [found for half in batch.halves() for found in ask(predictor, half)]


class Offline:
    """Predicts in this process.

    Args:
        release: The files of a version.
        unknown_categories: As the deployment has it: `refuse` or `accept`.
    """

    in_flight = 1  # the estimator has threads of its own

    def __init__(self, release: Release, unknown_categories: str) -> None:
        from mlrunner.serving.model import load

        try:
            self._served = load(release.folder, unknown_categories)
        except OSError as error:
            raise DataError(f"Version {release.version} of {release.name} cannot be loaded ({error}).") from error
        self.schema, self.through = self._served.schema, "release"
        self.model, self.version = release.name, release.version

    def predict(self, batch: Batch) -> list[Any]:
        """See `Predictor.predict`."""
        try:
            return self._served.predict(batch.arrays(self.schema))
        except RequestError as error:
            raise Unfit(error.message) from error
        except DataError as error:
            raise Unfit(str(error)) from error

    def stop(self) -> None:
        """See `Predictor.stop`."""


class Chosen(NamedTuple):
    """What is to predict.

    Args:
        folder: Of all deployments.
        name: Of one.
        version: Of its model.
        offline: In this process; through the service otherwise.
    """

    folder: str
    name: str
    version: int
    offline: bool


def choose(folder: Path, name: str | None, version: int | None, offline: bool) -> Chosen:
    """Find what is to predict.

    Args:
        folder: Of all deployments.
        name: Of one; None for the only one.
        version: Of its model; None for the one that serves. A named one is predicted offline.
        offline: In this process, not through the service.

    Raises:
        ConfigError: When there is no such deployment or version, or nothing serves.
    """
    ledger = find(folder, name)
    state = ledger.state()
    if version is not None:
        _refuse_absent(ledger, version)
        return Chosen(str(folder), ledger.name, version, True)
    if state is None or not state.line:
        raise ConfigError(f"Nothing has served as {ledger.name} yet; deploy a run with mlrunner deploy RUN.")
    if not offline and state.serves is None:
        raise ConfigError(
            f"Deployment {ledger.name} is stopped; predict with --offline, or mlrunner deploy --restart {ledger.name}."
        )
    serving = state.line[-1] if state.serves is None else state.serves.version
    return Chosen(str(folder), ledger.name, serving, offline)


def _refuse_absent(ledger: Ledger, version: int) -> None:
    known = sorted(int(file.parent.name) for file in (ledger.folder / "releases").glob(f"[0-9]*/{DESCRIBED}"))
    if version not in known:
        told = f"there are {brief(known)}" if known else "there is none"
        raise ConfigError(
            f"--version {version} is no version of {ledger.name}; {told}.{nearest(str(version), map(str, known))}"
        )


@lru_cache(maxsize=1)
def opened(chosen: Chosen) -> Predictor:
    """Load the model or reach the service, once for the check and the prediction that follows.

    Raises:
        MlrunnerError: When that is impossible.
    """
    ledger = Ledger(Path(chosen.folder) / chosen.name)
    state = ledger.state()
    if chosen.offline:
        settings = {} if state is None else state.settings
        return Offline(ledger.release(chosen.version), str(settings.get("unknown_categories", "refuse")))
    from mlrunner.steps.prediction.service import Service

    return Service(ledger, chosen.version)
