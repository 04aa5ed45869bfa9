"""The registered options of `hydra/sweeper` and their defaults."""

from __future__ import annotations

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
    assert (conf.direction, conf.storage, conf.study_name, conf.n_trials, conf.n_jobs) == (None, None, None, 20, 2)
    assert (conf.params, conf.custom_search_space) == ({}, None)
    assert conf.defaults == [{"sampler": "tpe"}, {"pruner": "none"}]
    assert (conf.exclude, conf.repeats, conf.retries, conf.refit) == ([], 1, 0, True)
    assert not any([conf.fail_fast, conf.dry_run, conf.allow_changes])
