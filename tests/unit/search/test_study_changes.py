"""A study is continued only by the same search, unless changes are allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution, distribution_to_json

from mlrunner.core.errors import ProblemsError
from mlrunner.search import study_changes
from mlrunner.search.study_setup import SEARCH_ATTRIBUTE
from tests.support.sweeps import open_study

RATE, DEPTH = FloatDistribution(0.01, 1, log=True), IntDistribution(1, 9)


def describe(**changed: Any) -> dict[str, Any]:
    dimensions = {
        "rf:model.estimator.max_depth": DEPTH,
        "model.estimator.learning_rate": RATE,
        "cleaning": CategoricalDistribution(["full", "none"]),
        **changed.pop("dimensions", {}),
    }
    texts = {key: distribution_to_json(value) for key, value in dimensions.items() if value is not None}
    space = {"fixed": changed.pop("fixed", ["dataset=olist", "seed=1"]), "dimensions": texts, "exclude": []}
    search = {"space": space, "metric": {"r2": "maximize"}, "repeats": 1, "data": {"olist": "abc"}}
    return {**search, **changed}


CHANGES = [
    pytest.param({"fixed": ["seed=1", "dataset=olist", "output=json", "tracking.plots=false"]}, [], id="nothing"),
    pytest.param({"data": {"olist": "abc", "wine": "1"}}, ["data was olist abc and is olist abc, wine 1"], id="data"),
    pytest.param({study_changes.GRID_SEED: 3}, ["sampler.seed was None and is 3"], id="order of a grid"),
    pytest.param({"metric": {"rmse": "minimize"}}, ["metric was r2 maximize and is rmse minimize"], id="metric"),
    pytest.param(
        {"dimensions": {"rf:model.estimator.max_depth": IntDistribution(1, 12)}},
        [
            "rf:model.estimator.max_depth was Int(high=9, log=False, low=1, step=1) and is "
            "Int(high=12, log=False, low=1, step=1)"
        ],
        id="range",
    ),
    pytest.param(
        {"dimensions": {"model.estimator.learning_rate": None}},
        ["model.estimator.learning_rate was Float(high=1.0, log=True, low=0.01, step=None) and is not searched"],
        id="dimension gone",
    ),
    pytest.param(
        {"dimensions": {"cleaning": CategoricalDistribution(["full", "none", "robust"])}},
        ["cleaning was Categorical(choices=('full', 'none')) and is Categorical(choices=('full', 'none', 'robust'))"],
        id="choices",
    ),
    pytest.param(
        {"dimensions": {"x": DEPTH}},
        ["x was not searched and is Int(high=9, log=False, low=1, step=1)"],
        id="dimension",
    ),
    pytest.param(
        {"fixed": ["seed=2"], "repeats": 2},
        ["repeats was 1 and is 2", "dataset=olist is gone", "seed=1 is gone", "seed=2 is new"],
        id="several",
    ),
]


@pytest.mark.parametrize(("changed", "sentences"), CHANGES)
def test_changes_of_a_search_are_refused(changed: dict[str, Any], sentences: list[str], tmp_path: Path) -> None:
    open_study(None, tmp_path, "mine").set_user_attr(SEARCH_ATTRIBUTE, describe())
    study, now = open_study(None, tmp_path, "mine"), describe(**changed)
    study_changes.refuse_changes(study, now, is_allowed=True)
    if not sentences:
        study_changes.refuse_changes(study, now, is_allowed=False)
        return
    with pytest.raises(ProblemsError) as caught:
        study_changes.refuse_changes(study, now, is_allowed=False)
    hint = "choose another hydra.sweeper.study_name, or accept it with hydra.sweeper.allow_changes=true."
    assert caught.value.problems == [f"study mine: {sentence}; {hint}" for sentence in sentences]


def test_a_file_that_was_edited_meanwhile_is_noticed(tmp_path: Path) -> None:
    fixed = {"seed": 9, "model": {"name": "rf", "estimator": {"max_depth": 3}}, "cleaning": {"name": "full"}}
    texts = study_changes.describe_fixed({**fixed, "output": "text"}, ["+model.estimator.max_depth", "cleaning"])
    assert texts == {"seed": "9", "model.name": "rf"}
    study = open_study(None, tmp_path, "mine")
    study.set_user_attr(SEARCH_ATTRIBUTE, describe(composition=texts))
    now = describe(composition={**texts, "seed": "10"})
    study_changes.refuse_changes(study, describe(composition=texts), is_allowed=False)
    study_changes.refuse_changes(study, now, is_allowed=True)
    with pytest.raises(ProblemsError, match=r"a file of the configuration has changed \(seed was 9 and is 10\)"):
        study_changes.refuse_changes(study, now, is_allowed=False)
    both = describe(composition={"seed": "10"}, fixed=["seed=10"])
    with pytest.raises(ProblemsError) as caught:
        study_changes.refuse_changes(study, both, is_allowed=False)
    assert "a file" not in str(caught.value)  # what was typed explains it


def test_a_study_without_a_description_is_accepted(tmp_path: Path) -> None:
    study = open_study(None, tmp_path, "bare")
    study_changes.refuse_changes(study, describe(), is_allowed=False)
