"""ZenML starts the command line of our server; a whole service is in `tests/apps/test_deploy.py`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from uuid import uuid4

from mlrunner.groups.deployer import daemons, zenml_service
from mlrunner.groups.deployer.zenml_service import ModelService, ModelServiceConfig


def test_zenml_starts_our_command(tmp_path: Path) -> None:
    config = ModelServiceConfig(
        name="olist-1",
        model_uri="models:/m-1",
        model_name="olist",
        command=[sys.executable, "-c", "print('our command')"],
        root_runtime_path=str(tmp_path),
    )
    service = ModelService(uuid=uuid4(), config=config, endpoint=zenml_service._build_endpoint(1))
    service.start(timeout=0)
    log, deadline = Path(str(service.status.log_file)), time.monotonic() + 20
    while daemons.read_last_lines(log) != "our command" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert daemons.read_last_lines(log) == "our command"
    assert daemons.read_pid(Path(str(service.status.pid_file))) > 0
