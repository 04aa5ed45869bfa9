"""Metrics of probabilities, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlrunner.core.score_settings import ScoreSettings
from mlrunner.evaluation.probabilities import area_under_roc, average_precision, brier_score, measure_probabilities
from tests.support.predictions import labelled

POSITIVE, SCORES = np.array([True, False, True, False]), np.array([0.9, 0.8, 0.7, 0.7])


def test_average_precision_adds_the_precision_at_each_new_hit() -> None:
    # .9: 1 of 1; .8: 1 of 2; .7 (both rows): 2 of 4. Recall rises by 1/2 at .9 and at .7.
    assert average_precision(POSITIVE, SCORES) == pytest.approx(1 / 2 * 1 + 1 / 2 * 2 / 4)
    # with weights 1 2 3 4, recall rises by 1/4 and 3/4, and 4 of 10 are hits at the end
    assert average_precision(POSITIVE, SCORES, np.array([1, 2, 3, 4])) == pytest.approx(1 / 4 * 1 + 3 / 4 * 4 / 10)


def test_weighted_pairs_count_by_the_product_of_their_weights() -> None:
    # .9 is above .8 and .7 (1*2 + 1*4), .7 ties with .7 (3*4/2) and is below .8
    assert area_under_roc(POSITIVE, SCORES, np.array([1, 2, 3, 4])) == pytest.approx((2 + 4 + 6) / (4 * 6))
    assert area_under_roc(POSITIVE, SCORES) == pytest.approx((2 + 0.5) / 4)


def test_brier_score_of_two_classes_is_the_squared_error_of_one() -> None:
    two = labelled([*"ab"], [*"ab"], [[0.8, 0.2], [0.4, 0.6]])
    assert brier_score(two) == pytest.approx((0.2**2 + 0.4**2) / 2)
    three = labelled([*"ab"], [*"ab"], [[0.8, 0.1, 0.1], [0.4, 0.6, 0]], "abc")
    assert brier_score(three) == pytest.approx(((0.2**2 + 0.1**2 + 0.1**2) + (0.4**2 + 0.4**2)) / 2)


def test_the_positive_class_changes_average_precision_only() -> None:
    second = labelled([*"aab"], [*"aab"], [[0.9, 0.1], [0.4, 0.6], [0.5, 0.5]])
    first = replace(second, scoring=ScoreSettings(positive="a"))
    scores, other = measure_probabilities(second), measure_probabilities(first)
    assert scores.pop("average_precision") == pytest.approx(1 / 2)  # b is second by its probability
    assert other.pop("average_precision") == pytest.approx(1 / 2 * 1 + 1 / 2 * 2 / 3)
    assert scores == pytest.approx(other)


def test_without_probabilities_there_are_no_metrics() -> None:
    assert measure_probabilities(labelled([*"ab"], [*"ab"])) == {}
