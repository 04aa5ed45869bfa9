"""Kill a run, a search, a deployment and a prune before each of their writes in turn, and repeat the command.

A run and a deployment are interrupted by Ctrl-C at their writes as well.

`pytest tests/apps/test_faults.py --kill-points=all` takes every write; the default is a few, evenly spread.
"""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest
from mlflow import MlflowClient
from mlflow.entities import ViewType

from mlrunner.core import loopback
from tests.support.front_door import UNSAVED, CommandResult, export_variables, front_door, run_program
from tests.support.kill_points import PROGRAM
from tests.support.stores import open_store

pytestmark = pytest.mark.slow
RIDGE = ("dataset=diabetes", "model=ridge")
SEARCH = (*RIDGE, *UNSAVED, "sweep=random", "hydra.sweeper.n_trials=3", "hydra.sweeper.n_jobs=1", "output=json")


class Faults:
    """A home in which commands are killed.

    Args:
        home: Folder that holds `.mlrunner/` and `multirun/`.
        points: Number of writes to be killed at; None for every one.

    Attributes:
        spare: IDs of finished runs that no test needs any more.
    """

    def __init__(self, home: Path, points: int | None) -> None:
        self.home, self.points = home, points
        self.spare: list[str] = []
        export_variables(home)

    def make_run(self) -> str:
        """Return the ID of a finished run with a model that no other test uses."""
        if self.spare:
            return self.spare.pop()
        done = front_door(self.home, *RIDGE, "tracking.plots=false", "output=json")
        assert done.code == 0, done.err
        return str(done.json["run_id"])

    def count(self, *arguments: str) -> tuple[CommandResult, list[str]]:
        """Run a command to its end; return its result and its writes."""
        report = self.home / "writes.txt"
        done = run_program(self.home, self._program(None, report), *arguments)
        assert done.code == 0, done.err
        return done, report.read_text().splitlines()

    def kill(self, at: int, *arguments: str) -> None:
        """Run a command until a write."""
        done = run_program(self.home, self._program(at, self.home / "unused.txt"), *arguments)
        assert done.code in (-signal.SIGKILL, 0), f"write {at}: {done.code}\n{done.out}\n{done.err}"
        self.check_databases()

    def interrupt(self, at: int, *arguments: str) -> None:
        """Run a command, with Ctrl-C at a write."""
        program = self._program(at, self.home / "unused.txt", signal.SIGINT)
        done = run_program(self.home, program, *arguments)
        assert done.code == 130, f"write {at}: {done.code}\n{done.out}\n{done.err}"
        assert done.err in ("", "mlrunner: interrupted.\n")

    def again(self, at: int, *arguments: str) -> CommandResult:
        """Run a command after the one that was killed at a write."""
        done = front_door(self.home, *arguments)
        assert done.code == 0, f"after write {at}: {arguments}: {done.code}\n{done.out}\n{done.err}"
        return done

    def spread(self, writes: list[str]) -> list[int]:
        """Return the writes to be killed at, counted from 1."""
        if self.points is None:
            return list(range(1, len(writes) + 1))
        return [1 + len(writes) * (2 * place + 1) // (2 * self.points) for place in range(self.points)]

    def check_databases(self) -> None:
        """Let SQLite look for damage."""
        for name in ("mlflow.db", "zenml/local_stores/default_zen_store/zenml.db"):
            with closing(sqlite3.connect(self.home / ".mlrunner" / name)) as database:
                assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]

    def _program(self, at: int | None, report: Path, number: int = signal.SIGKILL) -> str:
        return PROGRAM.format(folders=[str(self.home)], at=at, report=str(report), number=int(number))


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Faults:
    """A home of its own."""
    points = request.config.getoption("--kill-points")
    return Faults(tmp_path_factory.mktemp("faults"), None if points == "all" else int(points))


def artifacts_of(client: MlflowClient, run_id: str, folder: str | None = None) -> set[str]:
    """Return the paths of the artifacts of a run."""
    paths: set[str] = set()
    for file in client.list_artifacts(run_id, folder):
        paths |= artifacts_of(client, run_id, file.path) if file.is_dir else {file.path}
    return paths


def test_a_run_after_a_killed_one_is_whole(faults: Faults) -> None:
    client, command = open_store(faults.home), (*RIDGE, "output=json")
    done, writes = faults.count(*command)
    whole = client.get_run(done.json["run_id"])
    for at in faults.spread(writes):
        faults.kill(at, *command)
        listed = json.loads(faults.again(at, "runs", "--json").out)
        assert {entry["status"] for entry in listed} <= {"FINISHED", "KILLED"}, writes[at - 1]
        run = client.get_run(faults.again(at, *command).json["run_id"])
        assert run.info.status == "FINISHED"
        assert run.data.metrics.keys() == whole.data.metrics.keys(), writes[at - 1]
        assert artifacts_of(client, run.info.run_id) == artifacts_of(client, whole.info.run_id), writes[at - 1]
        faults.spare.append(run.info.run_id)
    faults.spare.append(whole.info.run_id)


def test_a_run_after_an_interrupted_one_is_whole(faults: Faults) -> None:
    """Each run has another split, so that no step is cached but by the one that was interrupted."""
    _, writes = faults.count(*RIDGE, "seed=100000", *UNSAVED)
    for at in faults.spread(writes):
        command = (*RIDGE, f"seed={at}", *UNSAVED, "output=json")
        faults.interrupt(at, *command)
        listed = json.loads(faults.again(at, "runs", "--json").out)
        assert {entry["status"] for entry in listed} <= {"FINISHED", "KILLED"}, writes[at - 1]
        assert open_store(faults.home).get_run(faults.again(at, *command).json["run_id"]).info.status == "FINISHED"


def test_steps_whose_cached_tables_are_gone_run_again(faults: Faults) -> None:
    command = (*RIDGE, *UNSAVED, "output=json")
    faults.again(0, *command)
    (tables,) = (faults.home / ".mlrunner/zenml/local_stores").glob("*/divide")
    shutil.rmtree(tables)
    faults.again(0, *command)
    assert tables.is_dir()


def trials_of(client: MlflowClient, summary: dict[str, Any]) -> list[tuple[str, float]]:
    """Return number and score of the trials of a search that MLflow holds as finished."""
    parent = summary["parent_run_id"]
    experiment = client.get_run(parent).info.experiment_id
    runs = client.search_runs([experiment], f"tags.mlflow.parentRunId = '{parent}'", ViewType.ACTIVE_ONLY)
    return sorted(
        (run.data.tags["mlrunner.trial_number"], round(run.data.metrics["r2"], 12))
        for run in runs
        if run.info.status == "FINISHED" and "mlrunner.winner_of" not in run.data.tags
    )


def list_steps(home: Path, summary: dict[str, Any]) -> list[str]:
    """Return ZenML's names of the steps of a search's trials that are complete, from all its sessions."""
    query = """SELECT step_run.name FROM step_run JOIN pipeline_run ON pipeline_run.id = step_run.pipeline_run_id
        WHERE pipeline_run.name LIKE ? AND step_run.name LIKE 'trial%' AND step_run.status = 'completed'"""
    with closing(sqlite3.connect(home / ".mlrunner/zenml/local_stores/default_zen_store/zenml.db")) as database:
        return sorted(name for (name,) in database.execute(query, (f"search-{summary['parent_run_id'][:12]}-%",)))


def test_a_killed_search_ends_as_it_would_have_ended(faults: Faults) -> None:
    client = open_store(faults.home)
    done, writes = faults.count(*SEARCH, "hydra.sweeper.study_name=whole")
    scores = [trial["objective"] for trial in done.json["trials"]]
    for at in faults.spread(writes):
        command = (*SEARCH, f"hydra.sweeper.study_name=killed{at}")
        faults.kill(at, *command)
        summary = faults.again(at, *command).json
        assert [trial["objective"] for trial in summary["trials"]] == scores, writes[at - 1]
        assert summary["counts"] == {"complete": 3}, writes[at - 1]
        assert [score for _, score in trials_of(client, summary)] == [
            score for _, score in trials_of(client, done.json)
        ], writes[at - 1]
        assert list_steps(faults.home, summary) == sorted(f"trial_{trial['job']}" for trial in summary["trials"])


def servers_of(home: Path) -> Iterator[psutil.Process]:
    """Yield the processes of the deployments of a home."""
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if "mlrunner.serving" in words and str(home) in " ".join(words):
            yield process


def test_a_killed_deployment_is_finished_or_undone_by_the_next_one(faults: Faults) -> None:
    run_id = faults.make_run()
    target = ("gate=none", "deployer=local", f"deployer.port={loopback.free_port()}")
    _, writes = faults.count("deploy", run_id, *target)
    usual = len(list(servers_of(faults.home)))
    faults.again(0, "stop", "diabetes")
    assert not list(servers_of(faults.home))
    for at in faults.spread(writes):
        faults.kill(at, "deploy", run_id, *target)
        faults.again(at, "deploy", run_id, *target)
        (status,) = json.loads(faults.again(at, "status", "diabetes", "--json").out)
        assert status["health"] == "serving", writes[at - 1]
        assert len(list(servers_of(faults.home))) == usual, writes[at - 1]
        faults.again(at, "stop", "diabetes")
        assert not list(servers_of(faults.home)), writes[at - 1]


def test_an_interrupted_deployment_serves_or_has_left_no_server(faults: Faults) -> None:
    run_id = faults.make_run()
    target = ("gate=none", "deployer=local", f"deployer.port={loopback.free_port()}")
    _, writes = faults.count("deploy", run_id, *target)
    faults.again(0, "stop", "diabetes")
    for at in faults.spread(writes):
        faults.interrupt(at, "deploy", run_id, *target)
        (status,) = json.loads(faults.again(at, "status", "diabetes", "--json").out)
        assert (status["health"] == "serving") == bool(list(servers_of(faults.home))), writes[at - 1]
        faults.again(at, "stop", "diabetes")
        assert not list(servers_of(faults.home)), writes[at - 1]


def test_a_killed_prune_is_finished_by_the_next_one(faults: Faults) -> None:
    client = open_store(faults.home)
    _, writes = faults.count("prune", faults.make_run(), "--yes")
    for at in faults.spread(writes):
        run_id = faults.make_run()
        faults.kill(at, "prune", run_id, "--yes")
        second = front_door(faults.home, "prune", run_id, "--yes")
        assert second.code in (0, 2), second  # 2 where the first one got as far as the run
        experiments = [experiment.experiment_id for experiment in client.search_experiments()]
        runs = {run.info.run_id for run in client.search_runs(experiments, run_view_type=ViewType.ALL)}
        assert run_id not in runs, (writes[at - 1], second)
        left = (faults.home / ".mlrunner").glob(f"**/{run_id}/**/*")  # an empty folder may stay
        assert not [path for path in left if path.is_file()], writes[at - 1]
