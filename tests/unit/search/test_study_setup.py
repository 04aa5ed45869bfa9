"""The study of a sweep: its samplers and pruner, and whether it belongs to the same search."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution, distribution_to_json
from optuna.storages import InMemoryStorage

from mlrunner.core.errors import ConfigError, ProblemsError
from mlrunner.search import study_setup
from mlrunner.search.trial_queue import TrialQueue
from mlrunner.tracking import studies
from tests.support.sweeps import (
    build_settings,
    close_all,
    finish_all,
    open_study,
    open_study_in,
    start_queue,
)


@pytest.fixture(autouse=True)
def _close_studies() -> Iterator[None]:
    yield
    close_all()


def test_a_study_is_loaded_by_its_name(tmp_path: Path) -> None:
    trials = finish_all(start_queue(open_study(None, tmp_path, "one"), 3), open_study(None, tmp_path, "one"))
    assert [(trial.number, trial.params) for trial in open_study(None, tmp_path, "one").get_trials()] == trials
    assert open_study(None, tmp_path, "other").get_trials() == []


@pytest.mark.parametrize(
    ("stored", "requested", "was", "now"),
    [
        (["maximize"], ["minimize"], "maximize", "minimize"),
        (["maximize", "minimize"], ["maximize"], "maximize, minimize", "maximize"),
        (["maximize"], ["maximize", "minimize"], "maximize", "maximize, minimize"),
        (["maximize", "minimize"], ["minimize", "maximize"], "maximize, minimize", "minimize, maximize"),
    ],
    ids=["other", "fewer", "more", "order"],
)
def test_other_directions_are_refused(stored: Any, requested: Any, was: str, now: str) -> None:
    storage = InMemoryStorage()
    study_setup.open_study(storage, "mine", stored, build_settings())
    with pytest.raises(ConfigError) as caught:
        study_setup.open_study(storage, "mine", requested, build_settings())
    assert str(caught.value) == (
        f"hydra.sweeper.study_name=mine has the direction {was}, not {now}; choose another name, or the direction of "
        "the study."
    )


@pytest.mark.parametrize("directions", [["minimize"], ["maximize", "minimize"]])
def test_a_study_keeps_its_directions(directions: Any, tmp_path: Path) -> None:
    storage = studies.open_storage(None, tmp_path, "mine")
    for _ in range(2):
        study = study_setup.open_study(storage, "mine", directions, build_settings())
        assert [direction.name.lower() for direction in study.directions] == directions


def configure_sampler(name: str, **settings: Any) -> dict[str, Any]:
    return {"_target_": f"optuna.samplers.{name}Sampler", "seed": None, **settings}


QUIET = {"warn_independent_sampling": False}
SAMPLERS = {
    "tpe": configure_sampler("TPE", n_startup_trials=4, constant_liar=True, multivariate=None),
    "random": configure_sampler("Random"),
    "cmaes": configure_sampler("CmaEs", n_startup_trials=1, **QUIET),
    "nsgaii": configure_sampler("NSGAII", population_size=4),
    "qmc": configure_sampler("QMC", scramble=True, warn_asynchronous_seeding=False, **QUIET),
}
Params = list[dict[str, Any]]


def start_sampling(study: optuna.Study, limit: int, settings: Any, seed: int = 0) -> TrialQueue:
    return start_queue(study, limit, lambda number: study_setup.build_sampler(settings, seed, number))


def suggest(trial: optuna.Trial) -> bool:
    trial.suggest_float("rate", 0.01, 1, log=True)
    trial.suggest_float("share", 0, 1)
    trial.suggest_int("depth", 1, 50)
    return True


def search(home: Path, name: str, limits: list[int], seed: int = 0, loses_trial: bool = False) -> Params:
    """Search in one session for each limit, each with its own storage."""
    settings = build_settings(sampler=SAMPLERS[name])
    draws: Params = []
    for limit in limits:
        study = open_study(None, home, name, sampler=SAMPLERS[name])
        queue = start_sampling(study, limit, settings, seed)
        queue.recover()
        while (trial := queue.take(suggest)) is not None:
            draws.append(trial.params)
            if loses_trial and trial.number == 3:  # its process is killed
                trial.set_user_attr("session", "gone")
                break
            study.tell(trial, trial.params["share"] - abs(trial.params["depth"] - 20) / 50)
        queue.close()
    return draws


@pytest.mark.parametrize("name", SAMPLERS)
def test_an_interrupted_search_draws_what_it_would_have_drawn(name: str, tmp_path: Path) -> None:
    whole = search(tmp_path / "whole", name, [14])
    assert len({str(params) for params in whole}) == 14
    assert search(tmp_path / "parts", name, [1, 3, 4, 9, 14]) == whole


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_lost_trial_is_repeated_with_its_parameters(name: str, tmp_path: Path) -> None:
    whole = search(tmp_path / "whole", name, [4])
    parts = search(tmp_path / "parts", name, [6, 6], loses_trial=True)
    assert parts[:4] == whole
    assert parts[4] == parts[3]
    assert len(parts) == 7


@pytest.mark.parametrize("name", ["tpe", "qmc"])
def test_another_seed_draws_other_values(name: str, tmp_path: Path) -> None:
    first, other = (search(tmp_path / str(seed), name, [6], seed) for seed in (0, 1))
    assert not any(params == others for params, others in zip(first, other, strict=True))


def test_qmc_spreads_its_points_evenly() -> None:
    """The first trial is drawn by itself; the points of a Sobol sequence after it fall into a sixteenth each."""
    settings = build_settings(sampler=SAMPLERS["qmc"])
    study = open_study_in(InMemoryStorage(), "qmc", sampler=SAMPLERS["qmc"])
    queue = start_sampling(study, 17, settings)
    points = [params["x"] for _, params in finish_all(queue, study)][1:]
    assert sorted(int(point * 16) for point in points) == list(range(16))


def draw(settings: Any, seed: int, number: int) -> float:
    study = study_setup.open_study(InMemoryStorage(), "draws", ["maximize"], settings)
    study.sampler = study_setup.build_sampler(settings, seed, number)
    return study.ask().suggest_float("x", 0, 1)


def test_the_seed_of_the_sampler_wins_over_that_of_the_sweep() -> None:
    own, none = (
        build_settings(sampler=configure_sampler("Random", seed=5)),
        build_settings(sampler=configure_sampler("Random")),
    )
    assert draw(own, 0, 3) == draw(own, 1, 3) == draw(none, 5, 3)
    assert draw(none, 0, 3) != draw(none, 5, 3)
    assert draw(build_settings(sampler=configure_sampler("Random", seed=0)), 7, 3) == draw(none, 0, 3)


def test_each_trial_draws_other_values() -> None:
    assert len({draw(build_settings(), seed, number) for seed in range(3) for number in range(20)}) == 60


def test_the_largest_seed_is_accepted() -> None:
    assert 0 <= draw(build_settings(), 2**32 - 1, 10**6) <= 1


def test_null_stands_for_the_default_of_optuna() -> None:
    settings = build_settings(sampler=configure_sampler("TPE", consider_prior=None, multivariate=None))
    assert isinstance(study_setup.build_sampler(settings, 0, 0), optuna.samplers.TPESampler)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"sampler": configure_sampler("TPE", n_startup=3)},
            "Optuna refuses hydra.sweeper.sampler (TPESampler.__init__() got an unexpected keyword argument "
            "'n_startup'); see its documentation.",
        ),
        (
            {"sampler": configure_sampler("QMC", qmc_type="sobbel")},
            "Optuna refuses hydra.sweeper.sampler (The `qmc_type='sobbel'` is invalid. Choose either `halton` or "
            "`sobol`); see its documentation.",
        ),
    ],
    ids=["key", "value"],
)
def test_a_sampler_that_optuna_refuses(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        study_setup.build_sampler(build_settings(**settings), 0, 0)
    assert str(caught.value) == message


def test_a_pruner_that_optuna_refuses() -> None:
    settings = build_settings(pruner={"_target_": "optuna.pruners.PercentilePruner", "percentile": 120})
    with pytest.raises(ConfigError) as caught:
        study_setup.open_study(InMemoryStorage(), "any", ["maximize"], settings)
    assert str(caught.value) == (
        "Optuna refuses hydra.sweeper.pruner (Percentile must be between 0 and 100 inclusive, but got "
        "percentile=120); see its documentation."
    )


@pytest.mark.parametrize(("name", "settings"), [("Nop", {}), ("Median", {"n_startup_trials": 2}), ("Wilcoxon", {})])
def test_the_study_has_the_pruner(name: str, settings: dict[str, Any]) -> None:
    pruner = {"_target_": f"optuna.pruners.{name}Pruner", **settings}
    study = study_setup.open_study(InMemoryStorage(), "any", ["maximize"], build_settings(pruner=pruner))
    assert type(study.pruner).__name__ == f"{name}Pruner"


RATE, DEPTH = FloatDistribution(0.01, 1, log=True), IntDistribution(1, 9)


def describe(**changed: Any) -> dict[str, Any]:
    dimensions = {
        "rf:model.estimator.max_depth": DEPTH,
        "model.estimator.learning_rate": RATE,
        "cleaning": CategoricalDistribution(["full", "none"]),
        **changed.pop("dimensions", {}),
    }
    texts = {key: distribution_to_json(value) for key, value in dimensions.items() if value is not None}
    space = {"fixed": changed.pop("fixed", ["dataset=olist", "seed=1"]), "dimensions": texts, "exclude": []}
    search = {"space": space, "metric": {"r2": "maximize"}, "repeats": 1, "data": {"olist": "abc"}}
    return {**search, **changed}


CHANGES = [
    pytest.param({}, [], id="nothing"),
    pytest.param({"fixed": ["seed=1", "dataset=olist"]}, [], id="order"),
    pytest.param({"data": {"olist": "abd"}}, ["data was olist abc and is olist abd"], id="data"),
    pytest.param(
        {"data": {"olist": "abc", "wine": "1"}}, ["data was olist abc and is olist abc, wine 1"], id="more data"
    ),
    pytest.param({"metric": {"rmse": "minimize"}}, ["metric was r2 maximize and is rmse minimize"], id="metric"),
    pytest.param({"repeats": 5}, ["repeats was 1 and is 5"], id="repeats"),
    pytest.param(
        {"dimensions": {"rf:model.estimator.max_depth": IntDistribution(1, 12)}},
        [
            "rf:model.estimator.max_depth was Int(high=9, log=False, low=1, step=1) and is "
            "Int(high=12, log=False, low=1, step=1)"
        ],
        id="range",
    ),
    pytest.param(
        {"dimensions": {"cleaning": CategoricalDistribution(["full"])}},
        ["cleaning was Categorical(choices=('full', 'none')) and is Categorical(choices=('full',))"],
        id="choices",
    ),
    pytest.param(
        {"dimensions": {"model.estimator.learning_rate": None}},
        ["model.estimator.learning_rate was Float(high=1.0, log=True, low=0.01, step=None) and is not searched"],
        id="dimension gone",
    ),
    pytest.param(
        {"dimensions": {"x": DEPTH}},
        ["x was not searched and is Int(high=9, log=False, low=1, step=1)"],
        id="dimension",
    ),
    pytest.param(
        {"fixed": ["dataset=olist", "seed=2"]}, ["seed=1 is gone", "seed=2 is new"], id="fixed"
    ),
    pytest.param(
        {"fixed": ["seed=1"], "repeats": 2}, ["repeats was 1 and is 2", "dataset=olist is gone"], id="several"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "sentences"), CHANGES)
def test_changes_of_a_search_are_refused(changed: dict[str, Any], sentences: list[str], tmp_path: Path) -> None:
    open_study(None, tmp_path, "mine").set_user_attr(study_setup.SEARCH_ATTRIBUTE, describe())
    study, now = open_study(None, tmp_path, "mine"), describe(**changed)
    assert study_setup.list_changes(study, now) == sentences
    study_setup.refuse_changes(study, now, is_allowed=True)
    if not sentences:
        study_setup.refuse_changes(study, now, is_allowed=False)
        return
    with pytest.raises(ProblemsError) as caught:
        study_setup.refuse_changes(study, now, is_allowed=False)
    hint = "choose another hydra.sweeper.study_name, or accept it with hydra.sweeper.allow_changes=true."
    assert caught.value.problems == [f"study mine: {sentence}; {hint}" for sentence in sentences]


def test_a_study_without_a_description_is_accepted(tmp_path: Path) -> None:
    study = open_study(None, tmp_path, "bare")
    assert study_setup.list_changes(study, describe()) == []
    study_setup.refuse_changes(study, describe(), is_allowed=False)


@pytest.mark.parametrize("text", ["output=json", "tracking.plots=false", "threads=1"])
def test_an_irrelevant_override_is_no_change(text: str, tmp_path: Path) -> None:
    study = open_study(None, tmp_path, "mine")
    study.set_user_attr(study_setup.SEARCH_ATTRIBUTE, describe())
    assert study_setup.list_changes(study, describe(fixed=["dataset=olist", "seed=1", text])) == []
