"""The options of `hydra/sweeper/pruner`."""

from __future__ import annotations

import warnings
from typing import Any

import optuna
import pytest
from hydra.utils import get_class, instantiate
from omegaconf import OmegaConf

from mlrunner.search.pruner_config import PRUNERS


@pytest.mark.parametrize("name", sorted(PRUNERS.keys() - {"percentile"}))
def test_the_defaults_are_those_of_optuna(name: str) -> None:
    node: Any = PRUNERS[name]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pruner, default = instantiate(OmegaConf.structured(node)), get_class(node._target_)()
    assert vars(pruner) == vars(default)


def test_the_percentile_has_no_default_in_optuna() -> None:
    pruner = instantiate(OmegaConf.structured(PRUNERS["percentile"]()))
    assert vars(pruner) == vars(optuna.pruners.PercentilePruner(25.0))
