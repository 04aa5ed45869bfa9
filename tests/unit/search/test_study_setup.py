"""The study of a sweep: where it is kept, who draws, and whether it is still the same search."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import optuna
import psutil
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution, distribution_to_json
from optuna.storages import InMemoryStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalRedisBackend

from mlrunner.core.errors import ConfigError, MlrunnerError, ProblemsError, StoreError
from mlrunner.search import study_setup
from mlrunner.search.trial_queue import Claims
from mlrunner.tracking import studies
from mlrunner.tracking.records import journal_of
from tests.unit.search.test_trial_queue import SERVICES, claiming, let_go, opened, session_of, together, told, work

HINT = (
    "correct it (sqlite:///file.db, postgresql+psycopg://, mysql+pymysql://, redis://, a file.journal), or leave it "
    "out."
)
CLOSED = "postgresql+psycopg://me:swordfish@127.0.0.1:1/db"


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    let_go()


def refused(error: type[MlrunnerError], address: Any, home: Path) -> str:
    with pytest.raises(error) as caught:
        studies.open_storage(address, home, "any")
    return str(caught.value)


# Storage


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("fine", "fine.journal"),
        ("2026-11-25/17-43-06-708940", "2026-11-25_17-43-06-708940.journal"),
        ("../../up", ".._.._up.journal"),
        ("with space", "with space.journal"),
    ],
)
def test_the_default_is_a_journal_in_the_project(name: str, file: str, tmp_path: Path) -> None:
    assert journal_of(tmp_path, name) == tmp_path / ".mlrunner" / "studies" / file
    study = opened(None, tmp_path, name)
    assert study.study_name == name
    assert [path.name for path in (tmp_path / ".mlrunner" / "studies").glob("*.journal")] == [file]


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("{home}/deep/er/own.journal", JournalStorage),
        ("{home}/own.log", JournalStorage),
        ("sqlite:///{home}/own.db", RDBStorage),
        ({"_target_": "optuna.storages.InMemoryStorage"}, InMemoryStorage),
    ],
    ids=["journal", "log", "sqlite", "target"],
)
def test_a_storage_is_found_by_its_name(address: Any, kind: type, tmp_path: Path) -> None:
    address = address.format(home=tmp_path) if isinstance(address, str) else address
    storage = studies.open_storage(address, tmp_path, "any")
    assert isinstance(storage, kind)
    if isinstance(storage, RDBStorage):
        storage.engine.dispose()


@pytest.mark.parametrize(
    ("error", "address", "why"),
    [
        (ConfigError, "myproject", "Could not parse SQLAlchemy URL from given URL string"),
        (ConfigError, "foo://x", "Can't load plugin: sqlalchemy.dialects:foo"),
        (
            ConfigError,
            "mysql://root@127.0.0.1/test",
            "Failed to import DB access module for the specified storage URL. Please install appropriate one",
        ),
        (StoreError, "sqlite:////nowhere/at/all.db", "(sqlite3.OperationalError) unable to open database file"),
    ],
    ids=["no address", "no dialect", "no driver", "no folder"],
)
def test_a_storage_that_is_none_is_refused(error: type[MlrunnerError], address: str, why: str, tmp_path: Path) -> None:
    assert refused(error, address, tmp_path) == f"hydra.sweeper.storage={address} does not open: {why}; {HINT}"


@pytest.mark.filterwarnings("ignore:JournalRedisBackend is experimental")
@pytest.mark.parametrize(
    "address", [CLOSED, "mysql+pymysql://me:swordfish@127.0.0.1:1/db", "redis://:swordfish@127.0.0.1:1"]
)
def test_a_server_that_does_not_answer_is_told_without_the_password(address: str, tmp_path: Path) -> None:
    said = refused(StoreError, address, tmp_path)
    assert said.startswith(f"hydra.sweeper.storage={address.replace('swordfish', '***')} does not open: ")
    assert "swordfish" not in said
    assert "refused" in said
    assert "\n" not in said


def test_a_storage_class_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "nope.Storage" in refused(ConfigError, {"_target_": "nope.Storage"}, tmp_path)


@pytest.mark.services
def test_redis_opens_without_a_warning(tmp_path: Path) -> None:
    made = SERVICES["redis"]("")
    address = next(made)
    try:
        opened(address, tmp_path, "any")
    finally:
        list(made)


@pytest.mark.parametrize("kind", ["journal", "sqlite"])
def test_a_study_is_begun_once_by_many(kind: str, tmp_path: Path) -> None:
    """The tables of a new database too."""
    address = None if kind == "journal" else f"sqlite:///{tmp_path}/new.db"
    found = together(4, lambda _: opened(address, tmp_path, "one")._study_id)
    assert len(set(found)) == 1


@pytest.mark.services
@pytest.mark.filterwarnings("ignore:JournalRedisBackend is experimental")
@pytest.mark.parametrize("kind", SERVICES)
def test_a_study_is_kept_by_a_service(kind: str, tmp_path: Path) -> None:
    made = SERVICES[kind](f"mlrunner_studies_{uuid4().hex[:8]}")
    address = next(made)
    try:
        first = opened(address, tmp_path, "kept")
        taken = work(claiming(first, 3), first)
        first.set_user_attr("folder", "/sweep é")
        again = opened(address, tmp_path, "kept")
        assert [(one.number, one.params) for one in again.get_trials()] == taken
        assert again.user_attrs["folder"] == "/sweep é"
        assert isinstance(again._storage, JournalStorage) is (kind == "redis")
        if isinstance(again._storage, JournalStorage):
            assert isinstance(again._storage._backend, JournalRedisBackend)
    finally:
        let_go()
        list(made)


# Study


def test_a_study_is_found_again(tmp_path: Path) -> None:
    taken = work(claiming(opened(None, tmp_path, "one"), 3), opened(None, tmp_path, "one"))
    assert [(one.number, one.params) for one in opened(None, tmp_path, "one").get_trials()] == taken
    assert opened(None, tmp_path, "other").get_trials() == []


@pytest.mark.parametrize(
    ("begun", "asked", "was", "now"),
    [
        (["maximize"], ["minimize"], "maximize", "minimize"),
        (["maximize", "minimize"], ["maximize"], "maximize, minimize", "maximize"),
        (["maximize"], ["maximize", "minimize"], "maximize", "maximize, minimize"),
        (["maximize", "minimize"], ["minimize", "maximize"], "maximize, minimize", "minimize, maximize"),
    ],
    ids=["other", "fewer", "more", "order"],
)
def test_other_directions_are_refused(begun: Any, asked: Any, was: str, now: str) -> None:
    storage = InMemoryStorage()
    study_setup.open_study(storage, "mine", begun, told())
    with pytest.raises(ConfigError) as caught:
        study_setup.open_study(storage, "mine", asked, told())
    assert str(caught.value) == (
        f"hydra.sweeper.study_name=mine searched with direction {was}, and not {now}; choose another name, or the "
        "direction that it has."
    )


@pytest.mark.parametrize("directions", [["minimize"], ["maximize", "minimize"]])
def test_the_directions_are_kept(directions: Any, tmp_path: Path) -> None:
    storage = studies.open_storage(None, tmp_path, "mine")
    for _ in range(2):
        study = study_setup.open_study(storage, "mine", directions, told())
        assert [one.name.lower() for one in study.directions] == directions


def test_the_folder_of_a_study(tmp_path: Path) -> None:
    study = opened(None, tmp_path, "day/time")
    assert studies.folder_of("day/time", tmp_path) is None
    study.set_user_attr("folder", "/multirun/day/time")
    assert studies.folder_of("day/time", tmp_path) == "/multirun/day/time"


# Sampler and pruner


def sampler(name: str, **settings: Any) -> dict[str, Any]:
    return {"_target_": f"optuna.samplers.{name}Sampler", "seed": None, **settings}


QUIET = {"warn_independent_sampling": False}
SAMPLERS = {
    "tpe": sampler("TPE", n_startup_trials=4, constant_liar=True, multivariate=None),
    "random": sampler("Random"),
    "cmaes": sampler("CmaEs", n_startup_trials=1, **QUIET),
    "nsgaii": sampler("NSGAII", population_size=4),
    "qmc": sampler("QMC", scramble=True, warn_asynchronous_seeding=False, **QUIET),
}
Params = list[dict[str, Any]]


def claims_of(study: optuna.Study, limit: int, settings: Any, seed: int = 0) -> Claims:
    return session_of(study, limit, lambda number: study_setup.sampler(settings, seed, number))


def choose(trial: optuna.Trial) -> bool:
    trial.suggest_float("rate", 0.01, 1, log=True)
    trial.suggest_float("share", 0, 1)
    trial.suggest_int("depth", 1, 50)
    return True


def searched(home: Path, name: str, limits: list[int], seed: int = 0, loses: bool = False) -> Params:
    """Search in as many sessions as there are limits, each with a storage of its own."""
    settings = told(sampler=SAMPLERS[name])
    found: Params = []
    for limit in limits:
        study = opened(None, home, name, sampler=SAMPLERS[name])
        taking = claims_of(study, limit, settings, seed)
        taking.mend()
        while (trial := taking.take(choose)) is not None:
            found.append(trial.params)
            if loses and trial.number == 3:  # its process is killed
                trial.set_user_attr("session", "gone")
                break
            study.tell(trial, trial.params["share"] - abs(trial.params["depth"] - 20) / 50)
        taking.close()
    return found


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_search_that_was_interrupted_draws_what_it_would_have_drawn(name: str, tmp_path: Path) -> None:
    whole = searched(tmp_path / "whole", name, [14])
    assert len({str(params) for params in whole}) == 14
    assert searched(tmp_path / "parts", name, [1, 3, 4, 9, 14]) == whole


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_trial_that_was_lost_is_drawn_again_as_it_was(name: str, tmp_path: Path) -> None:
    whole = searched(tmp_path / "whole", name, [4])
    parts = searched(tmp_path / "parts", name, [6, 6], loses=True)
    assert parts[:4] == whole
    assert parts[4] == parts[3]
    assert len(parts) == 7


@pytest.mark.parametrize("name", SAMPLERS)
def test_another_seed_draws_otherwise(name: str, tmp_path: Path) -> None:
    first, other = (searched(tmp_path / str(seed), name, [6], seed) for seed in (0, 1))
    assert not any(one == two for one, two in zip(first, other, strict=True))


def test_qmc_spreads_its_points_evenly() -> None:
    """The first trial is drawn by itself; the points of a Sobol sequence after it fall into a sixteenth each."""
    settings = told(sampler=SAMPLERS["qmc"])
    study = study_setup.open_study(InMemoryStorage(), "qmc", ["maximize"], settings)
    taking = claims_of(study, 17, settings)
    points = [params["x"] for _, params in work(taking, study)][1:]
    assert sorted(int(one * 16) for one in points) == list(range(16))


def drawn(settings: Any, seed: int, number: int) -> float:
    study = study_setup.open_study(InMemoryStorage(), "drawn", ["maximize"], settings)
    study.sampler = study_setup.sampler(settings, seed, number)
    return study.ask().suggest_float("x", 0, 1)


def test_the_seed_of_the_sampler_wins_over_that_of_the_sweep() -> None:
    own, none = told(sampler=sampler("Random", seed=5)), told(sampler=sampler("Random"))
    assert drawn(own, 0, 3) == drawn(own, 1, 3) == drawn(none, 5, 3)
    assert drawn(none, 0, 3) != drawn(none, 5, 3)
    assert drawn(told(sampler=sampler("Random", seed=0)), 7, 3) == drawn(none, 0, 3)


def test_each_number_draws_otherwise() -> None:
    assert len({drawn(told(), seed, number) for seed in range(3) for number in range(20)}) == 60


def test_the_largest_seed_is_taken() -> None:
    assert 0 <= drawn(told(), 2**32 - 1, 10**6) <= 1


def test_what_a_field_calls_null_is_the_librarys_default() -> None:
    settings = told(sampler=sampler("TPE", consider_prior=None, multivariate=None))
    assert isinstance(study_setup.sampler(settings, 0, 0), optuna.samplers.TPESampler)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"sampler": sampler("TPE", n_startup=3)},
            "hydra.sweeper.sampler is refused by Optuna (TPESampler.__init__() got an unexpected keyword argument "
            "'n_startup'); see its documentation.",
        ),
        (
            {"sampler": sampler("QMC", qmc_type="sobbel")},
            "hydra.sweeper.sampler is refused by Optuna (The `qmc_type='sobbel'` is invalid. Choose either `halton` or "
            "`sobol`); see its documentation.",
        ),
    ],
    ids=["key", "value"],
)
def test_a_sampler_that_optuna_refuses(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        study_setup.sampler(told(**settings), 0, 0)
    assert str(caught.value) == message


def test_a_pruner_that_optuna_refuses() -> None:
    settings = told(pruner={"_target_": "optuna.pruners.PercentilePruner", "percentile": 120})
    with pytest.raises(ConfigError) as caught:
        study_setup.open_study(InMemoryStorage(), "any", ["maximize"], settings)
    assert str(caught.value) == (
        "hydra.sweeper.pruner is refused by Optuna (Percentile must be between 0 and 100 inclusive, but got "
        "percentile=120); see its documentation."
    )


@pytest.mark.parametrize(("name", "settings"), [("Nop", {}), ("Median", {"n_startup_trials": 2}), ("Wilcoxon", {})])
def test_the_pruner_is_the_studys(name: str, settings: dict[str, Any]) -> None:
    told_pruner = {"_target_": f"optuna.pruners.{name}Pruner", **settings}
    study = study_setup.open_study(InMemoryStorage(), "any", ["maximize"], told(pruner=told_pruner))
    assert type(study.pruner).__name__ == f"{name}Pruner"


# The same search


RATE, DEPTH = FloatDistribution(0.01, 1, log=True), IntDistribution(1, 9)


def described(**changed: Any) -> dict[str, Any]:
    dimensions = {
        "rf:model.estimator.max_depth": DEPTH,
        "model.estimator.learning_rate": RATE,
        "cleaning": CategoricalDistribution(["full", "none"]),
        **changed.pop("dimensions", {}),
    }
    kept = {key: distribution_to_json(one) for key, one in dimensions.items() if one is not None}
    space = {"fixed": changed.pop("fixed", ["dataset=olist", "seed=1"]), "dimensions": kept, "exclude": []}
    told = {"space": space, "metric": {"r2": "maximize"}, "repeats": 1, "data": {"olist": "abc"}}
    return {**told, **changed}


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
def test_what_has_changed_is_told(changed: dict[str, Any], sentences: list[str], tmp_path: Path) -> None:
    opened(None, tmp_path, "mine").set_user_attr(study_setup.META, described())
    study, now = opened(None, tmp_path, "mine"), described(**changed)
    assert study_setup.changes(study, now) == sentences
    study_setup.refuse_changes(study, now, allowed=True)
    if not sentences:
        study_setup.refuse_changes(study, now, allowed=False)
        return
    with pytest.raises(ProblemsError) as caught:
        study_setup.refuse_changes(study, now, allowed=False)
    hint = "choose another hydra.sweeper.study_name, or accept it with hydra.sweeper.allow_changes=true."
    assert caught.value.problems == [f"study mine: {one}; {hint}" for one in sentences]


def test_a_study_that_says_nothing_of_itself_is_taken(tmp_path: Path) -> None:
    study = opened(None, tmp_path, "bare")
    assert study_setup.changes(study, described()) == []
    study_setup.refuse_changes(study, described(), allowed=False)


@pytest.mark.parametrize("text", ["output=json", "tracking.plots=false", "threads=1"])
def test_what_changes_nothing_of_the_result_is_no_change(text: str, tmp_path: Path) -> None:
    study = opened(None, tmp_path, "mine")
    study.set_user_attr(study_setup.META, described())
    assert study_setup.changes(study, described(fixed=["dataset=olist", "seed=1", text])) == []


def test_the_owner_is_this_process() -> None:
    found = studies.owner()
    assert (found["host"], found["pid"]) == (socket.gethostname(), os.getpid())
    assert found["born"] == psutil.Process().create_time()
    assert found["seen"] == pytest.approx(time.time(), abs=5)
