"""The loop of a search runs, writes and reports every trial, whatever ends the search."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState, create_trial

from mlrunner.core.errors import DataError
from mlrunner.search.loop import Search
from mlrunner.search.plan import SearchPlan
from mlrunner.search.trial import TRIAL_RESULT_FILE, TrialResult
from mlrunner.search.trial_attributes import FOLDER, OVERRIDES, RETRY_OF, VOID, count_valid
from mlrunner.search.trial_preparation import PreparedTrial, TrialPreparer
from mlrunner.search.trial_progress import AWAITING, FinishedTrial, RunningTrial
from mlrunner.search.trial_tables import TableCache, TrialTables
from mlrunner.search.workers import WorkerPool
from mlrunner.tracking.studies import SESSION, describe_process
from tests.support.search import HydraSweep
from tests.support.search_runs import InlineExecutor, TableMaker, build_search
from tests.support.sweeps import list_waiting, start_queue
from tests.support.trials import preload

FIXED = ("sweep=optuna", "dataset=diabetes", "model=ridge")


@pytest.fixture(scope="module")
def planned(diabetes_sweep: HydraSweep) -> tuple[SearchPlan, TrialPreparer]:
    return diabetes_sweep.plan("model=ridge", n_trials=4)


@pytest.fixture
def tables(planned: tuple[SearchPlan, TrialPreparer], tmp_path: Path) -> TableCache:
    plan, preparer = planned
    preparer.composer.set_sweep_dir(tmp_path / "sweep")
    return TableCache(TableMaker(plan.first.repeats[0].data.table, tmp_path / "tables"), tmp_path / "copies")


def build(planned: tuple[SearchPlan, TrialPreparer], executor: Any = None, **changes: Any) -> tuple[Search, list[Any]]:
    """Build a search, and the list of the events that it shows."""
    search, events = build_search(*planned, executor, **changes), list[Any]()
    search.display = events.append
    return search, events


def test_every_trial_is_written_and_reported(
    planned: tuple[SearchPlan, TrialPreparer], tables: TableCache, tmp_path: Path
) -> None:
    search, events = build(planned)
    finished = list(search.run_trials(tables.get))
    trials = search.study.get_trials()
    assert [trial.state for trial in trials] == [TrialState.COMPLETE] * 4
    assert {trial.result.number: trial.result.metrics["r2"] for trial in finished} == {
        trial.number: trial.value for trial in trials
    }
    for trial in trials:
        folder = Path(trial.user_attrs[FOLDER])
        assert folder == tmp_path / "sweep" / str(trial.number)
        assert TrialResult.read(folder).metrics["r2"] == trial.value
        assert (folder / ".hydra" / "overrides.yaml").exists()
        assert trial.user_attrs[OVERRIDES][:3] == list(FIXED)
    assert [type(event) for event in events].count(RunningTrial) == 4
    assert [event for event in events if isinstance(event, FinishedTrial)] == finished
    assert (search.running, search.stop_reason) == ({}, None)


def test_a_trial_that_cannot_start_has_failed(planned: tuple[SearchPlan, TrialPreparer], tables: TableCache) -> None:
    def get(trial: PreparedTrial) -> TrialTables:
        if trial.number == 1:
            raise DataError("no  rows\nleft.")
        return tables.get(trial)

    search, _ = build(planned)
    finished = {trial.result.number: trial for trial in search.run_trials(get)}
    assert (finished[1].result.state, finished[1].result.error, finished[1].tables) == ("FAIL", "no rows left.", None)
    assert TrialResult.read(finished[1].prepared.folder) == finished[1].result
    assert [trial.state.name for trial in search.study.get_trials()] == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]


def test_a_failed_trial_is_retried_with_its_parameters(
    planned: tuple[SearchPlan, TrialPreparer], tables: TableCache
) -> None:
    def get(trial: PreparedTrial) -> TrialTables:
        if trial.number == 0:
            raise DataError("not yet.")
        return tables.get(trial)

    search, _ = build(planned, InlineExecutor(size=1), retries=1)
    finished = [(trial.result.number, trial.result.state, trial.retry_of) for trial in search.run_trials(get)]
    first, retry, *_ = trials = search.study.get_trials()
    assert finished[:2] == [(0, "FAIL", None), (1, "COMPLETE", 0)]
    assert (first.user_attrs[VOID], retry.user_attrs[RETRY_OF], retry.params) == ("retried", 0, first.params)
    assert (len(finished), count_valid(trials)) == (5, 4)


@pytest.mark.parametrize(("losses", "state"), [(2, "COMPLETE"), (4, "FAIL")])
def test_a_lost_trial_runs_again_with_its_parameters_and_does_not_count(
    losses: int, state: str, planned: tuple[SearchPlan, TrialPreparer], tables: TableCache
) -> None:
    class Losing(InlineExecutor):
        def wait(self, seconds: float) -> list[Any]:
            events = super().wait(seconds)
            return [TrialResult(each.number, "LOST", error="gone") if each.number < losses else each for each in events]

    search, events = build(planned, Losing(size=1))
    finished = [(trial.result.number, trial.result.state) for trial in search.run_trials(tables.get)]
    trials = search.study.get_trials()
    last = min(losses, 3)
    assert finished == [(last, state), *[(last + place, "COMPLETE") for place in (1, 2, 3)]]
    assert {trial.params["model.estimator.alpha"] for trial in trials[: last + 1]} == {
        trials[0].params["model.estimator.alpha"]
    }
    assert {trial.user_attrs[VOID] for trial in trials[:last]} == {"lost"}
    assert (len(trials), count_valid(trials)) == (4 + last, 4)
    assert [event for event in events if isinstance(event, str)] == [
        f"trial {number} is lost (gone); its parameters run again" for number in range(last)
    ]


@pytest.mark.parametrize(
    ("changes", "trials", "reason"),
    [({"timeout": 1e-9}, 0, "timeout of 1e-09 s"), ({"target": -10.0}, 1, "target -10 reached")],
    ids=["timeout", "target"],
)
def test_a_search_stops_early(
    changes: dict[str, Any], trials: int, reason: str, planned: tuple[SearchPlan, TrialPreparer], tables: TableCache
) -> None:
    search, _ = build(planned, InlineExecutor(size=1), **changes)
    assert len(list(search.run_trials(tables.get))) == trials
    assert search.stop_reason == reason


def test_a_trial_of_a_machine_that_may_be_lost_is_waited_for_and_run_again(
    planned: tuple[SearchPlan, TrialPreparer], tables: TableCache
) -> None:
    search, events = build(planned)
    process = {**describe_process(), "machine": "elsewhere", "pid": 1}
    search.study.set_user_attr(f"{SESSION}:far", process)
    search.study.add_trial(create_trial(state=TrialState.RUNNING, user_attrs={SESSION: "far"}))
    search.queue = start_queue(search.study, 1, heartbeat=0.1)
    assert [trial.result.number for trial in search.run_trials(tables.get)] == [1]
    assert AWAITING in events
    trials = search.study.get_trials()
    assert (trials[0].user_attrs[VOID], trials[1].user_attrs[RETRY_OF]) == ("interrupted", 0)


def test_the_first_interrupt_lets_running_trials_finish(
    planned: tuple[SearchPlan, TrialPreparer], tables: TableCache
) -> None:
    def get(trial: PreparedTrial) -> TrialTables:
        if trial.number == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return tables.get(trial)

    search, events = build(planned)
    finished = list(search.run_trials(get))
    assert [trial.result.state for trial in finished] == ["COMPLETE", "COMPLETE"]
    assert (search.interrupts.count, [event for event in events if isinstance(event, int)]) == (1, [1])
    assert not list_waiting(search.study)


def test_the_second_interrupt_queues_running_trials_again(
    planned: tuple[SearchPlan, TrialPreparer], tables: TableCache
) -> None:
    def get(trial: PreparedTrial) -> TrialTables:
        if trial.number == 1:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
        return tables.get(trial)

    executor = InlineExecutor()
    search, _ = build(planned, executor)
    with pytest.raises(KeyboardInterrupt):
        list(search.run_trials(get))
    assert executor.is_killed
    assert [trial.user_attrs[RETRY_OF] for trial in list_waiting(search.study)] == [0]
    assert search.study.get_trials()[0].user_attrs[VOID] == "interrupted"


@pytest.mark.slow
def test_a_trial_is_pruned_by_the_pruner_of_the_study(
    planned: tuple[SearchPlan, TrialPreparer], tmp_path: Path
) -> None:
    """Each report is above the threshold; the value of a pruned trial is its last report."""
    import optuna

    plan, preparer = planned
    preparer.composer.set_sweep_dir(tmp_path / "sweep")
    maker = TableMaker(plan.first.repeats[0].data.table, tmp_path / "tables", has_folds=True)
    preload()
    pool = WorkerPool(1, 1)
    try:
        search, _ = build(planned, pool, pruner={"_target_": "optuna.pruners.ThresholdPruner"})
        search.study.pruner = optuna.pruners.ThresholdPruner(upper=-1e9)
        finished = list(search.run_trials(TableCache(maker, tmp_path / "copies").get))
    finally:
        pool.close()
    assert [trial.result.state for trial in finished] == ["PRUNED"] * 4
    for trial in search.study.get_trials():
        assert trial.state == TrialState.PRUNED
        result = TrialResult.read(Path(trial.user_attrs[FOLDER]))
        assert result.metrics["r2"] == trial.intermediate_values[0]
    assert len(list(tmp_path.glob(f"sweep/*/{TRIAL_RESULT_FILE}"))) == 4


def test_a_missing_objective_fails_a_trial(planned: tuple[SearchPlan, TrialPreparer]) -> None:
    search, _ = build(planned)
    result = search.objectives.check(TrialResult(0, "COMPLETE", {"r2": float("inf")}))
    assert (result.state, result.error) == ("FAIL", "r2 is inf")
