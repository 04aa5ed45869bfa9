"""Sources of predictions: chosen from the deployments, and asked in halves where rows are rejected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlrunner.core.errors import ConfigError, DataError
from mlrunner.groups.deployer.state import DeploymentStore
from mlrunner.steps.prediction.batches import Batch
from mlrunner.steps.prediction.predictors import PredictorSource, choose_source, open_predictor, predict_batch
from mlrunner.steps.prediction.protocol import RowError, TooManyRowsError, UnfitRowsError
from tests.support.raw_schema import SCHEMA


class EvenPredictor:
    """Rejects odd numbers, and more than four rows at once."""

    schema, model, version, through, in_flight = SCHEMA, "m", 1, "release", 2

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def predict(self, batch: Batch) -> list[Any]:
        self.sizes.append(batch.rows)
        if batch.rows > 4:
            raise TooManyRowsError("too many")
        if any(value % 2 for value in batch.columns["x"]):
            raise UnfitRowsError("odd")
        return list(batch.columns["x"])

    def stop(self) -> None:
        self.sizes.append(-1)


def test_rejected_rows_are_found_by_halving() -> None:
    predictor = EvenPredictor()
    assert predict_batch(predictor, Batch({"x": [0, 2, 4, 5, 6, 8, 10, 12, 13]}, 9)) == [
        0,
        2,
        4,
        RowError("odd"),
        6,
        8,
        10,
        12,
        RowError("odd"),
    ]
    assert max(predictor.sizes[1:]) <= 5
    assert predict_batch(predictor, Batch({}, 0)) == []


def test_single_row_that_is_too_large_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = EvenPredictor()

    def refuse(batch: Batch) -> list[Any]:
        raise TooManyRowsError(f"{batch.rows} is too much")

    monkeypatch.setattr(predictor, "predict", refuse)
    with pytest.raises(DataError, match="A single row is refused: 1 is too much"):
        predict_batch(predictor, Batch({"x": [1, 2]}, 2))


def test_source_is_chosen_from_the_deployments(deployed: Path, tmp_path: Path) -> None:
    offline = PredictorSource(folder=str(deployed), name="tests", version=3, offline=True)
    assert choose_source(deployed, None, None, True) == choose_source(deployed, "tests", 3, False) == offline
    with pytest.raises(ConfigError, match="is stopped; predict with --offline, or mlrunner deploy --restart tests"):
        choose_source(deployed, None, None, False)
    with pytest.raises(ConfigError, match=r"--version 4 is not a version of tests; available: 3\."):
        choose_source(deployed, None, 4, True)
    with pytest.raises(ConfigError, match="no deployment 'test'; available: tests"):
        choose_source(deployed, "test", None, True)
    (tmp_path / "new").mkdir()
    DeploymentStore(tmp_path / "new").log_event("failed")
    with pytest.raises(ConfigError, match="Nothing has served as new yet"):
        choose_source(tmp_path, None, None, True)


def test_model_is_opened_once(deployed: Path) -> None:
    source = choose_source(deployed, None, None, True)
    assert open_predictor(source) is open_predictor(source)
