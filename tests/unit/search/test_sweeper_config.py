"""The registered options of `hydra/sweeper` and their defaults."""

from __future__ import annotations

import inspect
import warnings
from dataclasses import fields
from typing import Any

import optuna
import pytest
from hydra.core.config_store import ConfigStore
from hydra.utils import get_class

from mlrunner.cli.hydra_app import register_sweeper
from mlrunner.search import sweeper_config

SETTINGS = [(group, name) for group, options in sweeper_config.SWEEPER_OPTIONS.items() for name in options]


def test_registering_twice_changes_nothing() -> None:
    register_sweeper()
    before = ConfigStore.instance().load("hydra/sweeper/optuna.yaml").node
    register_sweeper()
    assert ConfigStore.instance().load("hydra/sweeper/optuna.yaml").node == before
    assert before._target_ == sweeper_config.SWEEPER_CLASS


@pytest.mark.parametrize(("group", "name"), [("hydra/sweeper", "optuna"), *SETTINGS])
def test_each_option_is_registered_as_ours(group: str, name: str) -> None:
    register_sweeper()
    assert ConfigStore.instance().load(f"{group}/{name}.yaml").provider == "mlrunner"


def list_parameters(target: str) -> set[str]:
    return set(inspect.signature(get_class(target)).parameters)


@pytest.mark.parametrize(("group", "name"), SETTINGS)
def test_every_option_has_a_class_of_optuna(group: str, name: str) -> None:
    node = sweeper_config.SWEEPER_OPTIONS[group][name]()
    base = optuna.samplers.BaseSampler if group.endswith("sampler") else optuna.pruners.BasePruner
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert issubclass(get_class(node._target_), base)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("group", "name"), [pair for pair in SETTINGS if pair[1] != "grid"])
def test_every_default_is_a_parameter_of_its_class(group: str, name: str) -> None:
    node: Any = sweeper_config.SWEEPER_OPTIONS[group][name]()
    values = {field.name: getattr(node, field.name) for field in fields(node) if not field.name.startswith("_")}
    assert {key for key, value in values.items() if value is not None} <= list_parameters(node._target_)
