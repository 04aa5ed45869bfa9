"""The study of a sweep: its samplers and pruner, and whether it belongs to the same search."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import optuna
import pytest
from omegaconf import OmegaConf
from optuna.storages import InMemoryStorage

from mlrunner.core.errors import ConfigError
from mlrunner.search import study_setup
from mlrunner.search.trial_attributes import OVERRIDES
from mlrunner.search.trial_queue import TrialQueue
from mlrunner.tracking.studies import SESSION, describe_process
from tests.support.sweeps import build_settings, finish_all, open_study, open_study_in, start_queue


def test_a_study_is_loaded_by_its_name(tmp_path: Path) -> None:
    trials = finish_all(start_queue(open_study(None, tmp_path, "one"), 3), open_study(None, tmp_path, "one"))
    assert [(trial.number, trial.params) for trial in open_study(None, tmp_path, "one").get_trials()] == trials
    assert open_study(None, tmp_path, "other").get_trials() == []


@pytest.mark.parametrize(
    ("stored", "requested", "was", "now"),
    [
        (["maximize"], ["minimize"], "maximize", "minimize"),
        (["maximize", "minimize"], ["maximize"], "maximize, minimize", "maximize"),
        (["maximize", "minimize"], ["minimize", "maximize"], "maximize, minimize", "minimize, maximize"),
    ],
    ids=["other", "fewer", "order"],
)
def test_other_directions_are_refused(stored: Any, requested: Any, was: str, now: str) -> None:
    storage = InMemoryStorage()
    for _ in range(2):  # created, and loaded
        study = study_setup.open_study(storage, "mine", stored, build_settings())
        assert [direction.name.lower() for direction in study.directions] == stored
    with pytest.raises(ConfigError) as caught:
        study_setup.open_study(storage, "mine", requested, build_settings())
    assert str(caught.value) == (
        f"hydra.sweeper.study_name=mine has the direction {was}, not {now}; choose another name, or the direction of "
        "the study."
    )


def test_a_sweep_whose_study_is_gone_does_not_begin_anew(tmp_path: Path) -> None:
    storage, folder = InMemoryStorage(), tmp_path / "sweep"
    study_setup.refuse_lost_study(storage, "mine", folder)
    folder.mkdir()
    (folder / study_setup.MULTIRUN).touch()
    with pytest.raises(ConfigError, match=r"study mine is gone: .*/sweep holds a sweep, but hydra\.sweeper\.st"):
        study_setup.refuse_lost_study(storage, "mine", folder)
    open_study_in(storage, "mine")
    study_setup.refuse_lost_study(storage, "mine", folder)


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
    trial.set_user_attr(OVERRIDES, [])
    return True


def die_while_drawn(trial: optuna.Trial) -> bool:
    trial.suggest_float("rate", 0.01, 1, log=True)
    return True


def search(home: Path, name: str, limits: list[int], seed: int = 0, dies: Any = None) -> Params:
    """Search in one session for each limit, each with its own storage; a first one `dies` in the fourth trial."""
    settings = build_settings(sampler=SAMPLERS[name])
    draws: Params = []
    for limit in limits:
        study = open_study(None, home, name, sampler=SAMPLERS[name])
        queue = start_sampling(study, limit, settings, seed)
        queue.recover()
        while (trial := queue.take(dies if dies and len(draws) == 3 else suggest)) is not None:
            if dies and len(draws) == 3:  # its process is killed
                dies = trial.set_user_attr("session", "gone")
                break
            draws.append(trial.params)
            study.tell(trial, trial.params["share"] - abs(trial.params["depth"] - 20) / 50)
        queue.close()
    return draws


@pytest.mark.parametrize("name", SAMPLERS)
def test_an_interrupted_search_draws_what_it_would_have_drawn(name: str, tmp_path: Path) -> None:
    whole = search(tmp_path / "whole", name, [8])
    assert len({str(params) for params in whole}) == 8
    assert search(tmp_path / "parts", name, [1, 3, 8]) == whole
    assert search(tmp_path / "lost", name, [6, 8], dies=suggest) == whole  # the lost trial is repeated
    if name != "qmc":  # whose points are counted in the study, also those of a trial that was not drawn wholly
        assert search(tmp_path / "half", name, [6, 8], dies=die_while_drawn) == whole


def test_qmc_spreads_its_points_evenly_and_differently_for_each_seed() -> None:
    """The first trial is drawn by itself; the points of a Sobol sequence after it fall into a sixteenth each."""
    settings = build_settings(sampler=SAMPLERS["qmc"])
    points = []
    for seed in (0, 1):
        study = open_study_in(InMemoryStorage(), f"qmc{seed}", sampler=SAMPLERS["qmc"])
        points.append([params["x"] for _, params in finish_all(start_sampling(study, 17, settings, seed), study)])
        assert sorted(int(point * 16) for point in points[-1][1:]) == list(range(16))
    assert not set(points[0]) & set(points[1])


def draw(settings: Any, seed: int, number: int) -> float:
    study = study_setup.open_study(InMemoryStorage(), "draws", ["maximize"], settings)
    study.sampler = study_setup.build_sampler(settings, seed, number)
    return study.ask().suggest_float("x", 0, 1)


def test_the_seed_of_the_sampler_wins_over_that_of_the_sweep() -> None:
    own, none = (build_settings(sampler=configure_sampler("Random", seed=seed)) for seed in (5, None))
    assert draw(own, 0, 3) == draw(own, 1, 3) == draw(none, 5, 3)
    assert draw(none, 0, 3) != draw(none, 5, 3)
    assert draw(build_settings(sampler=configure_sampler("Random", seed=0)), 7, 3) == draw(none, 0, 3)


@pytest.mark.parametrize("name", SAMPLERS)
def test_another_seed_draws_other_values(name: str) -> None:
    settings = build_settings(sampler=SAMPLERS[name])
    assert draw(settings, 0, 3) != draw(settings, 1, 3)


def test_each_trial_draws_other_values_with_any_seed() -> None:
    assert len({draw(build_settings(), seed, number) for seed in range(3) for number in range(20)}) == 60
    assert 0 <= draw(build_settings(), 2**32 - 1, 10**6) <= 1


def test_null_stands_for_the_default_of_optuna() -> None:
    settings = build_settings(sampler=configure_sampler("TPE", consider_prior=None, multivariate=None))
    assert isinstance(study_setup.build_sampler(settings, 0, 0), optuna.samplers.TPESampler)


@pytest.mark.parametrize(
    ("sampler", "cause"),
    [
        (configure_sampler("TPE", n_startup=3), "TPESampler.__init__() got an unexpected keyword argument 'n_startup'"),
        (
            configure_sampler("QMC", qmc_type="sobbel"),
            "The `qmc_type='sobbel'` is invalid. Choose either `halton` or `sobol`",
        ),
    ],
    ids=["key", "value"],
)
def test_a_sampler_that_optuna_refuses(sampler: dict[str, Any], cause: str) -> None:
    with pytest.raises(ConfigError) as caught:
        study_setup.build_sampler(build_settings(sampler=sampler), 0, 0)
    assert str(caught.value) == f"Optuna refuses hydra.sweeper.sampler ({cause}); see its documentation."


def test_a_pruner_that_optuna_refuses() -> None:
    settings = build_settings(pruner={"_target_": "optuna.pruners.PercentilePruner", "percentile": 120})
    with pytest.raises(ConfigError) as caught:
        study_setup.open_study(InMemoryStorage(), "any", ["maximize"], settings)
    assert str(caught.value) == (
        "Optuna refuses hydra.sweeper.pruner (Percentile must be between 0 and 100 inclusive, but got "
        "percentile=120); see its documentation."
    )


def test_the_study_has_the_pruner() -> None:
    settings = build_settings(pruner={"_target_": "optuna.pruners.WilcoxonPruner"})
    study = study_setup.open_study(InMemoryStorage(), "any", ["maximize"], settings)
    assert type(study.pruner) is optuna.pruners.WilcoxonPruner


@pytest.mark.parametrize("is_begun", [False, True])
def test_a_search_that_was_refused_leaves_neither_study_nor_folder(is_begun: bool, tmp_path: Path) -> None:
    """Unless it has begun (L17)."""
    storage, journal, folder = InMemoryStorage(), tmp_path / "refused.journal", tmp_path / "day" / "time"
    journal.touch()
    study = optuna.create_study(study_name="refused", storage=storage)
    config = OmegaConf.create({"hydra": {"sweep": {"dir": str(folder)}}})
    assert study_setup.choose_folder(study, config) == folder
    study.set_user_attr(f"{SESSION}:own", {**describe_process(), "closed": True})
    if is_begun:
        study.set_user_attr(study_setup.SEARCH_ATTRIBUTE, {})
    undo = study_setup.discard_when_refused(study, storage, folder, journal, nullcontext())
    with pytest.raises(ConfigError), undo:
        raise ConfigError("refused")
    assert bool(optuna.get_all_study_names(storage)) == folder.exists() == journal.exists() == is_begun
