"""The values of `hydra.sweeper`, checked; what a search is for, and how many trials it has."""

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
from mlrunner.composition import Objective
from mlrunner.core.errors import ConfigError, ProblemsError
from mlrunner.search import settings
from mlrunner.search.objective import Goal, goal_of, limit_of
from mlrunner.search.settings import SweepSettings
from mlrunner.search.space import Space
from mlrunner.search.space_reader import read as read_space
from mlrunner.search.sweeper_config import OPTIONS, OptunaSweeperConf
from mlrunner.search.trial import Found
from tests.support.front_door import PROJECT

DEFAULT = {"regression": "r2", "classification": "accuracy"}
PRESETS = sorted(path.stem for path in (PROJECT / "conf" / "sweep").glob("*.yaml"))
SAMPLERS = sorted(OPTIONS["hydra/sweeper/sampler"])
PRUNERS = sorted(OPTIONS["hydra/sweeper/pruner"])


@pytest.fixture(scope="module")
def hydra() -> Iterator[None]:
    register_sweeper()
    with initialize_config_dir(str(PROJECT / "conf"), version_base="1.3"):
        yield


def composed(*overrides: str) -> DictConfig:
    """Compose the whole of it, Hydra's own node as well."""
    return compose("config", list(overrides), return_hydra_config=True)


@pytest.fixture(scope="module")
def config(hydra: None) -> DictConfig:  # noqa: ARG001 - only open
    return composed("sweep=optuna")


def read(config: DictConfig, **values: Any) -> SweepSettings:
    """Read the preset's keys, and these."""
    changed = copy.deepcopy(config)
    with open_dict(changed):
        changed.hydra.sweeper.update(values)
    return settings.read(changed)


# The keys


def test_the_keys_are_those_that_hydra_is_told() -> None:
    fields = {name for name in OptunaSweeperConf.__dataclass_fields__ if not name.startswith("_")}
    assert set(SweepSettings.model_fields) == fields - {"defaults", "search_space"}


def test_the_defaults_are_those_of_the_official_plugin_and_no_more() -> None:
    conf = OptunaSweeperConf()
    assert (conf.direction, conf.storage, conf.study_name, conf.n_trials, conf.n_jobs) == (None, None, None, 20, 2)
    assert (conf.params, conf.custom_search_space) == ({}, None)
    assert conf.defaults == [{"sampler": "tpe"}, {"pruner": "none"}]
    assert (conf.exclude, conf.repeats, conf.retries, conf.refit) == ([], 1, 0, True)
    assert not any([conf.fail_fast, conf.dry_run, conf.allow_changes])


def test_the_preset_is_read(config: DictConfig) -> None:
    found = settings.read(config)
    assert (found.n_trials, found.n_jobs, found.max_failure_rate) == (20, 2, 0.5)
    assert found.sampler["_target_"] == "optuna.samplers.TPESampler"
    assert (found.is_grid, found.prunes) == (False, False)


@pytest.mark.usefixtures("hydra")
@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_sound(preset: str) -> None:
    found = settings.read(composed(f"sweep={preset}"))
    assert found.is_grid is (preset == "grid")
    assert (found.n_trials is None) is (preset == "grid")


@pytest.mark.usefixtures("hydra")
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_is_read_where_its_package_is(sampler: str) -> None:
    cfg = composed("hydra/sweeper=optuna", f"hydra/sweeper/sampler={sampler}")
    package = settings.PACKAGES.get(cfg.hydra.sweeper.sampler._target_)
    if package is None or find_spec(package) is not None:
        assert settings.read(cfg).is_grid is (sampler == "grid")
        return
    name = cfg.hydra.sweeper.sampler._target_.rpartition(".")[2]
    with pytest.raises(ConfigError) as caught:
        settings.read(cfg)
    assert str(caught.value) == (
        f"hydra/sweeper/sampler: {name} needs the package {package}, which is not installed; run pip install "
        f"{package}, or choose tpe."
    )


def test_a_sampler_without_its_package_is_refused(config: DictConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.PACKAGES, "optuna.samplers.TPESampler", "no_such_package")
    with pytest.raises(ConfigError) as caught:
        settings.read(config)
    assert str(caught.value) == (
        "hydra/sweeper/sampler: TPESampler needs the package no_such_package, which is not installed; run pip install "
        "no_such_package, or choose tpe."
    )


@pytest.mark.usefixtures("hydra")
@pytest.mark.parametrize("pruner", PRUNERS)
def test_every_pruner_but_none_prunes(pruner: str) -> None:
    found = settings.read(composed("hydra/sweeper=optuna", f"hydra/sweeper/pruner={pruner}"))
    assert found.prunes is (pruner != "none")


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("n_trials", None, None),
        ("direction", "minimize", "minimize"),
        ("direction", ["maximize", "minimize"], ["maximize", "minimize"]),
        ("storage", "sqlite:///x.db", "sqlite:///x.db"),
        ("storage", {"_target_": "optuna.storages.InMemoryStorage"}, {"_target_": "optuna.storages.InMemoryStorage"}),
        ("timeout", 5, 5.0),
        ("max_failure_rate", 1, 1.0),
        ("max_failure_rate", 0, 0.0),
        ("target", -0.5, -0.5),
        ("target", 0, 0.0),
        ("warm_start", ["model=rf", ["model=rf", "a=1"]], ["model=rf", ["model=rf", "a=1"]]),
        ("warm_start", "12-00-00", "12-00-00"),
        ("params", None, None),
        ("params", {"a.b": "range(1,5)"}, {"a.b": "range(1,5)"}),
        ("custom_search_space", "my.module.space", "my.module.space"),
        ("exclude", ["model=rf,cleaning=full"], ["model=rf,cleaning=full"]),
        ("study_name", "mine", "mine"),
        ("retries", 0, 0),
    ],
)
def test_a_possible_value(config: DictConfig, key: str, value: Any, expected: Any) -> None:
    assert getattr(read(config, **{key: value}), key) == expected


@pytest.mark.parametrize("value", [{"model.estimator.max_depth": {"type": "int", "low": 2, "high": 9}}, {}])
def test_the_form_of_hydra_1_1_is_refused_with_where_to_write_the_ranges(config: DictConfig, value: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        read(config, search_space=value)
    assert str(caught.value) == (
        "hydra.sweeper.search_space is the form of Hydra 1.1; write the ranges under hydra.sweeper.params, such as "
        "'+hydra.sweeper.params={model.estimator.max_depth: \"range(2,9)\"}'."
    )


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("n_trials", 0, "=0 should be greater than 0."),
        ("n_jobs", 0, "=0 should be greater than 0."),
        ("n_jobs", -1, "=-1 should be greater than 0."),
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
def test_an_impossible_value_is_refused(config: DictConfig, key: str, value: Any, told: str) -> None:
    with pytest.raises(ProblemsError) as caught:
        read(config, **{key: value})
    assert caught.value.problems == [f"hydra.sweeper.{key}{told}"]


@pytest.mark.parametrize(
    ("value", "told"), [("max", "max"), ([], "[]"), (["maximize", "up"], '["maximize", "up"]')], ids=str
)
def test_an_impossible_direction_is_refused_in_one_plain_sentence(config: DictConfig, value: Any, told: str) -> None:
    with pytest.raises(ProblemsError) as caught:
        read(config, direction=value)
    assert caught.value.problems == [
        f"hydra.sweeper.direction={told} should be minimize or maximize, or a list of them with one for each metric."
    ]


def test_all_mistakes_are_told_together(config: DictConfig) -> None:
    with pytest.raises(ProblemsError) as caught:
        read(config, n_jobs=0, n_trials=0, repeats=0)
    assert [one.partition("=")[0] for one in caught.value.problems] == [
        "hydra.sweeper.n_trials",
        "hydra.sweeper.n_jobs",
        "hydra.sweeper.repeats",
    ]


def test_a_key_that_is_none_is_refused_with_the_nearest(config: DictConfig) -> None:
    changed = OmegaConf.create({"hydra": {"sweeper": OmegaConf.to_container(config.hydra.sweeper)}})
    changed.hydra.sweeper.patince = 3
    with pytest.raises(ProblemsError) as caught:
        settings.read(changed)
    keys = ", ".join(SweepSettings.model_fields)
    assert caught.value.problems == [
        f"hydra.sweeper.patince is not a key; hydra.sweeper has {keys}. Did you mean 'patience'?"
    ]


def test_a_sweeper_that_holds_no_keys_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        settings.read(OmegaConf.create({"hydra": {"sweeper": ["basic"]}}))
    assert str(caught.value) == "hydra.sweeper holds no keys; choose hydra/sweeper=optuna."


@pytest.mark.parametrize("jobs", [1, 2, 1000])
def test_the_threads_of_the_machine_are_shared_out(config: DictConfig, jobs: int) -> None:
    threads = read(config, n_jobs=jobs).threads
    assert threads == max(1, len(os.sched_getaffinity(0)) // jobs)


def test_the_settings_stay_as_they_are(config: DictConfig) -> None:
    found = settings.read(config)
    with pytest.raises(ValueError, match="frozen"):
        found.n_jobs = 3


# What for


def objective(metric: str | list[str] = "r2", direction: str | None = None) -> Objective:
    return Objective.model_validate({"default": DEFAULT, "metric": metric, "direction": direction})


@pytest.mark.parametrize(
    ("said", "metric", "way", "expected"),
    [
        pytest.param(None, "r2", None, ("maximize",), id="a-score"),
        pytest.param(None, "rmse", None, ("minimize",), id="an-error"),
        pytest.param(None, "log_loss", None, ("minimize",), id="a-loss"),
        pytest.param("minimize", "rmse", None, ("minimize",), id="said"),
        pytest.param(["maximize"], "r2", None, ("maximize",), id="said-in-a-list"),
        pytest.param(None, "r2", "minimize", ("minimize",), id="turned"),
        pytest.param("minimize", "r2", "minimize", ("minimize",), id="turned-and-said"),
        pytest.param(None, ["r2", "fit_seconds"], None, ("maximize", "minimize"), id="seconds"),
        pytest.param(None, ["rmse", "r2", "score_seconds"], None, ("minimize", "maximize", "minimize"), id="three"),
        pytest.param(["maximize", "minimize"], ["r2", "fit_seconds"], None, ("maximize", "minimize"), id="both-said"),
    ],
)
def test_each_objective_has_its_direction(
    config: DictConfig, said: Any, metric: Any, way: str | None, expected: tuple[str, ...]
) -> None:
    names = (metric,) if isinstance(metric, str) else tuple(metric)
    assert goal_of(read(config, direction=said), objective(metric, way)) == Goal(names, expected)


@pytest.mark.parametrize(
    ("said", "metric", "way", "sentence"),
    [
        pytest.param(
            "minimize",
            ["r2", "fit_seconds"],
            None,
            "hydra.sweeper.direction names 1 directions, but objective.metric names 2: r2, fit_seconds; give each "
            "metric one, as in 'objective.metric=[r2,fit_seconds]' 'hydra.sweeper.direction=[maximize,minimize]'.",
            id="too-few",
        ),
        pytest.param(
            ["maximize", "minimize"],
            "r2",
            None,
            "hydra.sweeper.direction names 2 directions, but objective.metric names 1: r2; give each metric one, as in "
            "'objective.metric=[r2,fit_seconds]' 'hydra.sweeper.direction=[maximize,minimize]'.",
            id="too-many",
        ),
        pytest.param(
            "minimize",
            "r2",
            None,
            "hydra.sweeper.direction=minimize, but r2 is to maximize; leave the direction out, or set "
            "objective.direction=minimize as well.",
            id="against-the-metric",
        ),
        pytest.param(
            "maximize",
            "r2",
            "minimize",
            "hydra.sweeper.direction=maximize, but r2 is to minimize; leave the direction out, or set "
            "objective.direction=maximize as well.",
            id="against-the-objective",
        ),
        pytest.param(
            ["maximize", "maximize"],
            ["r2", "fit_seconds"],
            None,
            "hydra.sweeper.direction=maximize, but fit_seconds is to minimize; leave the direction out, or set "
            "objective.direction=maximize as well.",
            id="slower-is-better",
        ),
    ],
)
def test_directions_that_contradict_are_refused(
    config: DictConfig, said: Any, metric: Any, way: str | None, sentence: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        goal_of(read(config, direction=said), objective(metric, way))
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("direction", "one", "other", "better"),
    [("maximize", 2, 1, True), ("maximize", 1, 1, False), ("minimize", 1, 2, True), ("minimize", 2, 1, False)],
)
def test_better_goes_by_the_first_direction(direction: Any, one: float, other: float, better: bool) -> None:
    assert Goal(("r2",), (direction,)).better(one, other) is better


def test_seconds_are_objectives_too() -> None:
    found = Found(0, "COMPLETE", metrics={"r2": 0.5}, fit_seconds=2.0, score_seconds=1.0)
    values = Goal(("r2", "fit_seconds", "score_seconds", "mae"), ("maximize",) * 4).values(found)
    assert values[:3] == [0.5, 2.0, 1.0]
    assert values[3] != values[3]


# How long


def space(*typed: str, exclude: tuple[str, ...] = ()) -> Space:
    return read_space(
        list(typed), {}, lambda _fixed, _options: {"mean": {}}, searched=True, loader=None, exclude=list(exclude)
    )


@pytest.fixture(scope="module")
def grid(hydra: None) -> DictConfig:  # noqa: ARG001 - only open
    return composed("sweep=grid")


@pytest.mark.parametrize(("trials", "limit"), [(None, 6), (4, 4), (6, 6), (7, 6)])
def test_a_grid_has_no_more_trials_than_combinations(grid: DictConfig, trials: int | None, limit: int) -> None:
    assert limit_of(read(grid, n_trials=trials), space("a=1,2,3", "b=1,2")) == limit


def test_what_is_excluded_does_not_count(grid: DictConfig) -> None:
    assert limit_of(settings.read(grid), space("a=1,2,3", "b=1,2", exclude=("a=1,b=2",))) == 5


@pytest.mark.parametrize("trials", [1, 5, 1000])
def test_a_search_has_its_trials_whatever_the_size(config: DictConfig, trials: int) -> None:
    assert limit_of(read(config, n_trials=trials), space("a=1,2")) == trials


@pytest.mark.parametrize(
    ("is_grid", "typed", "exclude", "sentence"),
    [
        (
            False,
            ("a=1",),
            (),
            "nothing to search: model=mean has no search: of its own and no range was given; add one, such as "
            "model.estimator.alpha=tag(log,interval(0.01,10)) or model=ridge,rf.",
        ),
        (True, ("a=1,2",), ("a=*",), "hydra.sweeper.exclude leaves no combination of the grid; exclude less."),
        (
            False,
            ("a=1,2",),
            (),
            "hydra.sweeper.n_trials is null, which only a grid knows the end of; give a number.",
        ),
        (
            True,
            ("a=interval(0,1)",),
            (),
            "a=interval(0,1) has no end of values, so no grid; name some with choice(…) or range(…), or choose another "
            "hydra/sweeper/sampler.",
        ),
    ],
    ids=["nothing", "all-excluded", "no-number", "endless"],
)
def test_a_search_without_an_end_is_refused(
    config: DictConfig, grid: DictConfig, is_grid: bool, typed: tuple[str, ...], exclude: tuple[str, ...], sentence: str
) -> None:
    told = read(grid if is_grid else config, n_trials=None)
    with pytest.raises(ConfigError) as caught:
        limit_of(told, space(*typed, exclude=exclude))
    assert str(caught.value) == sentence
