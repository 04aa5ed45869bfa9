"""Checking the choices and ranges of a search space."""

from __future__ import annotations

from typing import Any

import pytest

from mlrunner.core.errors import ProblemsError
from mlrunner.search.space_check import MAX_CHECKED_CHOICES, list_probes
from tests.support.search import HydraSweep
from tests.support.spaces import build_space

ALPHA = "model.estimator.alpha"


def list_problems(hydra: HydraSweep, *overrides: str, **values: Any) -> list[str]:
    with pytest.raises(ProblemsError) as caught:
        hydra.plan(*overrides, **values)
    return caught.value.problems


@pytest.mark.parametrize(
    ("overrides", "sentences"),
    [
        pytest.param(
            [f"{ALPHA}=range(-1,3)"],
            ["model.estimator: The 'alpha' parameter of Ridge must be a float in the range [0.0, inf)"],
            id="the-low-end",
        ),
        pytest.param(["split='80_20',nope"], ["Could not find 'split/nope'"], id="an-option"),
        pytest.param(["split='80_20',8020"], ["8020"], id="a-number-for-an-option"),
        pytest.param(["objective.metric=r2,acuracy"], ["acuracy is not a metric"], id="the-second-metric"),
        pytest.param(["split.test=choice(0.2,1.2)", "cleaning.drop=[],[nope]"], ["split.test", "nope"], id="several"),
    ],
)
def test_every_choice_is_checked(diabetes_sweep: HydraSweep, overrides: list[str], sentences: list[str]) -> None:
    problems = list_problems(diabetes_sweep, "model=ridge", *overrides)
    assert len(problems) == len(set(problems))
    for sentence in sentences:
        assert any(sentence in problem for problem in problems), problems


def test_trials_of_a_search_predict_the_same(diabetes_sweep: HydraSweep) -> None:
    (sentence,) = list_problems(diabetes_sweep, "model=ridge", "dataset.target=target,bmi")
    assert "they predict target of diabetes, regression and bmi of diabetes, regression; search each by" in sentence


def test_trials_of_a_search_are_scored_alike(diabetes_sweep: HydraSweep) -> None:
    pinball = "metric=pinball", "objective.metric=pinball", "metric.pinball.arguments.alpha=0.8,0.9"
    (sentence,) = list_problems(diabetes_sweep, "model=ridge", *pinball)
    scored = [f"target of diabetes, regression (pinball with alpha={alpha})" for alpha in (0.8, 0.9)]
    assert f"they predict {' and '.join(scored)}; search each by" in sentence


def test_a_problem_of_all_compositions_is_reported_once(diabetes_sweep: HydraSweep) -> None:
    assert list_problems(diabetes_sweep, "model=ridge", "threads=1,2", f"+{ALPHA}s=1") == [
        "model.estimator.alphas: Ridge has no such argument. Did you mean 'alpha'?"
    ]


def test_an_error_of_hydra_is_one_line(diabetes_sweep: HydraSweep) -> None:
    (sentence,) = list_problems(diabetes_sweep, "model=ridge", "nothing.at.all=1,2")[:1]
    assert sentence.startswith("Could not override 'nothing.at.all'. To append to your config use +nothing.at.all=1")
    assert "\n" not in sentence


def test_an_excluded_combination_is_not_checked(diabetes_sweep: HydraSweep) -> None:
    plan, _ = diabetes_sweep.plan("model=logistic_regression,ridge", exclude=["model=log*"])
    assert plan.first.overrides[2] == "model=ridge"


def test_a_search_that_excludes_everything_is_refused(diabetes_sweep: HydraSweep) -> None:
    assert list_problems(diabetes_sweep, "model=ridge,dummy", exclude=["model=*"]) == [
        "hydra.sweeper.exclude leaves no combination; exclude less."
    ]


GROUPS: dict[str, dict[str, Any]] = {
    "forest": {"estimator": {}, "search": {}},
    "line": {"estimator": {"a": 1}, "search": {"estimator.a": "interval(0,1)"}},
}


def probe(*overrides: str) -> list[dict[str, Any]]:
    return list(list_probes(build_space(*overrides, groups=GROUPS)))


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        pytest.param([], [{}], id="nothing"),
        pytest.param(["x=range(1,5)"], [{"x": 1}, {"x": 1}, {"x": 4}], id="both-ends"),
        pytest.param(["x=interval(0,1)"], [{"x": 0.0}, {"x": 0.0}, {"x": 1.0}], id="both-ends-of-floats"),
        pytest.param(["x=a,b"], [{"x": "a"}, {"x": "b"}] * 2, id="choices"),
        pytest.param(
            ["model=forest,line"],
            [{"model": "forest"}, {"model": "line", "line:model.estimator.a": 0.0}]
            + [{"model": "line", "line:model.estimator.a": end} for end in (0.0, 1.0)],
            id="models",
        ),
    ],
)
def test_choices_and_ends_are_probed(overrides: list[str], expected: list[dict[str, Any]]) -> None:
    assert probe(*overrides) == expected


def test_a_few_choices_are_probed_in_combination() -> None:
    probed = [(params["x"], params["y"]) for params in probe("x=1,2,3", "y=a,b")]
    assert set(probed) == {(x, y) for x in (1, 2, 3) for y in "ab"}


def test_each_of_many_choices_is_probed_once() -> None:
    values = [str(number) for number in range(MAX_CHECKED_CHOICES + 1)]
    probed = probe(f"x={','.join(values)}", "y=a,b")
    assert [(params["x"], params["y"]) for params in probed] == [
        *[(int(value), "a") for value in values],
        (0, "a"),
        (0, "b"),
    ]


def test_the_choices_of_each_model_are_probed() -> None:
    probed = {(params["model"], params["x"]) for params in probe("model=forest,line", "x=1,2")}
    assert probed == {(model, x) for model in ("forest", "line") for x in (1, 2)}
