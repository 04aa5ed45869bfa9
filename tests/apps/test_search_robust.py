"""Searches with failures, interruptions and several processes: no trial is lost, and none is run twice."""

from __future__ import annotations

import contextlib
import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
import psutil
import pytest
import yaml
from mlflow import MlflowClient
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from tests.support.front_door import PROJECT, UNSAVED, Runner, front_door, run_cold, start_command
from tests.support.stores import open_store
from tests.support.warm import WarmCommand

pytestmark = pytest.mark.slow
MODELS = '''
import os, time
import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin


class Odd(RegressorMixin, BaseEstimator):
    """Does what its mode says."""

    def __init__(self, mode="fine", level=0, seconds=0.0):
        self.mode, self.level, self.seconds = mode, level, seconds

    def fit(self, X, y):
        time.sleep(self.seconds)
        if self.mode == "raise":
            raise RuntimeError("this mode always raises")
        if self.mode == "exit":
            os._exit(3)
        if self.mode == "kill":
            os.kill(os.getpid(), 9)
        if self.mode == "memory":
            raise MemoryError
        self.mean_ = float(np.mean(y))
        return self

    def predict(self, X):
        value = {"undefined": np.nan, "infinite": np.inf}.get(self.mode, self.mean_ + self.level)
        return np.full(len(X), value)
'''
ODD = ("dataset=diabetes", "model=custom", "model.estimator._target_=odd_models.Odd", *UNSAVED)
SLOW = (*ODD, "+model.estimator.seconds=0.5", "+model.estimator.level=interval(0,50)", "objective.metric=rmse")


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with estimators of the user's own, which is put on the path."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "odd_models.py").write_text(MODELS)
    return folder


def study_of(home: Path, name: str) -> optuna.Study:
    """The study of the default storage."""
    journal = home / ".mlrunner" / "studies" / f"{name}.journal"
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.load_study(study_name=name, storage=JournalStorage(JournalFileBackend(str(journal))))


def counted(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    """The trials that count: not those that were interrupted and run again."""
    return [trial for trial in study.get_trials(deepcopy=False) if "void" not in trial.user_attrs]


def until(condition: Callable[[], bool], process: WarmCommand, seconds: float = 120) -> None:
    """Wait for something that a process is about to do."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        if condition():
            return
        time.sleep(0.2)
    raise TimeoutError("" if process.poll() is None else str(process.communicate(timeout=0)))


def known(home: Path, name: str) -> list[optuna.trial.FrozenTrial]:
    """The trials of a study that may not have begun yet."""
    journal = home / ".mlrunner" / "studies" / f"{name}.journal"
    with contextlib.suppress(KeyError):  # the journal is there a moment before the study is in it
        return study_of(home, name).trials if journal.exists() else []
    return []


def finished(home: Path, name: str) -> int:
    """How many trials of a study have ended by now."""
    return sum(trial.state.is_finished() for trial in known(home, name))


def test_every_kind_of_failure_is_a_failed_trial_and_the_rest_go_on(session_home: Path, odd: Path) -> None:
    modes = ["fine", "undefined", "infinite", "raise", "memory", "exit", "kill"]
    result = front_door(
        session_home, "sweep=grid", *ODD, f"+model.estimator.mode={','.join(modes)}",
        "hydra.sweeper.max_failure_rate=0.9", PYTHONPATH=str(odd),
    )  # fmt: skip
    assert result.code == 0, result.err
    lines = result.out.splitlines()
    failed = {line.split("mode=")[1].split()[0]: line for line in lines if line.startswith("✗")}
    assert sum(line.startswith("✓") for line in lines) == 1
    assert sum(line.startswith("✗") for line in lines) == 6
    assert "The model predicts NaN in " in failed["undefined"]
    assert "The model predicts NaN or infinity in " in failed["infinite"]
    assert "RuntimeError: this mode always raises" in failed["raise"]
    assert "MemoryError" in failed["memory"]
    assert "the worker ended with code 3" in failed["exit"]
    assert "the worker was killed by SIGKILL, 4 times with these parameters" in failed["kill"]
    alone = next(line for line in lines if "run it alone" in line and "mode=raise" in line)
    assert "mlrunner dataset=diabetes model=custom model.estimator._target_=odd_models.Odd" in alone
    folder = next(line.split()[-1] for line in lines if line.strip().startswith("folder"))
    summary = yaml.safe_load((PROJECT / folder / "optimization_results.yaml").read_text())
    assert summary["counts"] == {"complete": 1, "failed": 6}


def test_the_failure_rate_stops_a_failing_search(session_home: Path, odd: Path) -> None:
    result = front_door(
        session_home, "sweep=optuna", *ODD, "+model.estimator.mode=raise", "+model.estimator.level=interval(0,1)",
        "hydra.sweeper.n_trials=10", "hydra.sweeper.n_jobs=1", "hydra.sweeper.max_failure_rate=0.1",
        PYTHONPATH=str(odd),
    )  # fmt: skip
    assert result.code == 1, result.out
    assert "too many trials failed" in result.err
    assert sum(line.startswith("✗") for line in result.out.splitlines()) == 2


def test_retries_run_a_failed_trial_again_with_the_same_parameters(session_home: Path, odd: Path) -> None:
    result = front_door(
        session_home, "sweep=grid", *ODD, "+model.estimator.mode=exit,fine", "hydra.sweeper.retries=2", "output=json",
        "hydra.sweeper.study_name=retried", PYTHONPATH=str(odd),
    )  # fmt: skip
    assert result.code == 0, result.err
    trials = study_of(session_home, "retried").trials
    modes = [trial.params["+model.estimator.mode"] for trial in trials]
    assert (modes.count("exit"), modes.count("fine")) == (3, 1)
    assert len(counted(study_of(session_home, "retried"))) == 2


@pytest.fixture(scope="module")
def killed(session_home: Path, odd: Path) -> Any:
    """A search that was killed in the middle, what it had by then, and what a resume made of it."""
    options = ("sweep=optuna", *SLOW, "hydra.sweeper.n_trials=10", "hydra.sweeper.study_name=killed")
    with start_command(session_home, *options, PYTHONPATH=str(odd)) as process:
        until(lambda: finished(session_home, "killed") >= 3, process)
        time.sleep(0.3)
        process.kill()
        process.communicate(timeout=60)
    before = [trial for trial in study_of(session_home, "killed").trials if trial.state.is_finished()]
    times = {file: file.stat().st_mtime for file in session_home.glob("multirun/*/*/*/trial_result.json")}
    result = front_door(session_home, "resume", "killed", "output=json", PYTHONPATH=str(odd))
    assert result.code == 0, result.err
    return before, times, result.json


def test_a_killed_search_is_resumed_exactly(killed: Any, session_home: Path) -> None:
    before, times, summary = killed
    study = study_of(session_home, "killed")
    trials = counted(study)
    assert len(trials) == 10
    assert all(trial.state.is_finished() for trial in trials)
    assert [study.trials[trial.number].value for trial in before] == [trial.value for trial in before]
    assert {file: file.stat().st_mtime for file in times} == times
    assert summary["counts"] == {"complete": 10}
    assert len({trial["folder"] for trial in summary["trials"]}) == 10


def test_what_was_interrupted_ran_again_with_the_same_parameters(killed: Any, session_home: Path) -> None:
    del killed
    trials = study_of(session_home, "killed").trials
    interrupted = [trial for trial in trials if trial.user_attrs.get("void") == "interrupted"]
    assert interrupted
    again = {trial.user_attrs["retry_of"]: trial for trial in trials if "retry_of" in trial.user_attrs}
    # A trial that the kill has met before its parameters were drawn has none, and draws them when it runs again.
    drawn = {trial.number: trial.params for trial in interrupted if trial.params}
    assert {number: again[number].params for number in drawn} == drawn
    assert {trial.number for trial in interrupted} <= set(again)


def test_every_trial_of_a_killed_search_is_in_mlflow_once(killed: Any, session_home: Path) -> None:
    summary = killed[2]
    client = open_store(session_home)
    experiment = client.get_run(summary["parent_run_id"]).info.experiment_id
    condition = f"tags.mlflow.parentRunId = '{summary['parent_run_id']}'"
    runs = [run for run in client.search_runs([experiment], condition) if "mlrunner.winner_of" not in run.data.tags]
    numbers = sorted(int(run.data.tags["mlrunner.trial_number"]) for run in runs if run.info.status == "FINISHED")
    assert numbers == sorted(trial["job"] for trial in summary["trials"])
    assert {run.info.status for run in runs} <= {"FINISHED", "KILLED"}


def test_the_same_command_with_a_study_name_again_has_nothing_left_to_do(
    killed: Any, session_home: Path, odd: Path
) -> None:
    summary = killed[2]
    options = ("sweep=optuna", *SLOW, "hydra.sweeper.n_trials=10", "hydra.sweeper.study_name=killed", "output=json")
    again = front_door(session_home, *options, PYTHONPATH=str(odd)).json
    assert again["best_trial_number"] == summary["best_trial_number"]
    assert again["folder"] == summary["folder"]
    assert [trial["run_id"] for trial in again["trials"]] == [trial["run_id"] for trial in summary["trials"]]


def test_another_space_under_the_same_name_is_refused_with_the_difference(
    killed: Any, session_home: Path, odd: Path
) -> None:
    del killed
    other = [text.replace("interval(0,50)", "interval(0,60)") for text in SLOW]
    options = ("sweep=optuna", *other, "hydra.sweeper.n_trials=10", "hydra.sweeper.study_name=killed")
    result = front_door(session_home, *options, PYTHONPATH=str(odd))
    assert result.code == 2
    assert "study killed: +model.estimator.level was Float(high=50.0" in result.err
    assert "or accept it with hydra.sweeper.allow_changes=true" in result.err


@pytest.fixture
def running(session_home: Path, odd: Path) -> Iterator[Callable[..., WarmCommand]]:
    """Begin searches, and leave none behind."""
    processes: list[WarmCommand] = []

    def run(*arguments: str) -> WarmCommand:
        processes.append(start_command(session_home, *arguments, PYTHONPATH=str(odd)))
        return processes[-1]

    yield run
    for process in processes:
        process.kill()


def test_two_terminals_on_one_study_share_exactly_n_trials(running: Any, session_home: Path) -> None:
    options = ("sweep=optuna", *SLOW, "hydra.sweeper.n_trials=8", "hydra.sweeper.study_name=shared", "output=json")
    first, second = running(*options, "hydra.sweeper.n_jobs=1"), running(*options, "hydra.sweeper.n_jobs=1")
    outputs = [process.communicate(timeout=240) for process in (first, second)]
    assert [process.returncode for process in (first, second)] == [0, 0], outputs
    trials = counted(study_of(session_home, "shared"))
    assert len(trials) == 8
    assert len({trial.user_attrs["session"] for trial in trials}) == 2
    summaries = [json.loads(out) for out, _ in outputs]
    assert len({summary["parent_run_id"] for summary in summaries}) == 1
    assert max(len(summary["trials"]) for summary in summaries) == 8


def test_two_sweeps_of_the_same_second_share_nothing(running: Any, session_home: Path) -> None:
    options = ("sweep=optuna", "dataset=wine", "model=ridge,rf", "hydra.sweeper.n_trials=2", "hydra.sweeper.n_jobs=2")
    both = [running(*options, "output=json", "tracking.keep_models=all", "tracking.plots=false") for _ in range(2)]
    outputs = [process.communicate(timeout=240) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert "locked" not in "".join(err for _, err in outputs)
    summaries = [json.loads(out) for out, _ in outputs]
    assert (
        len({summary["folder"] for summary in summaries})
        == len({summary["parent_run_id"] for summary in summaries})
        == 2
    )
    client = open_store(session_home)
    for summary in summaries:
        assert summary["counts"] == {"complete": 2}
        uris = [client.get_run(trial["run_id"]).data.tags.get("mlrunner.model") for trial in summary["trials"]]
        assert len(set(uris)) == 2
        models = [client.get_logged_model(str(uri).removeprefix("models:/")) for uri in uris]
        assert {model.status for model in models} == {"READY"}


def test_ctrl_c_once_finishes_the_running_trials_and_twice_stops_them(
    running: Any, session_home: Path, odd: Path
) -> None:
    options = ("sweep=optuna", *SLOW, "hydra.sweeper.n_trials=30", "+model.estimator.mode=fine")
    once = running(*options, "hydra.sweeper.study_name=once")
    until(lambda: finished(session_home, "once") >= 2, once)
    once.signal_all(signal.SIGINT)
    out, err = once.communicate(timeout=120)
    assert once.returncode == 130, err
    assert "Traceback" not in err
    states = {trial.state.name for trial in study_of(session_home, "once").trials}
    assert states == {"COMPLETE"}
    assert "interrupted: the running trials finish" in out
    folder = Path(study_of(session_home, "once").user_attrs["folder"])
    assert yaml.safe_load((folder / "optimization_results.yaml").read_text())["best_trial_number"] >= 0
    slow = [text.replace("seconds=0.5", "seconds=30") for text in options]
    twice = running(*slow, "hydra.sweeper.study_name=twice")
    until(lambda: len(known(session_home, "twice")) == 2, twice)
    time.sleep(1)
    began = time.monotonic()
    twice.send_signal(signal.SIGINT)
    time.sleep(1)
    twice.send_signal(signal.SIGINT)
    _, err = twice.communicate(timeout=60)
    assert time.monotonic() - began < 25
    assert twice.returncode == 130, err
    assert "Traceback" not in err
    assert {trial.user_attrs.get("void") for trial in study_of(session_home, "twice").trials[:2]} == {"interrupted"}
    children = [p for p in psutil.process_iter(["cmdline"]) if str(odd) in " ".join(p.info["cmdline"] or [])]
    assert not psutil.wait_procs(children, timeout=10)[1]


def test_a_terminated_search_is_closed(running: Any, session_home: Path) -> None:
    client = open_store(session_home)
    process = running("sweep=optuna", *SLOW, "tracking.experiment=terminated", "hydra.sweeper.study_name=terminated")
    until(lambda: "FINISHED" in statuses_of(client, "terminated"), process)
    process.signal_all(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (
        143,
        "mlrunner: interrupted; finished work is kept; go on with mlrunner resume terminated.\n",
    )
    assert statuses_of(client, "terminated") == {"FINISHED", "KILLED"}


def statuses_of(client: MlflowClient, name: str) -> set[str]:
    """The statuses of the runs of an experiment."""
    experiment = client.get_experiment_by_name(name)
    return {run.info.status for run in client.search_runs([experiment.experiment_id])} if experiment else set()


def test_a_search_stops_at_its_target(mlrunner: Runner) -> None:
    options = ("sweep=optuna", "dataset=diabetes", "model=ridge", *UNSAVED)
    output = mlrunner(*options, "hydra.sweeper.n_trials=40", "hydra.sweeper.target=0.1", "hydra.sweeper.n_jobs=1").out
    assert "target 0.1 reached" in output
    assert sum(line.startswith("✓") for line in output.splitlines()) == 1


CUSTOM = """
def configure(cfg, trial):
    trial.suggest_float("model.estimator.tol", 1e-5, trial.params["model.estimator.alpha"] + 1e-4)
"""


def test_a_space_of_ones_own_and_a_warm_start(tmp_path: Path, session_home: Path) -> None:
    (tmp_path / "my_space.py").write_text(CUSTOM)
    (tmp_path / "random.py").write_text("raise SystemExit('this is not of Python')")
    result = run_cold(
        session_home, "sweep=optuna", "dataset=diabetes", "model=ridge", "+model.estimator.tol=0.001", "output=json",
        "hydra.sweeper.custom_search_space=my_space.configure", "hydra.sweeper.n_trials=4", "hydra.sweeper.n_jobs=1",
        "hydra.sweeper.warm_start=['model.estimator.alpha=0.25,model.features.low_cardinality=10']",
        *UNSAVED, cwd=tmp_path,
    )  # fmt: skip
    assert result.code == 0, result.err
    first = next(trial for trial in result.json["trials"] if trial["job"] == 0)
    assert "alpha=0.25" in first["name"]
    tols = [text for trial in result.json["trials"] for text in trial["name"].split(",") if text.startswith("tol=")]
    assert len(set(tols)) == 4
