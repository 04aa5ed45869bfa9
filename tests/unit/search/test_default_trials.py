"""The default composition of each model is the first trial of a search, once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from mlrunner.search.default_trials import describe_gaps, enqueue_first_trials
from mlrunner.search.optuna_config import SAMPLERS
from mlrunner.search.plan import SearchPlan, draw_first_trials
from mlrunner.search.search_factory import make_sampler_factory
from mlrunner.search.trial_attributes import DEFAULT_OF, is_default
from tests.support.search import CONF, HydraSweep
from tests.support.sweeps import finish_all, open_memory_study, open_study, run_together, start_queue

ALPHA, TREES, DEPTH = "model.estimator.alpha", "model.estimator.n_estimators", "model.estimator.max_depth"
LOW = "model.features.low_cardinality"
RIDGE = {ALPHA: 1.0, LOW: 20}


def queue(plan: SearchPlan, study: Any = None) -> list[dict[str, Any]]:
    study = study or open_memory_study()
    enqueue_first_trials(study, plan)
    return [trial.system_attrs["fixed_params"] for trial in study.get_trials()]


def test_the_first_trial_is_the_composition_of_a_plain_run(diabetes_sweep: HydraSweep) -> None:
    plan, preparer = diabetes_sweep.plan("model=ridge", n_trials=3)
    assert queue(plan) == [RIDGE]  # the values of conf/model/ridge.yaml and conf/features/linear.yaml
    first = draw_first_trials(plan, make_sampler_factory(plan))[0]
    plain = diabetes_sweep.compose_with_hydra(("model=ridge",), None)
    assert preparer.prepare(first).composition["model"]["estimator"]["alpha"] == plain.model.estimator.alpha == 1.0


def test_each_model_has_its_default_first_as_far_as_there_are_trials(diabetes_sweep: HydraSweep) -> None:
    plan, _ = diabetes_sweep.plan("model=rf,ridge,dummy", n_trials=2)
    study = open_memory_study()
    first, second = queue(plan, study)
    assert (first["model"], first[f"rf:{TREES}"], second["model"]) == ("rf", 200, "ridge")
    plan, _ = diabetes_sweep.plan("model=rf,ridge,dummy", n_trials=5)
    assert queue(plan, study)[2:] == [{"model": "dummy"}]  # resumed with more trials
    assert len(queue(plan, study)) == 3


@pytest.mark.parametrize("values", [{"first": "none"}, {"sampler": SAMPLERS["grid"]()}])
def test_no_default_is_queued_when_none_is_wanted(diabetes_sweep: HydraSweep, values: dict[str, Any]) -> None:
    plan, _ = diabetes_sweep.plan("model=ridge", f"{ALPHA}=1,2", **values)
    assert (queue(plan), describe_gaps(plan)) == ([], [])


@pytest.mark.parametrize(
    ("overrides", "params", "gap"),
    [
        pytest.param((f"{ALPHA}=interval(2,9)",), {}, f"{ALPHA}=1.0 lies outside interval(2,9)", id="narrowed"),
        pytest.param(
            ("+model.estimator.tol=interval(0,1)",), {ALPHA: 1.0}, "+model.estimator.tol has no default", id="+"
        ),
        pytest.param(("dataset.rows=null,100",), {ALPHA: 1.0, "dataset.rows": None}, None, id="null"),
        pytest.param(("dataset.rows=range(100,300,50)",), {ALPHA: 1.0}, "dataset.rows=null lies outside", id="type"),
        pytest.param(("split='80_20',kfold", f"{ALPHA}=3"), {"split": "'80_20'"}, None, id="option, fixed value"),
        pytest.param(("features@model.features=linear,trees",), None, None, id="nested group"),
    ],
)
def test_what_is_no_value_of_the_space_is_left_to_the_sampler(
    diabetes_sweep: HydraSweep, overrides: tuple[str, ...], params: dict[str, Any] | None, gap: str | None
) -> None:
    plan, _ = diabetes_sweep.plan("model=ridge", *overrides)
    expected = {"features@model.features": "linear", **RIDGE} if params is None else {**params, LOW: 20}
    assert queue(plan) == [expected]
    sentences = describe_gaps(plan)
    assert len(sentences) == (gap is not None)
    assert all(text.startswith(f"ridge: {gap}") and text.endswith("; the sampler draws it") for text in sentences)


def test_the_defaults_of_our_models_are_values_of_their_spaces(diabetes_sweep: HydraSweep) -> None:
    options = {file.stem for file in (CONF / "model").glob("*.yaml")} - {"custom", "logistic_regression"}
    plan, _ = diabetes_sweep.plan(f"model={','.join(sorted(options))}")
    assert describe_gaps(plan) == []
    plan, _ = diabetes_sweep.plan("dataset=wine", "model=logistic_regression,rf")
    assert describe_gaps(plan) == []


def test_a_partial_default_is_not_called_the_default(diabetes_sweep: HydraSweep) -> None:
    for override, complete in ((f"{ALPHA}=interval(2,9)", False), (f"{ALPHA}=interval(1,9)", True)):
        plan, _ = diabetes_sweep.plan("model=ridge", override, n_trials=2)
        study = open_memory_study()
        queue(plan, study)
        finish_all(start_queue(study, 2), study, lambda trial, plan=plan: bool(plan.space.suggest(trial)))
        assert [is_default(trial) for trial in study.get_trials()] == [complete, False]


def test_a_default_that_a_warm_start_names_is_tried_once(diabetes_sweep: HydraSweep) -> None:
    plan, _ = diabetes_sweep.plan("model=ridge,dummy", warm_start=["model=dummy", f"model=ridge,{ALPHA}=5"])
    assert [(params["model"], params.get(f"ridge:{ALPHA}")) for params in queue(plan)] == [
        ("dummy", None), ("ridge", 5.0), ("ridge", 1.0)
    ]  # fmt: skip


def test_two_processes_try_a_default_once(diabetes_sweep: HydraSweep, tmp_path: Path) -> None:
    plan, _ = diabetes_sweep.plan("model=ridge,dummy")

    def enqueue(_: int) -> None:
        study = open_study(None, tmp_path, "shared")
        enqueue_first_trials(study, plan, FileLock(tmp_path / "studies.lock"))

    run_together(4, enqueue)
    assert len(open_study(None, tmp_path, "shared").get_trials()) == 2


def test_an_interrupted_default_is_tried_again_as_the_default(diabetes_sweep: HydraSweep) -> None:
    plan, _ = diabetes_sweep.plan("model=ridge", n_trials=1)
    study = open_memory_study()
    queue(plan, study)
    session = start_queue(study, 1)
    for accept in (lambda _: True, lambda trial: bool(plan.space.suggest(trial))):  # dies before and after it asks
        trial = session.take(accept)
        assert trial is not None
        session.requeue(trial.number, "interrupted")
    finish_all(session, study, lambda trial: bool(plan.space.suggest(trial)))
    assert study.get_trials()[-1].params == RIDGE
    assert [is_default(trial) for trial in study.get_trials()] == [False, True, True]
    assert study.get_trials()[-1].user_attrs[DEFAULT_OF]["model"] == "ridge"
