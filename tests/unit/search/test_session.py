"""A session continues in the folder of its study, and ends with the error that matters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from omegaconf import OmegaConf
from optuna import get_all_study_names
from optuna.distributions import CategoricalDistribution
from optuna.storages import InMemoryStorage
from optuna.trial import create_trial

from mlrunner.core.errors import ConfigError, DeployError
from mlrunner.search.other_choices import COPY_SUFFIX
from mlrunner.search.plan import SearchPlan
from mlrunner.search.session import SweepError, _find_cause, _open_study, _raise_failure, describe_search
from mlrunner.search.study_setup import SEARCH_ATTRIBUTE, choose_folder
from mlrunner.search.trial_preparation import TrialPreparer
from tests.support.search_session import Session
from tests.support.sweeps import open_memory_study, open_study_in


def test_a_study_keeps_the_folder_of_its_first_session(tmp_path: Path) -> None:
    study = open_memory_study()
    for name in ("first", "second"):
        config = OmegaConf.create({"name": name, "hydra": {"sweep": {"dir": str(tmp_path / name)}}})
        assert choose_folder(study, config) == tmp_path / "first"
    assert OmegaConf.load(tmp_path / "first" / "multirun.yaml").name == "second"
    assert not (tmp_path / "second").exists()


def test_our_own_error_is_found_behind_those_of_the_pipeline() -> None:
    cause, outer, other = ConfigError("key=1: why."), RuntimeError("step failed"), RuntimeError("alone")
    outer.__context__ = ValueError("inner")
    outer.__context__.__cause__ = cause
    assert _find_cause(outer) is cause
    assert _find_cause(other) is other


@pytest.mark.parametrize(
    ("interrupts", "failure_rate", "winner", "error"),
    [
        (1, 0.0, None, KeyboardInterrupt),
        (0, -1.0, None, SweepError),
        (0, 0.5, {"deployment": {"error": "no port"}}, DeployError),
        (0, 0.5, {"deployment": {"name": "model"}}, None),
    ],
    ids=["interrupted", "too many failures", "not deployed", "well"],
)
def test_the_first_of_several_failures_is_raised(
    interrupts: int, failure_rate: float, winner: Any, error: type[BaseException] | None, session: Session
) -> None:
    session.run()
    search = session.driver.search
    search.interrupts.count = interrupts
    settings = search.settings.model_copy(update={"max_failure_rate": failure_rate})
    search.settings = settings
    search.stopping_rule = type(search.stopping_rule)(settings, search.objectives, 3)
    summary = {"winner": winner, "best_trial_number": 1}
    if error is None:
        _raise_failure(search, summary, session.folder)
        del summary["best_trial_number"]
        with pytest.raises(SweepError, match="no trial completed, so there is no winner; see"):
            _raise_failure(search, summary, session.folder)
        return
    with pytest.raises(error):
        _raise_failure(search, summary, session.folder)


def test_allowed_changes_include_the_choices_of_a_study(planned: tuple[SearchPlan, TrialPreparer]) -> None:
    plan, preparer = planned
    name, storage = "model.estimator.alpha", InMemoryStorage()
    open_study_in(storage, f"mine{COPY_SUFFIX}", *plan.objectives.directions)  # of a session that was killed
    old = open_study_in(storage, "mine", *plan.objectives.directions)
    for alpha in (1.0, -1.0):
        distributions = {name: CategoricalDistribution([1.0, -1.0])}
        old.add_trial(create_trial(value=alpha, params={name: alpha}, distributions=distributions))
    call: Any = SimpleNamespace(config=OmegaConf.create({"hydra": {"sweep": {"dir": "absent"}}}))
    assert [len(trial.params) for trial in _open_study(plan, preparer, call, storage, "mine").trials] == [1, 1]
    allowed = replace(plan, settings=plan.settings.model_copy(update={"allow_changes": True}))
    study = _open_study(allowed, preparer, call, storage, "mine")
    assert get_all_study_names(storage) == ["mine"]
    assert [(trial.value, trial.params) for trial in study.trials] == [(1.0, {name: 1.0}), (-1.0, {})]


def test_a_change_of_choices_that_was_killed_leaves_the_earlier_search(
    planned: tuple[SearchPlan, TrialPreparer],
) -> None:
    plan, preparer = planned
    name, storage = "model.estimator.alpha", InMemoryStorage()
    study = open_study_in(storage, "mine", *plan.objectives.directions)
    study.add_trial(create_trial(value=1, params={name: 1}, distributions={name: CategoricalDistribution([1, "x"])}))
    study.set_user_attr(SEARCH_ATTRIBUTE, describe_search(plan, preparer))  # the killed session had written no other
    call: Any = SimpleNamespace(config=OmegaConf.create({"hydra": {"sweep": {"dir": "absent"}}}))
    study = _open_study(plan, preparer, call, storage, "mine")
    ranges = {dimension.name: dimension.distribution for dimension in plan.space.dimensions}
    assert study.trials[0].distributions == {name: ranges[name]}
    assert study.ask(ranges).params.keys() == ranges.keys()
