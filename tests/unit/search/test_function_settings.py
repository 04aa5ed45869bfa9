"""The keys and ranges of a search over the function of another Hydra program."""

from __future__ import annotations

from typing import Any

import pytest
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from mlrunner.core.errors import ConfigError, ProblemsError
from mlrunner.search import sweeper_config
from mlrunner.search.function_settings import (
    count_trials,
    list_directions,
    read_function_settings,
    read_function_space,
    read_range,
)
from mlrunner.search.optuna_config import PRUNERS, SAMPLERS
from mlrunner.search.space import Space
from mlrunner.search.sweeper_config import OptunaSweeperConf

OLDER = {"a": {"type": "int", "low": 1, "high": 3}}


def configure(sampler: str = "tpe", pruner: str = "none", option: str = "optuna", **values: Any) -> DictConfig:
    sweeper = OmegaConf.structured(OptunaSweeperConf(sampler=SAMPLERS[sampler](), pruner=PRUNERS[pruner]()))
    keys = OmegaConf.merge({key: value for key, value in sweeper.items() if key != "defaults"}, values)
    node = {"sweeper": keys, "runtime": {"choices": {"hydra/sweeper": option}}}
    return OmegaConf.create({"hydra": node})


def read_space(*arguments: str, **values: Any) -> Space:
    settings, ranges = read_function_settings(configure(**values))
    return read_function_space(settings, ranges, list(arguments))


def test_the_defaults_are_those_of_the_official_plugin() -> None:
    settings, ranges = read_function_settings(configure())
    assert (settings.max_failure_rate, list_directions(settings), ranges) == (0, ["minimize"], [])
    settings, _ = read_function_settings(configure(max_failure_rate=0.25, direction=["maximize", "minimize"]))
    assert (settings.max_failure_rate, list_directions(settings)) == (0.25, ["maximize", "minimize"])


@pytest.mark.parametrize(
    ("values", "keys"),
    [
        ({"patience": 3}, "patience"),
        ({"pruner": "median", "refit": False}, "refit, hydra.sweeper.pruner"),
        ({"exclude": ["a=1"], "repeats": 2}, "exclude, hydra.sweeper.repeats"),
    ],
)
def test_a_key_that_only_mlrunner_has_is_refused(values: dict[str, Any], keys: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_function_settings(configure(**values))
    assert str(caught.value) == (
        f"hydra.sweeper.{keys}: only mlrunner's own searches have this; leave it out in another program."
    )


def test_impossible_values_are_refused() -> None:
    with pytest.raises(ProblemsError, match=r"^hydra.sweeper.n_jobs=0 should be greater than 0\.$"):
        read_function_settings(configure(n_jobs=0))


def test_a_name_of_two_plugins_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    store = ConfigStore.instance()
    monkeypatch.setattr(store, "repo", {"hydra": {"sweeper": {}}})
    store.store(sweeper_config.OTHER_OPTION, OptunaSweeperConf, "hydra/sweeper")
    with pytest.raises(
        ConfigError, match=r"^hydra/sweeper=optuna is offered by two installed plugins.*; choose hydra/sweeper="
    ):
        read_function_settings(configure())
    read_function_settings(configure(option=sweeper_config.OUR_OPTION))


def test_the_command_line_wins_over_params_which_win_over_the_form_of_hydra_1_1() -> None:
    space = read_space("b=3", "c=5,6", params={"a": "interval(0,1)", "b": "range(1,4)", "d": None, "e": 2})
    assert [(each.key, each.distribution) for each in space.dimensions] == [
        ("a", FloatDistribution(0, 1)),
        ("c", CategoricalDistribution([5, 6])),
    ]
    assert space.fixed == (("d=null", None), ("e=2", None), ("b=3", None))
    with pytest.warns(UserWarning, match=r"^Both hydra.sweeper.search_space and hydra.sweeper.params are set; only"):
        space = read_space(search_space=OLDER, params={"b": "1,2"})
    assert [each.key for each in space.dimensions] == ["b"]
    with pytest.warns(UserWarning, match=r"^hydra.sweeper.search_space is the deprecated form of Hydra 1.1; write"):
        space = read_space("x=1", search_space={**OLDER, "x": {"type": "float", "low": 0, "high": 1}})
    assert [(each.key, each.distribution) for each in space.dimensions] == [("a", IntDistribution(1, 3))]


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        ({"type": "bool"}, "type is bool, but should be int, float or categorical"),
        ({"type": "int", "low": 3, "high": 1}, "low"),
        ({"type": "categorical"}, "The `choices` must contain one or more elements."),
        ({"low": 1}, "_read_distribution() missing 1 required positional argument: 'type'"),
        (5, ""),
    ],
)
def test_an_invalid_range_of_hydra_1_1_is_refused(node: Any, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_range("a", node)
    assert str(caught.value).startswith("hydra.sweeper.search_space.a is not a range (")
    assert reason in str(caught.value)
    assert str(caught.value).endswith("; write it under hydra.sweeper.params, as range(…), interval(…) or choice(…).")


@pytest.mark.parametrize(
    ("sampler", "n_trials", "count"), [("tpe", 9, 9), ("grid", 9, 6), ("grid", 4, 4), ("grid", None, 6)]
)
def test_the_trials_are_at_most_the_combinations_of_a_grid(sampler: str, n_trials: int | None, count: int) -> None:
    settings, ranges = read_function_settings(configure(sampler, n_trials=n_trials))
    assert count_trials(settings, read_function_space(settings, ranges, ["a=1,2,3", "b=x,y"])) == count


def test_an_endless_search_and_a_grid_of_an_interval_are_refused() -> None:
    settings, _ = read_function_settings(configure(n_trials=None))
    with pytest.raises(ConfigError, match=r"^hydra.sweeper.n_trials is null, which only a grid allows;"):
        count_trials(settings, read_space("a=1,2"))
    settings, _ = read_function_settings(configure("grid"))
    with pytest.raises(ConfigError, match=r"^a=interval\(0,1\) has infinitely many values"):
        count_trials(settings, read_space("a=interval(0,1)"))
