"""Settings of the scores."""

from __future__ import annotations

from typing import Any

import pytest

from mlrunner.core.score_settings import CustomMetric, ScoreSettings, find_label


@pytest.mark.parametrize(
    ("labels", "label", "expected"),
    [
        (["no", "yes"], "yes", 1),
        ([0, 1], 1, 1),
        ([0, 1], "1", 1),
        ([0.0, 1.0], 1, 1),
        (["0", "1"], 0, 0),
        ([False, True], True, 1),
        (["no", "yes"], "maybe", None),
    ],
)
def test_a_label_is_found_as_value_or_as_text(labels: list[Any], label: Any, expected: int | None) -> None:
    assert find_label(labels, label) == expected


@pytest.mark.parametrize("by_alias", [True, False])
def test_settings_survive_json(by_alias: bool) -> None:
    metric = CustomMetric(target="a.b", direction="minimize", task="regression", arguments={"x": [1]})
    settings = ScoreSettings(positive=1, custom={"own": metric})
    assert ScoreSettings.model_validate_json(settings.model_dump_json(by_alias=by_alias)) == settings
