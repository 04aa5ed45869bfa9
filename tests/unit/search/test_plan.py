"""The plan of a search, and its first trials."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from hydra.core.utils import setup_globals
from omegaconf import OmegaConf

from mlrunner.core.errors import ConfigError
from mlrunner.search.plan import draw_first_trials, read_config_flags
from mlrunner.search.sampler_config import GridSamplerConfig
from mlrunner.search.search_factory import make_sampler_factory
from tests.support.search import HydraSweep, open_hydra

ALPHA, DEPTH = "model.estimator.alpha", "model.estimator.max_depth"
FIXED = ("sweep=optuna", "dataset=diabetes")


@pytest.fixture(scope="module")
def hydra(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HydraSweep]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLRUNNER_HOME", str(tmp_path_factory.mktemp("home")))
        setup_globals()
        yield open_hydra(*FIXED)


@pytest.fixture
def home(hydra: HydraSweep) -> Path:
    return Path(str(hydra.config.home))


def test_a_plan_holds_what_would_be_done(hydra: HydraSweep, home: Path) -> None:
    plan, preparer = hydra.plan("model=ridge,dummy", n_trials=7, repeats=3)
    assert (plan.limit, plan.home) == (7, home)
    assert (plan.objectives.metrics, plan.objectives.directions) == (("r2",), ("maximize",))
    assert plan.space.models == ["ridge", "dummy"]
    assert plan.first.overrides[:3] == (*FIXED, "model=ridge")
    assert [checked.composition.settings.seed for checked in plan.first.repeats] == [0, 1, 2]
    assert plan.first.launch.shared == FIXED
    assert preparer.fingerprints == {"diabetes": plan.first.repeats[0].data.fingerprint}


def test_a_plan_starts_nothing(hydra: HydraSweep, home: Path) -> None:
    hydra.plan("model=ridge,dummy")
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    ("overrides", "values", "sentence"),
    [
        (["model=ridge"], {"direction": "minimize"}, "hydra.sweeper.direction=minimize contradicts r2, whose"),
        (["model=dummy"], {}, "nothing to search: model=dummy has no search: of its own and no range was given; add"),
        (["model=ridge"], {"n_trials": None}, "hydra.sweeper.n_trials is null, which only a grid allows;"),
        (
            ["model=ridge"],
            {"warm_start": "soon"},
            "hydra.sweeper.warm_start=soon is not a finished sweep; give its folder",
        ),
        (["model=ridge"], {"warm_start": [f"{ALPHA}=0"]}, f"hydra.sweeper.warm_start: {ALPHA}=0 lies outside tag(log"),
    ],
    ids=["direction", "nothing", "endless", "no-sweep", "outside"],
)
def test_a_search_that_cannot_start_is_refused(
    hydra: HydraSweep, overrides: list[str], values: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        hydra.plan(*overrides, **values)
    assert str(caught.value).startswith(sentence)


def test_each_objective_has_a_direction(hydra: HydraSweep) -> None:
    plan, _ = hydra.plan("model=ridge", "objective.metric=[r2,fit_seconds]")
    assert plan.objectives.directions == ("maximize", "minimize")


def test_the_first_trials_are_reproducible(hydra: HydraSweep) -> None:
    plan, _ = hydra.plan("model=ridge", n_trials=3)
    first, second = (draw_first_trials(plan, make_sampler_factory(plan)) for _ in range(2))
    assert first == second
    assert len(first) == len(set(first)) == 3


def test_an_excluded_combination_is_not_among_the_first_trials(hydra: HydraSweep) -> None:
    plan, _ = hydra.plan("model=ridge,dummy", "cleaning=none,preprocess", exclude=["model=ridge"], n_trials=20)
    trials = draw_first_trials(plan, make_sampler_factory(plan), 20)
    assert not [overrides for overrides in trials if "model=ridge" in overrides]


def test_a_warm_start_comes_first(hydra: HydraSweep) -> None:
    plan, _ = hydra.plan("model=ridge", warm_start=[f"{ALPHA}=0.125"])
    assert f"{ALPHA}=0.125" in draw_first_trials(plan, make_sampler_factory(plan))[0]


def test_the_first_trials_of_a_grid_are_in_its_order(hydra: HydraSweep) -> None:
    overrides = ["model=ridge,dummy", f"{ALPHA}=1,2", "cleaning=none,preprocess"]
    plan, _ = hydra.plan(*overrides, n_trials=None, sampler=GridSamplerConfig())
    assert plan.limit == 6
    trials = [overrides[len(FIXED) :] for overrides in draw_first_trials(plan, make_sampler_factory(plan), 10)]
    assert trials == [
        ("model=ridge", "cleaning=none", f"{ALPHA}=1"),
        ("model=ridge", "cleaning=none", f"{ALPHA}=2"),
        ("model=ridge", "cleaning=preprocess", f"{ALPHA}=1"),
        ("model=ridge", "cleaning=preprocess", f"{ALPHA}=2"),
        ("model=dummy", "cleaning=none"),
        ("model=dummy", "cleaning=preprocess"),
    ]


def test_drawing_trials_writes_nothing(hydra: HydraSweep, home: Path) -> None:
    plan, _ = hydra.plan("model=ridge")
    draw_first_trials(plan, make_sampler_factory(plan))
    assert optuna.logging.get_verbosity() == optuna.logging.ERROR
    assert not (home / ".mlrunner").exists()


def test_a_plan_holds_the_flag_of_a_folder_of_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sources = [{"provider": "main", "path": "/conf"}, {"provider": "command-line", "path": str(tmp_path / "mine")}]
    config = OmegaConf.create({"hydra": {"runtime": {"config_sources": sources}}})
    assert read_config_flags(config) == ("-cd", "mine")
    config.hydra.runtime.config_sources = sources[:1]
    assert read_config_flags(config) == ()
