"""What goes wrong around a deployment: killed processes, two at once, taken ports, models that do not load, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import psutil
import pytest

from mlrunner.core import loopback
from mlrunner.core.loopback import free_port
from mlrunner.groups.deployer.state import DeploymentStore, State
from tests.support.front_door import CommandResult, front_door, start_command

pytestmark = pytest.mark.slow
DATA = ("dataset=diabetes", "tracking.plots=false")
PATIENCE = 40.0  # seconds, on a busy machine


@dataclass
class Place:
    """A home with four saved runs, and a deployment of the first."""

    home: Path
    port: int
    runs: list[Any]

    def __call__(self, *arguments: str, code: int = 0) -> CommandResult:
        result = front_door(self.home, *arguments)
        assert result.code == code, f"{arguments}: {result.code}\n{result.out}\n{result.err}"
        return result

    @property
    def store(self) -> DeploymentStore:
        return DeploymentStore(self.home / ".mlrunner" / "deployments" / "diabetes")

    @property
    def state(self) -> State:
        state = self.store.read_state()
        assert state is not None
        return state

    def deploy(self, place: int, *more: str, code: int = 0) -> CommandResult:
        return self("deploy", self.runs[place]["run_id"], *self.target, *more, code=code)

    @property
    def target(self) -> tuple[str, ...]:
        return ("gate=none", "deployer=local", f"deployer.port={self.port}")

    def version(self) -> Any:
        return loopback.request_json(f"http://127.0.0.1:{self.port}/version")[1]

    def status(self) -> Any:
        return json.loads(front_door(self.home, "status", "diabetes", "--json").out)[0]

    def servers(self) -> list[psutil.Process]:
        """The servers of this home, without the processes that they forked."""
        processes = self.processes()
        return [process for process in processes if process.ppid() not in {other.pid for other in processes}]

    def processes(self) -> list[psutil.Process]:
        """Every server process of this home, also those that a server forked."""
        processes = psutil.process_iter(["cmdline", "status"])
        return [
            process
            for process in processes
            if str(self.home) in " ".join(process.info["cmdline"] or []) and is_server(process)
        ]


def is_server(process: psutil.Process) -> bool:
    return "mlrunner.serving" in process.info["cmdline"] and process.info["status"] != psutil.STATUS_ZOMBIE


def until(check: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Look again until a check holds."""
    end = time.monotonic() + seconds
    while not (value := check()):
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.1)
    return value


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    home = tmp_path_factory.mktemp("home")
    grid = front_door(home, "--multirun", *DATA, "model=ridge", "model.estimator.alpha=1,30,90,5", "output=json").json
    runs = sorted(grid, key=lambda run: int(run["job"]))
    created = Place(home, free_port(), runs)
    try:
        created.deploy(0)
        yield created
    finally:
        front_door(created.home, "stop", "diabetes")


def test_the_same_run_twice_is_one_version_and_one_server(place: Place) -> None:
    before = place.version()
    assert "version 1" in place.deploy(0).out
    assert place.version() == before
    assert len(place.servers()) == 1
    place.deploy(0, "deployer.batch_rows=512")  # a server of before does not know of a setting that came later
    after = place.version()
    assert (after["version"], after["instance"] != before["instance"]) == (1, True)
    assert len(place.servers()) == 1


def test_two_at_once_are_served_one_after_the_other(place: Place) -> None:
    with ThreadPoolExecutor(2) as both:
        results = list(both.map(place.deploy, (0, 1)))
    assert [result.code for result in results] == [0, 0]
    state, last = place.state, place.store.read_history()[-1]
    assert state.versions[-1] == last["version"]
    assert state.active is not None
    assert place.version()["instance"] == state.active.instance
    assert len(place.servers()) == 2  # the one that serves, and the one before it
    mlflow.set_tracking_uri(f"sqlite:///{place.home}/.mlrunner/mlflow.db")
    assert mlflow.MlflowClient().get_model_version_by_alias("diabetes", "champion").version == last["version"]
    assert {server.pid for server in state.servers} == {process.pid for process in place.servers()}


def test_a_killed_server_is_seen_and_restarted_by_itself(place: Place) -> None:
    place.deploy(1)
    before = place.state.active
    assert before is not None
    os.kill(before.pid, signal.SIGKILL)
    until(lambda: place.status()["health"] == "down", seconds=5)
    status = front_door(place.home, "status", "diabetes")
    assert status.code in (0, 1)  # it may be back by now
    after = until(lambda: (version := place.version()) and isinstance(version, dict) and version.get("instance"))
    assert after != before.instance
    assert place.status()["health"] == "serving"
    assert before.pid not in [process.pid for process in place.servers()]


def test_a_gateway_killed_with_its_supervisor_is_restarted_without_restarting_the_server(place: Place) -> None:
    before = place.version()
    supervisor = psutil.Process(int((place.store.folder / "gateway.pid").read_text()))
    for process in (supervisor, *supervisor.children()):  # of one alone the other takes the place
        process.kill()
    status = front_door(place.home, "status", "diabetes")
    assert status.code == 1
    assert "the gateway does not run; restart it with mlrunner deploy --restart diabetes" in status.out
    place("deploy", "--restart", "diabetes")
    assert place.version() == before


def test_a_model_that_does_not_load_leaves_the_old_one_alone(place: Place) -> None:
    before = place.version()
    broken = place.runs[3]
    folder = place.home / ".mlrunner/artifacts/models" / broken["model_uri"].rpartition("/")[2] / "artifacts"
    (folder / "model.skops").write_bytes(b"no model")
    result = place("deploy", broken["run_id"], *place.target, code=2)
    assert result.err.count("\n") == 1
    assert f"The model {broken['model_uri']} cannot be loaded" in result.err
    assert place.version() == before


def test_a_taken_port_is_said_before_the_training(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        overrides = ("deployer=local", "deployer.name=other", f"deployer.port={port}")
        result = place(*DATA, "model=ridge", *overrides, code=2)
    assert (
        result.err
        == f"mlrunner: deployer.port={port} cannot be listened on: Address already in use; choose another port.\n"
    )
    moved = place.deploy(0, f"deployer.port={free_port()}", code=2).err
    assert f"but deployment diabetes answers on 127.0.0.1:{place.port}; leave" in moved


def test_ctrl_c_during_a_deployment_leaves_the_old_one_serving(place: Place) -> None:
    before, running = place.version(), len(place.servers())
    with start_command(place.home, "deploy", place.runs[2]["run_id"], *place.target) as process:
        earlier = [server.pid for server in place.servers()]
        until(lambda: any(server.pid not in earlier for server in place.servers()))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert place.version() == before
    until(lambda: len(place.servers()) <= running)


def test_a_deployment_that_was_killed_is_undone_by_the_next_command(place: Place) -> None:
    before, running = place.version(), {server.pid for server in place.servers()}
    with start_command(place.home, "deploy", place.runs[2]["run_id"], *place.target) as process:
        until(lambda: {server.pid for server in place.servers()} - running)
        process.kill()
        process.communicate(timeout=PATIENCE)
    assert place.status()["health"] == "serving"
    assert place.version() == before
    assert {server.pid for server in place.servers()} == running
    assert place.state.unwanted == []


def test_the_registry_alone_serves_nothing(place: Place) -> None:
    result = place("deploy", place.runs[1]["run_id"], "gate=none", "deployer=registry", "deployer.name=shelf")
    assert "shelf version 1 in the registry, alias champion" in result.out
    status = json.loads(place("status", "shelf", "--json").out)[0]
    assert (status["health"], status["version"], status["url"]) == ("registered", 1, None)


def test_going_back_too_far_is_refused(place: Place) -> None:
    before = place.version()
    result = place("rollback", "9", "--name", "diabetes", code=2)
    assert "cannot roll back 9 versions; available: " in result.err
    assert place.version() == before


def test_stop_frees_everything_and_restart_brings_it_back(place: Place) -> None:
    version = place.version()["version"]
    place("stop", "diabetes")
    assert place.processes() == []
    assert loopback.bind_error("127.0.0.1", place.port) is None
    assert place.status()["health"] == "stopped"
    place("deploy", "--restart", "diabetes")
    assert place.version()["version"] == version


def test_a_moved_project_ends_its_servers_and_brings_them_back(place: Place) -> None:
    version, old = place.version()["version"], place.processes()
    place.home = place.home.rename(place.home.parent / "new place")
    assert "the gateway does not run; restart it with mlrunner deploy --restart diabetes" in place("status", code=1).out
    until(lambda: not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in old), 10)
    place("deploy", "--restart", "diabetes")
    assert place.version()["version"] == version
    assert len(place.servers()) == len(place.state.servers)
