"""The function of `hydra.sweeper.custom_search_space`."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import optuna
import pytest
from omegaconf import DictConfig, OmegaConf
from optuna.distributions import FloatDistribution

from mlrunner.core.errors import ConfigError
from mlrunner.search.custom_space import load_custom_space
from mlrunner.search.space import Space

NAME = f"{__name__}.customize"
CONFIG: DictConfig = OmegaConf.create({"highest": 0.5})


def customize(config: Any, trial: Any) -> None:
    trial.suggest_float("tol", 0.25, float(trial.user_attrs.get("scale", config.highest)))


def make_space(*fixed: str) -> Space:
    return Space(tuple((text, None) for text in fixed), (), "ridge")


def test_the_function_gets_the_configuration_and_the_trial_with_the_fixed_values() -> None:
    assert load_custom_space(None, make_space(), CONFIG) is None
    for fixed, highest in [((), 0.5), (("scale=2", "db.password=x"), 2)]:
        function, trial = load_custom_space(NAME, make_space(*fixed), CONFIG), optuna.create_study().ask()
        assert function is not None
        function(trial)
        assert trial.distributions == {"tol": FloatDistribution(0.25, highest)}
    assert trial.user_attrs == {"scale": "2", "db.password": "***"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tol=0.5", "^tol=0.5 is fixed, but hydra.sweeper.custom_search_space=.* sets tol in each trial"),
        ("+tol=0.5", None),  # adds the key, which the function may set
        ("alpha=1", None),
    ],
)
def test_a_key_that_is_fixed_is_refused(text: str, problem: str | None) -> None:
    function = load_custom_space(NAME, make_space(text), CONFIG)
    assert function is not None
    with pytest.raises(ConfigError, match=problem) if problem else nullcontext():
        function(optuna.create_study().ask())
