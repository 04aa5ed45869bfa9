"""Whole runs on a ZenML stack that runs each step in a container, through a real engine."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mlrunner.core.containers.step_containers import HOME_LABEL, RUN_LABEL
from mlrunner.groups.stack.orchestrator.step_image import ensure_step_image
from tests.support.docker_engine import client, repository
from tests.support.front_door import PROJECT, CommandResult, environment, front_door, run_program
from tests.support.released import BASE

__all__ = ["client", "repository"]

pytestmark = [pytest.mark.slow, pytest.mark.docker, pytest.mark.timeout(1800)]
STACK = ("stack.name=docker", f"stack.base_image={BASE}")
RIDGE = ("model=ridge", "dataset=diabetes", "tracking.plots=false", "output=json")
STEPS = 7
SECONDS = 1200  # time limit of a command that starts as many containers on a busy machine
REGISTER = """
from zenml.client import Client
from zenml.enums import StackComponentType as Kind

client = Client()
client.create_stack_component("docker", "local_docker", Kind.ORCHESTRATOR, {})
client.create_stack_component("docker", "local", Kind.IMAGE_BUILDER, {})
ours = client.get_stack("local_stack").components
kinds = (Kind.ARTIFACT_STORE, Kind.EXPERIMENT_TRACKER, Kind.MODEL_DEPLOYER, Kind.MODEL_REGISTRY)
theirs = {kind: ours[kind][0].id for kind in kinds}
client.create_stack("docker", {Kind.ORCHESTRATOR: "docker", Kind.IMAGE_BUILDER: "docker", **theirs})
"""
BROKEN = """
from sklearn.linear_model import Ridge

class Broken(Ridge):
    def fit(self, X, y, sample_weight=None):
        raise ArithmeticError("no convergence, in a module of the user")
"""


@dataclass(frozen=True)
class Ran:
    """A home with a run in containers and the same run in the process of its command.

    Args:
        home: Folder.
        containers: Output of the first run.
        process: Output of the second one.
        ended: Containers of the first run that ended: their number by exit code.
    """

    home: Path
    containers: Any
    process: Any
    ended: dict[str, int]


def run(home: Path, *arguments: str) -> CommandResult:
    """Run a command without the time limit of other tests."""
    command = [sys.executable, "-m", "mlrunner", *arguments]
    variables = {**environment(home), "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(
        command, cwd=home, env=variables, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    return CommandResult(done.returncode, done.stdout, done.stderr)


def count_ended(client: Any, since: float, name: str) -> dict[str, int]:
    """Count the containers of a pipeline's run that have ended, by exit code."""
    until = time.time() + 1
    events = client.events(since=since, until=until, decode=True, filters={"type": "container", "event": "die"})
    attributes = [event["Actor"]["Attributes"] for event in events]
    return dict(Counter(each["exitCode"] for each in attributes if each.get(RUN_LABEL) == name))


@pytest.fixture(scope="module")
def home(client: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a home whose ZenML has the stack `docker`; the libraries of the image take longest."""
    assert client.ping()
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLRUNNER_HOME", str(home))
        ensure_step_image(BASE, [])
    assert front_door(home, "env", cwd=home).code == 0
    done = run_program(home, REGISTER, cwd=home, ZENML_CONFIG_PATH=str(home / ".mlrunner" / "zenml"))
    assert done.code == 0, done.err
    return home


@pytest.fixture(scope="module")
def ran(home: Path, client: Any) -> Ran:
    start = time.time()
    first = run(home, *RIDGE, *STACK)
    assert first.code == 0, first.err
    ended = count_ended(client, start, first.json["pipeline_run"])
    second = run(home, *RIDGE)
    assert second.code == 0, second.err
    return Ran(home, first.json, second.json, ended)


def test_each_step_runs_in_a_container_of_its_own(ran: Ran, client: Any) -> None:
    assert ran.ended == {"0": STEPS}
    label = f"{RUN_LABEL}={ran.containers['pipeline_run']}"
    assert client.containers.list(all=True, filters={"label": label}) == []


def test_scores_are_those_of_the_run_in_this_process_to_the_last_digit(ran: Ran) -> None:
    assert ran.containers["metrics"] == ran.process["metrics"]
    assert ran.containers["objective"] == ran.process["objective"]
    assert ran.containers["fit_seconds"] > 0


def test_later_commands_see_the_run(ran: Ran) -> None:
    listed = json.loads(front_door(ran.home, "runs", "--json", cwd=ran.home).out)
    assert {each["run_id"] for each in listed} == {ran.containers["run_id"], ran.process["run_id"]}
    assert {each["status"] for each in listed} == {"FINISHED"}
    differences = front_door(ran.home, "diff", ran.containers["run_id"], ran.process["run_id"], cwd=ran.home)
    assert differences.code == 0, differences.err
    assert "stack" in differences.out


def test_the_run_is_deployed_from_a_container(ran: Ran) -> None:
    done = run(ran.home, "deploy", ran.containers["run_id"], "deployer=registry", *STACK)
    assert done.code == 0, done.err
    assert "in the registry, alias champion" in done.out


def test_the_model_is_served_by_this_machine_only(ran: Ran) -> None:
    done = front_door(ran.home, "deploy", ran.containers["run_id"], *STACK, cwd=ran.home)
    assert done.code == 2
    assert done.err.startswith(
        "mlrunner: LocalDeployer deploys on the machine where its step runs, and stack.name=dock"
    )


def test_a_search_is_refused_with_what_to_do_instead(home: Path) -> None:
    done = front_door(home, "sweep=optuna", "model=ridge", "dataset=diabetes", *STACK, cwd=home)
    assert done.code == 2
    assert done.err.startswith(
        "mlrunner: stack.name=docker (orchestrator local_docker) runs each step in a container, and"
    )
    advice = "take a stack whose orchestrator is local, with executor=dask or executor=ray for trials on other machines"
    assert advice in done.err.replace("\n", " ")
    assert len(done.err.strip().splitlines()) == 1


def test_a_model_that_is_not_saved_cannot_be_handed_over(home: Path) -> None:
    done = front_door(home, *RIDGE, *STACK, "tracking.log_model=false", cwd=home)
    assert done.code == 2
    assert done.err.startswith("mlrunner: tracking.log_model=false, but the steps of stack.name=docker")


def test_a_command_that_is_killed_leaves_a_container_which_the_next_prune_removes(home: Path, client: Any) -> None:
    command = [sys.executable, "-m", "mlrunner", *RIDGE, *STACK, "seed=7"]
    variables = {**environment(home), "PYTHONPATH": str(PROJECT)}
    label = {"label": f"{HOME_LABEL}={home}"}
    with subprocess.Popen(
        command, cwd=home, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as driver:
        while not (containers := client.containers.list(filters=label)) and driver.poll() is None:
            time.sleep(0.5)
        assert front_door(home, "prune", "--images", "--json", cwd=home).json["containers"] == []
        driver.kill()
    (container,) = containers
    done = front_door(home, "prune", "--images", cwd=home)
    assert f" container {container.name}\n" in done.out
    assert "1 container, 0 bytes would be removed; remove with --yes." in done.out
    done = front_door(home, "prune", "--images", "--yes", "--json", cwd=home)
    assert (done.code, done.json["containers"], done.json["images"]) == (0, [container.name], []), done.err
    assert client.containers.list(all=True, filters=label) == []


def test_modules_of_the_user_travel_and_their_errors_come_back(home: Path) -> None:
    (home / "own_models.py").write_text(BROKEN)
    done = run(home, *RIDGE, *STACK, "model.estimator._target_=own_models.Broken")
    assert done.code == 1
    assert done.err.strip() == (
        "mlrunner: The step train failed in its container: ArithmeticError: no convergence, in a module of the user."
    )
