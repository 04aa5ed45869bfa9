"""Reading and checking the values of `hydra.sweeper`."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf, open_dict

from mlrunner.cli.hydra_app import register_sweeper
from mlrunner.core.errors import ConfigError, ProblemsError
from mlrunner.search import settings
from mlrunner.search.optuna_config import PRUNERS, SAMPLERS
from mlrunner.search.settings import SweepSettings
from mlrunner.search.sweeper_config import OptunaSweeperConf
from tests.support.front_door import PROJECT

PRESETS = sorted(path.stem for path in (PROJECT / "conf" / "sweep").glob("*.yaml"))


@pytest.fixture(scope="module")
def hydra() -> Iterator[None]:
    register_sweeper()
    with initialize_config_dir(str(PROJECT / "conf"), version_base="1.3"):
        yield


def compose_sweep(*overrides: str) -> DictConfig:
    """Compose a sweep with its `hydra` node."""
    return compose("mlrunner", list(overrides), return_hydra_config=True)


@pytest.fixture(scope="module")
def config(hydra: None) -> DictConfig:  # noqa: ARG001 - only open
    return compose_sweep("sweep=optuna")


def read(config: DictConfig, **values: Any) -> SweepSettings:
    """Read the settings of the preset with some values changed."""
    changed = copy.deepcopy(config)
    with open_dict(changed):
        changed.hydra.sweeper.update(values)
    return settings.read_settings(changed)


def test_the_keys_are_those_of_the_sweeper_config() -> None:
    fields = {name for name in OptunaSweeperConf.__dataclass_fields__ if not name.startswith("_")}
    assert set(SweepSettings.model_fields) == fields - {"defaults", "search_space"}


def test_the_preset_is_read(config: DictConfig) -> None:
    values = settings.read_settings(config)
    assert (values.n_trials, values.n_jobs, values.max_failure_rate) == (20, 2, 0.5)
    assert values.sampler["_target_"] == "optuna.samplers.TPESampler"
    assert (values.is_grid, values.has_pruner) == (False, False)


@pytest.mark.usefixtures("hydra")
def test_every_preset_is_valid() -> None:
    for preset in PRESETS:
        values = settings.read_settings(compose_sweep(f"sweep={preset}"))
        assert (preset, values.is_grid, values.n_trials is None) == (preset, preset == "grid", preset == "grid")


@pytest.mark.parametrize("sampler", [name for name in SAMPLERS if name != "motpe"])
def test_every_sampler_is_accepted_when_its_package_is_installed(config: DictConfig, sampler: str) -> None:
    node = SAMPLERS[sampler]()
    package = settings.SAMPLER_PACKAGES.get(node._target_)
    if package is None or find_spec(package) is not None:
        assert read(config, sampler=node).is_grid is (sampler == "grid")
        return
    with pytest.raises(ConfigError, match=f"^hydra/sweeper/sampler: .* needs the package {package}"):
        read(config, sampler=node)


def test_a_sampler_without_its_package_is_refused(config: DictConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.SAMPLER_PACKAGES, "optuna.samplers.TPESampler", "no_such_package")
    with pytest.raises(ConfigError) as caught:
        settings.read_settings(config)
    assert str(caught.value) == (
        "hydra/sweeper/sampler: TPESampler needs the package no_such_package, which is not installed; run pip install "
        "no_such_package, or choose tpe."
    )


def test_a_sampler_that_optuna_has_removed_is_refused(config: DictConfig) -> None:
    with pytest.raises(ConfigError) as caught:
        read(config, sampler=SAMPLERS["motpe"]())
    assert str(caught.value) == (
        "hydra/sweeper/sampler=motpe: Optuna has no MOTPESampler any more; choose hydra/sweeper/sampler=tpe, which "
        "takes several objectives as well."
    )


@pytest.mark.parametrize("pruner", PRUNERS)
def test_every_pruner_except_none_prunes(config: DictConfig, pruner: str) -> None:
    assert read(config, pruner=PRUNERS[pruner]()).has_pruner is (pruner != "none")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("direction", ["maximize", "minimize"]),
        ("storage", "sqlite:///x.db"),
        ("storage", {"_target_": "optuna.storages.InMemoryStorage"}),
        ("timeout", 5),
        ("max_failure_rate", 1),
        ("max_failure_rate", 0),
        ("target", 0),
        ("warm_start", ["model=rf", ["model=rf", "a=1"]]),
        ("params", None),
        ("params", {"a.b": "range(1,5)"}),
        ("exclude", ["model=rf,cleaning=full"]),
    ],
)
def test_a_valid_value_is_read(config: DictConfig, key: str, value: Any) -> None:
    assert getattr(read(config, **{key: value}), key) == value


@pytest.mark.parametrize("value", [{"model.estimator.max_depth": {"type": "int", "low": 2, "high": 9}}, {}])
def test_search_space_is_refused(config: DictConfig, value: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        read(config, search_space=value)
    assert str(caught.value) == (
        "hydra.sweeper.search_space is the form of Hydra 1.1; write the ranges under hydra.sweeper.params, such as "
        "'+hydra.sweeper.params={model.estimator.max_depth: \"range(2,9)\"}'."
    )


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("n_trials", 0, "=0 should be greater than 0."),
        ("n_jobs", 0, "=0 should be greater than 0."),
        ("max_failure_rate", 1.5, "=1.5 should be less than or equal to 1."),
        ("max_failure_rate", -1, "=-1.0 should be greater than or equal to 0."),
        ("timeout", 0, "=0.0 should be greater than 0."),
        ("patience", 0, "=0 should be greater than 0."),
        ("repeats", 0, "=0 should be greater than 0."),
        ("retries", -1, "=-1 should be greater than or equal to 0."),
        ("study_name", "", '="" string should have at least 1 character.'),
        ("storage", 3, "=3 should be text or keys with values, like {a: 1}."),
        ("warm_start", 3, "=3 should be text or a list, like [a,b]."),
    ],
)
def test_an_invalid_value_is_refused(config: DictConfig, key: str, value: Any, text: str) -> None:
    with pytest.raises(ProblemsError) as caught:
        read(config, **{key: value})
    assert caught.value.problems == [f"hydra.sweeper.{key}{text}"]


@pytest.mark.parametrize(
    ("value", "text"), [("max", "max"), ([], "[]"), (["maximize", "up"], '["maximize", "up"]')], ids=str
)
def test_an_invalid_direction_is_refused_in_one_sentence(config: DictConfig, value: Any, text: str) -> None:
    with pytest.raises(ProblemsError) as caught:
        read(config, direction=value)
    assert caught.value.problems == [
        f"hydra.sweeper.direction={text} should be minimize or maximize, or a list of them with one for each metric."
    ]


def test_all_problems_are_reported_together(config: DictConfig) -> None:
    with pytest.raises(ProblemsError) as caught:
        read(config, n_jobs=0, repeats=0)
    keys = [problem.partition("=")[0] for problem in caught.value.problems]
    assert keys == ["hydra.sweeper.n_jobs", "hydra.sweeper.repeats"]


def test_an_unknown_key_is_refused_with_the_nearest_one(config: DictConfig) -> None:
    changed = OmegaConf.create({"hydra": {"sweeper": OmegaConf.to_container(config.hydra.sweeper)}})
    changed.hydra.sweeper.patince = 3
    with pytest.raises(ProblemsError) as caught:
        settings.read_settings(changed)
    keys = ", ".join(SweepSettings.model_fields)
    assert caught.value.problems == [
        f"hydra.sweeper.patince is not a key; hydra.sweeper has {keys}. Did you mean 'patience'?"
    ]


@pytest.mark.parametrize("jobs", [1, 1000])
def test_the_threads_are_divided_by_the_jobs(config: DictConfig, jobs: int) -> None:
    threads = read(config, n_jobs=jobs).threads
    assert threads == max(1, len(os.sched_getaffinity(0)) // jobs)


def test_settings_are_immutable(config: DictConfig) -> None:
    settings_read = settings.read_settings(config)
    with pytest.raises(ValueError, match="frozen"):
        settings_read.n_jobs = 3
