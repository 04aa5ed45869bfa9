"""Options of a pipeline whose steps run in containers, and the errors of its steps."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest
from docker.errors import NotFound

from mlrunner.core.containers.step_containers import DRIVER_LABEL, HOME_LABEL, RUN_LABEL, label_container
from mlrunner.core.errors import DataError, MlrunnerError, StepError
from mlrunner.groups.stack import LocalStack
from mlrunner.groups.stack.orchestrator import Orchestrator, launching
from mlrunner.groups.stack.orchestrator.placement import Placement
from tests.support.released import BASE, docker_client

STACK = LocalStack(name="docker", tracking_uri="sqlite:////home/mlflow.db")


def test_the_arguments_of_the_component_are_kept() -> None:
    own = {
        "network_mode": "host",
        "remove": False,
        "volumes": {"/models": {"bind": "/models", "mode": "ro"}},
        "labels": {"team": "a"},
        "environment": {"AWS_SECRET_ACCESS_KEY": "{{aws.secret}}"},
    }
    placement = Placement(Orchestrator("docker", "local_docker", {"run_args": own}), STACK, {}, {"/home": "rw"})
    assert launching._run_args(placement, "7") == {
        **own,
        "user": f"{os.getuid()}:{os.getgid()}",
        "volumes": {"/home": {"bind": "/home", "mode": "rw"}, **own["volumes"]},
        "labels": {"team": "a", **label_container("7")},
    }


@pytest.mark.parametrize(
    ("source", "message", "expected"),
    [
        ("mlrunner.core.errors.DataError", "The file is gone.", DataError("The file is gone.")),
        ("mlrunner.core.errors.ProblemsError", "One.\nTwo.", StepError("One.\nTwo.")),
        ("ValueError", "no\nmore", StepError("The step train failed in its container: ValueError: no.")),
        (None, None, StepError("The step train failed in its container: error: KeyError: 'a'.")),
    ],
)
def test_the_error_of_a_step_is_raised_again(source: str | None, message: str | None, expected: MlrunnerError) -> None:
    info = SimpleNamespace(source=source, message=message, traceback="Traceback:\n  …\nKeyError: 'a'\n")
    restored = launching._restore_error("train", info)
    assert (type(restored), str(restored)) == (type(expected), str(expected))


@pytest.mark.docker
@pytest.mark.timeout(300)
def test_an_interrupted_command_removes_its_container_and_no_other() -> None:
    placement, names = Placement(Orchestrator("docker", "local_docker", {}), STACK, {}, {}), (uuid4().hex, uuid4().hex)
    client = docker_client()
    own, other = (
        client.containers.run(BASE, ["sleep", "600"], detach=True, init=True, labels={RUN_LABEL: name})
        for name in names
    )
    try:
        with pytest.raises(KeyboardInterrupt), launching._ended_with_the_command(placement, names[0]):
            raise KeyboardInterrupt
        with pytest.raises(NotFound):
            own.reload()
        other.reload()
        assert other.status == "running"
    finally:
        other.remove(force=True)
        client.close()


@pytest.mark.docker
@pytest.mark.timeout(300)
def test_the_next_command_removes_the_container_of_one_that_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    alive, dead = label_container(uuid4().hex), label_container(uuid4().hex)
    dead[DRIVER_LABEL] = f"{dead[DRIVER_LABEL].rpartition(' ')[0]} 1.0"  # another process had this process ID
    assert dead[HOME_LABEL] == str(tmp_path)
    client = docker_client()
    options = {"detach": True, "init": True}
    killed, other = (client.containers.run(BASE, ["sleep", "600"], labels=each, **options) for each in (dead, alive))
    try:
        launching._remove_orphans()
        with pytest.raises(NotFound):
            killed.reload()
        other.reload()
        assert other.status == "running"
        assert caplog.messages == [f"removing the container {killed.name} of a command that was killed"]
    finally:
        other.remove(force=True)
        client.close()


def test_the_last_line_of_a_container_is_its_reason() -> None:
    error = RuntimeError("x")
    assert launching._last_line(error) == ""
    error.stderr = b"Traceback\nImportError: no zenml.\n"  # type: ignore[attr-defined]
    assert launching._last_line(error) == "ImportError: no zenml"
