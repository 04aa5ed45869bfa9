"""Processes of `deployer=local`; whole deployments are in `tests/apps/test_deploy.py`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer import local
from mlrunner.groups.deployer.release import Server
from mlrunner.serving import identity
from tests.support.local_deployer import make_local_deployer


def test_server_is_alive_while_its_process_runs_with_its_token(tmp_path: Path) -> None:
    deployer, token = make_local_deployer(tmp_path), f"token-of-{tmp_path.name}"
    command = [sys.executable, "-c", "print(flush=True); input()", identity.instance_name(token)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()  # a process that has just been forked has no command line yet
        assert deployer.is_alive(Server(1, "", "", token, process.pid))
        assert not deployer.is_alive(Server(1, "", "", "another token", process.pid))
    finally:
        process.communicate(b"\n")
    assert not deployer.is_alive(Server(1, "", "", token, process.pid))
    assert not deployer.is_alive(Server(1, "", "", token, 0))


def test_a_stack_without_a_model_deployer_is_refused() -> None:
    with pytest.raises(DeployError, match=r"which stack default does not have; register one and add it to the stack"):
        local._require_deployer(SimpleNamespace(name="default", model_deployer=None))
