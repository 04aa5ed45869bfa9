"""The objectives of a search, and its number of trials."""

from __future__ import annotations

from typing import Any

import pytest

from mlrunner.composition.settings import Objective
from mlrunner.core.errors import ConfigError
from mlrunner.search.objective import Objectives, choose_objectives, count_trials
from mlrunner.search.settings import GRID_SAMPLER, SweepSettings
from mlrunner.search.space import Space
from mlrunner.search.trial import TrialResult
from tests.support.spaces import build_space
from tests.support.sweeps import build_settings

DEFAULT = {"regression": "r2", "classification": "accuracy"}


def build_objective(metric: str | list[str] = "r2", direction: str | None = None) -> Objective:
    return Objective.model_validate({"default": DEFAULT, "metric": metric, "direction": direction})


@pytest.mark.parametrize(
    ("direction", "metric", "metric_direction", "expected"),
    [
        pytest.param("minimize", "rmse", None, ("minimize",), id="direction"),
        pytest.param(["maximize"], "r2", None, ("maximize",), id="given-in-a-list"),
        pytest.param("minimize", "r2", "minimize", ("minimize",), id="reversed-and-given"),
        pytest.param(None, ["rmse", "r2", "score_seconds"], None, ("minimize", "maximize", "minimize"), id="three"),
        pytest.param(["maximize", "minimize"], ["r2", "fit_seconds"], None, ("maximize", "minimize"), id="both-given"),
    ],
)
def test_each_objective_has_its_direction(
    direction: Any, metric: Any, metric_direction: str | None, expected: tuple[str, ...]
) -> None:
    names = (metric,) if isinstance(metric, str) else tuple(metric)
    assert choose_objectives(
        build_settings(direction=direction), build_objective(metric, metric_direction)
    ) == Objectives(names, expected)


CONTRADICTION = (
    "={0} contradicts {1}, whose direction is {2}; leave the direction out, or set objective.direction={0} as well."
)


@pytest.mark.parametrize(
    ("direction", "metric", "metric_direction", "sentence"),
    [
        pytest.param(
            ["maximize", "minimize"],
            "r2",
            None,
            " needs one direction for each metric (r2), got 2; write it like 'objective.metric=[r2,fit_seconds]' "
            "'hydra.sweeper.direction=[maximize,minimize]'.",
            id="another-number",
        ),
        ("minimize", "r2", None, CONTRADICTION.format("minimize", "r2", "maximize")),
        ("maximize", "r2", "minimize", CONTRADICTION.format("maximize", "r2", "minimize")),
        (["maximize"] * 2, ["r2", "fit_seconds"], None, CONTRADICTION.format("maximize", "fit_seconds", "minimize")),
    ],
)
def test_contradicting_directions_are_refused(
    direction: Any, metric: Any, metric_direction: str | None, sentence: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        choose_objectives(build_settings(direction=direction), build_objective(metric, metric_direction))
    assert str(caught.value) == f"hydra.sweeper.direction{sentence}"


@pytest.mark.parametrize(
    ("direction", "value", "other", "expected"),
    [("maximize", 2, 1, True), ("maximize", 1, 1, False), ("minimize", 1, 2, True), ("minimize", 2, 1, False)],
)
def test_a_value_is_better_in_the_first_direction(direction: Any, value: float, other: float, expected: bool) -> None:
    assert Objectives(("r2",), (direction,)).is_better(value, other) is expected


def test_seconds_are_objectives() -> None:
    result = TrialResult(0, "COMPLETE", metrics={"r2": 0.5}, fit_seconds=2.0, score_seconds=1.0)
    values = Objectives(("r2", "fit_seconds", "score_seconds", "mae"), ("maximize",) * 4).get_values(result)
    assert values[:3] == [0.5, 2.0, 1.0]
    assert values[3] != values[3]


def read_space(*overrides: str, exclude: tuple[str, ...] = ()) -> Space:
    return build_space(*overrides, exclude=exclude, groups={"forest": {}})


def build_grid(**values: Any) -> SweepSettings:
    return build_settings(sampler={"_target_": GRID_SAMPLER}, **values)


@pytest.mark.parametrize(("trials", "limit"), [(None, 6), (4, 4), (7, 6)])
def test_a_grid_has_at_most_its_combinations(trials: int | None, limit: int) -> None:
    assert count_trials(build_grid(n_trials=trials), read_space("a=1,2,3", "b=1,2")) == limit


def test_an_excluded_combination_does_not_count() -> None:
    assert count_trials(build_grid(n_trials=None), read_space("a=1,2,3", "b=1,2", exclude=("a=1,b=2",))) == 5


def test_a_search_has_n_trials_whatever_the_size() -> None:
    assert count_trials(build_settings(n_trials=1000), read_space("a=1,2")) == 1000


@pytest.mark.parametrize(
    ("is_grid", "overrides", "exclude", "sentence"),
    [
        (
            False,
            ("a=1",),
            (),
            "nothing to search: model=forest has no search: of its own and no range was given; add one, such as "
            "model.estimator.alpha=tag(log,interval(0.01,10)) or model=ridge,rf.",
        ),
        (True, ("a=1,2",), ("a=*",), "hydra.sweeper.exclude leaves no combination of the grid; exclude less."),
        (False, ("a=1,2",), (), "hydra.sweeper.n_trials is null, which only a grid allows; set it to a number."),
        (
            True,
            ("a=interval(0,1)",),
            (),
            "a=interval(0,1) has infinitely many values, so a grid cannot try them all; list some with choice(…) or "
            "range(…), or choose another hydra/sweeper/sampler.",
        ),
    ],
    ids=["nothing", "all-excluded", "no-number", "endless"],
)
def test_a_search_without_dimensions_or_limit_is_refused(
    is_grid: bool, overrides: tuple[str, ...], exclude: tuple[str, ...], sentence: str
) -> None:
    settings = build_grid(n_trials=None) if is_grid else build_settings(n_trials=None)
    with pytest.raises(ConfigError) as caught:
        count_trials(settings, read_space(*overrides, exclude=exclude))
    assert str(caught.value) == sentence
