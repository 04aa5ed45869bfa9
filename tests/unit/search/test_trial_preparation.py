"""Trials are composed, checked once for each data set and model, and named by what differs."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra.errors import HydraException

from mlrunner.core.errors import ConfigError, ProblemsError
from mlrunner.search.trial_preparation import PreparedTrial, TrialPreparer, make_key
from tests.support.search import HydraSweep

DATA = ("sweep=optuna", "dataset=diabetes")
RIDGE = (*DATA, "model=ridge")
ALPHA = "model.estimator.alpha"


@pytest.fixture
def preparer(diabetes_sweep: HydraSweep) -> TrialPreparer:
    return TrialPreparer(diabetes_sweep.composer, 1, DATA)


def get_config(trial: PreparedTrial) -> dict[str, Any]:
    return dict(trial.composition.config)


# One trial


def test_a_prepared_trial_holds_its_composition(preparer: TrialPreparer, diabetes_sweep: HydraSweep) -> None:
    home = Path(str(diabetes_sweep.config.home))
    preparer.parent = "the-parent"
    trial = preparer.prepare((*RIDGE, f"{ALPHA}=2"), 7)
    assert (trial.number, trial.overrides) == (7, (*RIDGE, f"{ALPHA}=2"))
    assert get_config(trial)["model"]["estimator"]["alpha"] == 2
    assert get_config(trial)["dataset"]["name"] == "diabetes"
    assert trial.composition.settings.home == home
    assert trial.composition.settings.objective.metrics == ["r2"]
    assert (trial.folder.name, trial.model_file) == ("7", trial.folder / "model.joblib")
    assert home / "multirun" in trial.folder.parents
    launch = trial.launch
    assert (launch.job, launch.parent, launch.shared) == (7, "the-parent", DATA)
    assert launch.overrides == [*RIDGE, f"{ALPHA}=2"]
    assert (launch.choices["model"], launch.choices["dataset"]) == ("ridge", "diabetes")


def test_a_secret_that_the_study_does_not_hold_is_that_of_this_session(diabetes_sweep: HydraSweep) -> None:
    token = "+tracking.tags.token=abc"
    preparer = TrialPreparer(diabetes_sweep.composer, 1, (*DATA, token))
    trial = preparer.prepare((*RIDGE, "+tracking.tags.token=***"))
    assert trial.overrides == (*RIDGE, token)
    assert get_config(trial)["tracking"]["tags"] == {"token": "abc"}


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ((), "default"),
        (("model=ridge", f"{ALPHA}=0.123456789"), "model=ridge,alpha=0.1235"),
        (("split='80_20'",), "split=80_20"),
        (("output=json", "seed=3"), "seed=3"),
    ],
    ids=["nothing", "value", "quoted", "output"],
)
def test_a_trial_is_named_by_what_differs(preparer: TrialPreparer, more: tuple[str, ...], name: str) -> None:
    assert preparer.prepare((*DATA, *more), 0).composition.name == name


def test_the_preparer_remembers_the_overrides_of_trials_but_not_of_checks(preparer: TrialPreparer) -> None:
    trial = preparer.prepare(RIDGE)
    assert (trial.number, trial.folder, trial.record) == (-1, Path(), {})
    preparer.prepare((*RIDGE, f"{ALPHA}=2"), 4)
    assert preparer.locations[4][0] == (*RIDGE, f"{ALPHA}=2")
    with pytest.raises(KeyError):
        preparer.locations[-1]


def test_the_record_is_what_hydra_writes(preparer: TrialPreparer) -> None:
    trial = preparer.prepare((*RIDGE, "tracking.name='é'"), 11)
    trial.write_record()
    trial.write_record()  # again, for a trial that is retried
    folder = trial.folder / ".hydra"
    assert sorted(path.name for path in folder.iterdir()) == ["config.yaml", "hydra.yaml", "overrides.yaml"]
    assert {path.name: path.read_text() for path in folder.iterdir()} == trial.record
    assert yaml.safe_load((folder / "overrides.yaml").read_text()) == [*RIDGE, "tracking.name='é'"]
    assert yaml.safe_load((folder / "config.yaml").read_text())["model"]["name"] == "ridge"


def test_the_folder_of_the_sweep_can_be_set(diabetes_sweep: HydraSweep, tmp_path: Path) -> None:
    before = str(diabetes_sweep.config.hydra.sweep.dir)
    preparer = TrialPreparer(diabetes_sweep.composer, 1, DATA)
    preparer.prepare(RIDGE)
    try:
        preparer.composer.set_sweep_dir(tmp_path)
        assert preparer.prepare(RIDGE, 5).folder == tmp_path / "5"
        assert preparer.describe_refused(RIDGE, 6).folder == tmp_path / "6"
    finally:
        preparer.composer.set_sweep_dir(Path(before))


# Repeats


def test_each_repeat_has_the_next_seed(diabetes_sweep: HydraSweep) -> None:
    trial = TrialPreparer(diabetes_sweep.composer, 3, DATA).prepare((*RIDGE, "seed=5", f"{ALPHA}=2"), 4)
    compositions = [checked.composition for checked in trial.repeats]
    seeds = [5, 6, 7]
    assert [composition.settings.seed for composition in compositions] == seeds
    assert [composition["split"]["seed"] for composition in compositions] == seeds
    assert [composition["model"]["estimator"]["random_state"] for composition in compositions] == seeds
    assert {composition["model"]["estimator"]["alpha"] for composition in compositions} == {2}
    assert trial.composition is compositions[0]
    assert {id(composition.launch) for composition in compositions} == {id(trial.launch)}
    assert yaml.safe_load(trial.record["config.yaml"])["seed"] == 5


# Checks


def test_the_data_are_read_once(preparer: TrialPreparer) -> None:
    first, second = (preparer.prepare((*RIDGE, f"{ALPHA}={alpha}"), alpha).repeats[0] for alpha in (1, 2))
    assert first.data is second.data
    assert first.stack is second.stack
    assert second.composition["model"]["estimator"]["alpha"] == 2


@pytest.mark.parametrize(
    "other", [("model=dummy",), ("model=ridge", "split=kfold"), ("model=ridge", "cleaning=none", "dataset.rows=100")]
)
def test_other_rows_and_another_model_are_checked_completely(preparer: TrialPreparer, other: tuple[str, ...]) -> None:
    first, second = preparer.prepare(RIDGE).repeats[0], preparer.prepare((*DATA, *other)).repeats[0]
    assert first.data is not second.data


@pytest.mark.parametrize(
    ("is_known", "more", "key"),
    [
        (False, f"+{ALPHA}s=3", "model.estimator.alphas: Ridge has no such argument"),
        (True, f"+{ALPHA}s=3", "model.estimator.alphas: Ridge has no such argument"),
        (True, "threads=0", "threads=0"),
        (True, "objective.metric=accuracy", "accuracy"),
        (False, "model=logistic_regression", "logistic_regression"),
    ],
    ids=["first-argument", "argument", "setting", "metric", "model-of-another-task"],
)
def test_the_values_of_every_trial_are_checked(preparer: TrialPreparer, is_known: bool, more: str, key: str) -> None:
    if is_known:
        preparer.prepare(RIDGE)
    with pytest.raises((ProblemsError, ConfigError)) as caught:
        preparer.prepare((*RIDGE, more), 1)
    assert key in str(caught.value)
    with pytest.raises(KeyError):
        preparer.locations[1]


def test_hydra_refuses_an_unknown_key(preparer: TrialPreparer) -> None:
    with pytest.raises(HydraException, match=r"Could not override 'model\.estimator\.alhpa'"):
        preparer.prepare((*RIDGE, "model.estimator.alhpa=3"))


def test_an_inferred_task_is_that_of_every_trial(preparer: TrialPreparer) -> None:
    trials = [preparer.prepare((*RIDGE, "dataset.task=null", f"{ALPHA}={alpha}")) for alpha in (1, 2)]
    assert [get_config(trial)["dataset"]["task"] for trial in trials] == ["regression", "regression"]
    assert {get_config(trial)["model"]["estimator"]["_target_"] for trial in trials} == {"sklearn.linear_model.Ridge"}


def test_the_fingerprints_are_those_of_the_data_sets(preparer: TrialPreparer) -> None:
    assert preparer.fingerprints == {}
    first = preparer.prepare(RIDGE).repeats[0].data
    second = preparer.prepare(("dataset=wine", "model=rf")).repeats[0].data
    assert preparer.fingerprints == {"diabetes": first.fingerprint, "wine": second.fingerprint}
    assert first.fingerprint != second.fingerprint


# Refused trials


def test_a_refused_trial_is_described_as_far_as_it_composes(preparer: TrialPreparer) -> None:
    preparer.parent = "the-parent"
    overrides = (*RIDGE, f"+{ALPHA}s=3")
    trial = preparer.describe_refused(overrides, 4)
    assert (trial.number, trial.overrides, trial.repeats) == (4, overrides, ())
    assert (trial.launch.job, trial.launch.parent, trial.launch.shared) == (4, "the-parent", DATA)
    assert trial.launch.choices["model"] == "ridge"
    assert yaml.safe_load(trial.record["config.yaml"])["model"]["estimator"]["alphas"] == 3


@pytest.mark.parametrize("more", ["model.estimator.alhpa=3", "model=rigde"])
def test_a_trial_that_does_not_compose_has_overrides_and_a_folder(preparer: TrialPreparer, more: str) -> None:
    trial = preparer.describe_refused((*DATA, more), 21)
    assert (trial.overrides, trial.launch.overrides) == ((*DATA, more), [*DATA, more])
    assert (trial.folder.name, trial.record, trial.repeats) == ("21", {}, ())
    trial.write_record()
    assert list((trial.folder / ".hydra").iterdir()) == []


# Keys


def test_the_order_of_settings_does_not_change_a_key() -> None:
    parts = [({"a": 1, "b": {"c": 2, "d": 3}}, "m"), ({"b": {"d": 3, "c": 2}, "a": 1}, "m")]
    assert {make_key(*part) for part in parts} == {'[{"a": 1, "b": {"c": 2, "d": 3}}, "m"]'}


def test_different_settings_have_different_keys() -> None:
    parts = [({"a": 1},), ({"a": "1"},), ({"a": None},), ({"a": [1]},), ({"b": 1},), ({"a": 1}, None), ({"a": 1.5},)]
    for one, other in itertools.combinations(parts, 2):
        assert make_key(*one) != make_key(*other)
    assert make_key(Path("/a")) == '["/a"]'
