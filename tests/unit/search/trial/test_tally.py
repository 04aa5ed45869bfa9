"""The scores of a trial whose threshold is tuned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mlrunner.core.build import build
from mlrunner.evaluation import metrics
from mlrunner.groups.model import Model
from mlrunner.search.trial.tally import Tally
from tests.support.predictions import labelled
from tests.support.trials import Data, model_settings

FIRST = labelled([*"abab"], [*"aaab"], [[0.8, 0.2], [0.6, 0.4], [0.7, 0.3], [0.4, 0.6]])  # best at 0.35
SECOND = labelled([*"aa"], [*"aa"], [[0.9, 0.1], [0.68, 0.32]])  # 0.32 is an a: right at 0.35 as well


@pytest.fixture
def model() -> Model:
    settings = model_settings("sklearn.tree.DecisionTreeClassifier")
    made: Model = build({**settings, "threshold": "tuned"}, "model")
    return made


@pytest.mark.parametrize("prunes", [False, True])
def test_the_last_fit_of_a_repeat_tunes_the_threshold_and_scores_all(
    model: Model, prunes: bool, tmp_path: Path
) -> None:
    tally, task = Tally(), replace(Data(tmp_path).task({}, task="classification"), metric="accuracy", prunes=prunes)
    steps = []
    for fit, ends in ((FIRST, False), (SECOND, True), (FIRST, True)):
        tally.scores.append(metrics.measure(fit, "classification"))
        steps.append(tally.tune(model, fit, task, ends))
    assert steps == pytest.approx([0.35 if prunes else None, 0.36, 0.35])
    assert tally.thresholds == pytest.approx([0.36, 0.35])
    assert [scores["accuracy"] for scores in tally.scores] == [1, 1, 1]  # 3/4 for the first, by the greater probability
    assert tally.fit_values == {"threshold": pytest.approx(0.355)}


def test_a_report_waits_for_both_classes(model: Model, tmp_path: Path) -> None:
    tally, task = Tally(), replace(Data(tmp_path).task({}, task="classification"), prunes=True)
    assert tally.tune(model, SECOND, task, ends=False) is None
    assert tally.fit_values == {}
