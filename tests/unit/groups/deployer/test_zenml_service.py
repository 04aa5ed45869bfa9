"""ZenML starts the command line of our server; a whole service is in `tests/apps/test_deploy.py`."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from pathlib import Path
from uuid import uuid4

import pytest
from zenml.services.local import local_service

from mlrunner.groups.deployer import daemons, zenml_service
from mlrunner.groups.deployer.zenml_service import ModelService, ModelServiceConfig


def test_zenml_starts_our_command_and_takes_its_process_for_ours(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = ModelServiceConfig(
        name="olist-1",
        model_uri="models:/m-1",
        model_name="olist",
        command=[sys.executable, "-uc", "import time; print('our command'); time.sleep(60)"],
        root_runtime_path=str(tmp_path),
    )
    service = ModelService(uuid=uuid4(), config=config, endpoint=zenml_service._build_endpoint(1))
    service.start(timeout=0)
    log, deadline = Path(str(service.status.log_file)), time.monotonic() + 20
    while daemons.read_last_lines(log) != "our command" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert daemons.read_last_lines(log) == "our command"
    pid = daemons.read_pid(Path(str(service.status.pid_file)))
    monkeypatch.setattr(logging.getLogger(local_service.__name__), "handlers", [caplog.handler])
    stored = ModelService(uuid=service.uuid, config=config, status=service.status.model_dump())
    assert stored.status.pid == pid > 0
    assert caplog.records == []
    os.kill(pid, signal.SIGKILL)
