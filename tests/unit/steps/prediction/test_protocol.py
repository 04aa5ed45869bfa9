"""Each source of predictions has what the protocol names."""

from __future__ import annotations

from pathlib import Path

from mlrunner.steps.prediction.predictors import choose_source, open_predictor
from mlrunner.steps.prediction.protocol import Predictor
from mlrunner.steps.prediction.service import ServicePredictor

METHODS = {"predict", "stop"}


def test_the_files_of_a_release_are_a_predictor(deployed: Path) -> None:
    predictor = open_predictor(choose_source(deployed, None, None, True))
    assert [name for name in (*Predictor.__annotations__, *METHODS) if not hasattr(predictor, name)] == []
    assert (predictor.model, predictor.version, predictor.through) == ("tests", 3, "release")


def test_methods_of_all_predictors_have_the_same_parameters() -> None:
    assert {name for name in vars(Predictor) if callable(vars(Predictor)[name]) and name[0] != "_"} == METHODS
    for name in METHODS:
        expected = getattr(Predictor, name).__annotations__
        assert getattr(ServicePredictor, name).__annotations__ == expected
