"""Copies of studies and short parameter names."""

from __future__ import annotations

import optuna
import pytest
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import create_trial

from mlrunner.evaluation.plots.search_trials import (
    copy_trials,
    group_by_model,
    list_finite,
    list_varying,
    shorten_parameters,
)
from tests.support.studies import make_study, run_study, search_two_models

NAMES: dict[str, tuple[list[str], list[str]]] = {
    "last part": (["model", "model.estimator.max_depth"], ["model", "max_depth"]),
    "two keys": (["model.a.depth", "model.b.depth"], ["a.depth", "b.depth"]),
    "two prefixes": (["rf:model.depth", "xgboost:model.depth"], ["rf:depth", "xgboost:depth"]),
    "prefix alone": (["rf:model.depth", "model"], ["depth", "model"]),
    "inside another": (["a.x", "x"], ["a.x", "x"]),
    "prefix and key": (["rf:a.x", "rf:b.x", "x"], ["a.x", "b.x", "x"]),
}


@pytest.mark.parametrize("case", NAMES)
def test_a_parameter_is_named_by_the_shortest_unique_ending(case: str) -> None:
    names, expected = NAMES[case]
    assert shorten_parameters(names, 19) == expected


def test_a_copy_keeps_numbers_and_values_and_renames_parameters() -> None:
    study = run_study(search_two_models, 30)
    trials = list_finite(study)
    copied = copy_trials(study, trials, ["cleaning.window"])
    assert [(t.number, t.value) for t in list_finite(copied)] == [(t.number, t.value) for t in trials]
    assert [t.params for t in list_finite(copied)] == [{"window": t.params["cleaning.window"]} for t in trials]


def test_a_copy_has_the_union_of_all_ranges() -> None:
    study = optuna.create_study()
    for low, high in ((1, 4), (3, 9)):
        study.add_trial(create_trial(value=1.0, params={"x": 3}, distributions={"x": IntDistribution(low, high)}))
    study.add_trial(create_trial(value=1.0, params={"x": 0.5}, distributions={"x": FloatDistribution(0.0, 1.0)}))
    copied = copy_trials(study, study.trials, ["x"])
    assert {repr(t.distributions["x"]) for t in copied.trials} == {repr(FloatDistribution(0.0, 9.0))}


def test_trials_are_grouped_by_model_only_where_parameters_differ() -> None:
    groups = group_by_model(list_finite(run_study(search_two_models, 60)))
    assert {model: {t.params["model"] for t in trials} for model, trials in groups.items()} == {
        "xgboost": {"xgboost"},
        "rf": {"rf"},
    }
    assert group_by_model(list_finite(make_study([1.0, 2, 3]))) == {}


def test_varying_parameters_have_more_than_one_value() -> None:
    trials = list_finite(run_study(search_two_models, 60))
    assert list_varying(trials) == ["model", "cleaning.window"]
    assert len(list_varying(trials, shared=False)) == 6
