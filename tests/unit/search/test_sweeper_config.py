"""The registered options of `hydra/sweeper` and their defaults."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hydra.core.config_store import ConfigStore

from mlrunner.cli.hydra_app import register_sweeper
from mlrunner.search import sweeper_config
from mlrunner.search.sweeper_config import OptunaSweeperConf


def test_each_option_is_registered_as_ours_and_registering_twice_changes_nothing() -> None:
    store = ConfigStore.instance()
    register_sweeper()
    before = store.load("hydra/sweeper/optuna.yaml").node
    register_sweeper()
    assert store.load("hydra/sweeper/optuna.yaml").node == before
    assert before._target_ == sweeper_config.SWEEPER_CLASS
    names = [f"{group}/{name}" for group, options in sweeper_config.SWEEPER_OPTIONS.items() for name in options]
    assert {store.load(f"{name}.yaml").provider for name in ["hydra/sweeper/optuna", *names]} == {"mlrunner"}


def test_the_defaults_are_those_of_the_official_plugin() -> None:
    conf = OptunaSweeperConf()
    assert (conf.storage, conf.study_name, conf.n_trials, conf.n_jobs) == (None, None, 20, 2)
    assert (conf.params, conf.custom_search_space, conf.search_space) == ({}, None, None)
    assert (conf.direction, conf.max_failure_rate) == (None, None)  # the program decides: its values, or ours
    assert conf.defaults == [{"sampler": "tpe"}, {"pruner": "none"}]
    assert (conf.exclude, conf.repeats, conf.retries, conf.refit) == ([], 1, 0, True)
    assert not any([conf.fail_fast, conf.dry_run, conf.allow_changes])


@dataclass
class Other:
    """The sweeper of another plugin with the same name."""

    _target_: str = "other.Sweeper"


@pytest.fixture
def store() -> Iterator[ConfigStore]:
    """Hydra's store without our options, which is restored."""
    register_sweeper()
    store = ConfigStore.instance()
    before, store.repo = store.repo, copy.deepcopy(store.repo)
    store.repo["hydra"]["sweeper"] = {}
    yield store
    store.repo = before


def test_another_plugin_with_our_name_is_offered_beside_ours_and_keeps_its_samplers(store: ConfigStore) -> None:
    for group, name in (("hydra/sweeper", "optuna"), ("hydra/sweeper/sampler", "tpe")):
        store.store(name, Other, group, provider="other")
    for _ in range(2):  # Hydra calls it at each composition
        sweeper_config.offer_sweeper_config()
    assert store.load("hydra/sweeper/optuna_official.yaml").node._target_ == "other.Sweeper"
    for name in ("optuna", "optuna_mlrunner"):
        assert store.load(f"hydra/sweeper/{name}.yaml").node._target_ == sweeper_config.SWEEPER_CLASS
    providers = [store.load(f"hydra/sweeper/sampler/{name}.yaml").provider for name in ("tpe", "random")]
    assert providers == ["other", "mlrunner"]
    options = ("optuna", "optuna_official", "optuna_mlrunner", "basic")
    assert [sweeper_config.is_ambiguous(name) for name in options] == [True, False, False, False]


def test_alone_our_sweeper_has_the_name(store: ConfigStore) -> None:
    sweeper_config.offer_sweeper_config()
    assert store.load("hydra/sweeper/optuna.yaml").provider == "mlrunner"
    assert "optuna_mlrunner.yaml" not in store.list("hydra/sweeper")
    assert not sweeper_config.is_ambiguous("optuna")
