"""A study goes on with other choices: its trials keep their numbers and results, also when the change is killed."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import BaseStorage, InMemoryStorage
from optuna.trial import TrialState

from mlrunner.core.errors import ConfigError
from mlrunner.search.other_choices import COPY_SUFFIX, adopt_choices, finish_adoption
from mlrunner.search.trial_attributes import DEFAULT_OF, describe_default, is_default
from mlrunner.tracking import studies
from mlrunner.tracking.storage_delegate import StorageDelegate
from tests.support.sweeps import open_study_in, start_queue

OLD = {"model": CategoricalDistribution(["ridge", "rf"]), "depth": CategoricalDistribution([None, 2, 4])}
NEW = {"model": CategoricalDistribution(["xgboost", "rf"]), "depth": IntDistribution(1, 9)}
ALPHA = FloatDistribution(0, 1)


def fill(storage: BaseStorage) -> optuna.Study:
    """Fill a study with trials of each state."""
    study = open_study_in(storage, "mine")
    study.set_user_attr("folder", "/sweep")
    for model, depth, state in [("ridge", None, "COMPLETE"), ("rf", 2, "COMPLETE"), ("rf", 4, "FAIL")]:
        params = {"model": model, "depth": depth, "alpha": 0.5}
        study.add_trial(
            optuna.trial.create_trial(
                state=TrialState[state],
                value=depth or 1 if state == "COMPLETE" else None,
                params=params,
                distributions={**OLD, "alpha": ALPHA},
                user_attrs={"folder": f"/sweep/{model}", **describe_default(model, params)},
                intermediate_values={0: 0.25},
            )
        )
    study.enqueue_trial({"model": "ridge", "depth": 4}, user_attrs=describe_default("ridge", {"model": "ridge"}))
    return study


def list_facts(study: optuna.Study) -> list[Any]:
    return [
        (trial.number, trial.state, trial.values, trial.user_attrs.get("folder"), trial.intermediate_values)
        for trial in study.trials
    ]


@pytest.mark.parametrize("address", [None, "sqlite:///:memory:"], ids=["journal", "sqlite"])
def test_trials_keep_their_results_and_new_choices_are_drawn(address: str | None, tmp_path: Path) -> None:
    storage = studies.open_storage(address, tmp_path, "mine")
    before = fill(storage)
    facts, starts = list_facts(before), [trial.datetime_start for trial in before.trials]
    assert adopt_choices(before, storage, NEW, is_grid=False)
    study = open_study_in(storage, "mine")
    assert optuna.get_all_study_names(storage) == ["mine"]
    assert study.user_attrs == {"folder": "/sweep"}
    assert list_facts(study) == facts
    assert [trial.datetime_start for trial in study.trials] == starts
    values = [{"alpha": 0.5}, {"model": "rf", "depth": 2, "alpha": 0.5}, {"model": "rf", "depth": 4, "alpha": 0.5}]
    assert [trial.params for trial in study.trials] == [*values, {}]
    assert study.trials[1].distributions == {**NEW, "alpha": ALPHA}
    assert all(is_default(trial) for trial in study.trials[:3])
    queued = study.ask(NEW)
    assert (queued.number, queued.params["depth"]) == (3, 4)
    assert queued.params["model"] in ("xgboost", "rf")  # ridge was queued
    assert queued.user_attrs[DEFAULT_OF]["params"] == ["model"]
    assert not adopt_choices(study, storage, NEW, is_grid=False)


def test_ranges_that_optuna_accepts_stay() -> None:
    storage = InMemoryStorage()
    study = fill(storage)
    assert not adopt_choices(study, storage, {**OLD, "alpha": FloatDistribution(0, 0.1)}, is_grid=False)
    study.enqueue_trial({"alpha": 0.5})  # outside of the range now: only this one is drawn again
    assert adopt_choices(study, storage, {**OLD, "alpha": FloatDistribution(0, 0.1)}, is_grid=False)
    trials = open_study_in(storage, "mine").trials
    assert [trial.params.get("alpha") for trial in trials[:3]] == [0.5] * 3
    assert [trial.system_attrs["fixed_params"] for trial in trials[3:]] == [{"model": "ridge", "depth": 4}, {}]


def test_a_grid_and_a_running_session_are_refused() -> None:
    storage = InMemoryStorage()
    study = fill(storage)
    with pytest.raises(
        ConfigError, match=r"^study mine: depth, model had .* order of a grid; choose another .*=mine-2\.$"
    ):
        adopt_choices(study, storage, NEW, is_grid=True)
    queue = start_queue(study, 9)
    with pytest.raises(ConfigError, match=r"had another kind or other choices, and another session of it is running; "):
        adopt_choices(study, storage, NEW, is_grid=False)
    queue.close()
    assert adopt_choices(study, storage, NEW, is_grid=False)


class Killed(BaseException):
    """Stands for the death of the process."""


class MortalStorage(StorageDelegate):
    """Storage of a process that dies before one of its writes."""

    def __init__(self, storage: BaseStorage, writes: int) -> None:
        super().__init__(storage)
        self.writes = writes

    def call(self, method: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
        if method.__name__.startswith(("create_", "set_", "delete_")):
            if self.writes == 0:
                raise Killed
            self.writes -= 1
        return super().call(method, *arguments, **keywords)


def test_a_kill_before_any_write_is_undone_or_finished_by_the_next_session() -> None:
    adopted = []
    for writes in count():
        storage = InMemoryStorage()
        facts = list_facts(fill(storage))
        mortal = MortalStorage(storage, writes)
        try:
            adopt_choices(open_study_in(storage, "mine"), mortal, NEW, is_grid=False)
            break
        except Killed:
            for again in range(3):  # the next session may be killed as well
                try:
                    finish_adoption(MortalStorage(storage, 2 * again), "mine")
                except Killed:
                    continue
        finish_adoption(storage, "mine")
        assert optuna.get_all_study_names(storage) == ["mine"]
        study = open_study_in(storage, "mine")
        assert (study.user_attrs, list_facts(study)) == ({"folder": "/sweep"}, facts)
        kinds = {type(trial.distributions["depth"]) for trial in study.trials if "depth" in trial.distributions}
        assert kinds in ({CategoricalDistribution}, {IntDistribution})
        adopted.append(kinds == {IntDistribution})
    assert len(adopted) > 10
    assert adopted == sorted(adopted)
    assert {*adopted} == {False, True}


def test_a_study_without_a_copy_stays() -> None:
    storage = InMemoryStorage()
    facts = list_facts(fill(storage))
    finish_adoption(storage, "mine")
    finish_adoption(storage, "another")
    assert list_facts(open_study_in(storage, "mine")) == facts
    assert "mine" + COPY_SUFFIX not in optuna.get_all_study_names(storage)


def test_values_of_other_types_are_other_choices() -> None:
    kept = {"kind": CategoricalDistribution([True, 1, 1.0, math.nan, "nan"])}
    storage = InMemoryStorage()
    study = open_study_in(storage, "mine")
    for value in (1, True, math.nan, "1"):
        study.enqueue_trial({"kind": value})
    assert adopt_choices(study, storage, kept, is_grid=False)  # for the text
    fixed = [trial.system_attrs["fixed_params"] for trial in open_study_in(storage, "mine").trials]
    assert list(map(str, fixed)) == ["{'kind': 1}", "{'kind': True}", "{'kind': nan}", "{}"]
