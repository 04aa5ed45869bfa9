"""Containers of steps are known by their labels, and orphans by the death of their driver."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from docker.errors import NotFound

from mlrunner.core.containers.step_containers import (
    DRIVER_LABEL,
    HOME_LABEL,
    RUN_LABEL,
    find_orphans,
    label_container,
    remove_containers,
)
from tests.support.released import BASE

PRINT_LABELS = """
import json
from mlrunner.core.containers.step_containers import label_container
print(json.dumps(label_container('1')))
"""


def label_of_a_dead_driver(home: Path) -> dict[str, str]:
    """Return the labels that a process has given which has ended."""
    variables = {**os.environ, "MLRUNNER_HOME": str(home)}
    done = subprocess.run([sys.executable, "-c", PRINT_LABELS], env=variables, capture_output=True, check=True)
    return dict(json.loads(done.stdout))


@pytest.mark.docker
@pytest.mark.timeout(300)
def test_only_containers_of_a_dead_driver_of_this_home_are_orphans(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    dead, alive = label_of_a_dead_driver(tmp_path), label_container(uuid4().hex)
    elsewhere = {**dead, DRIVER_LABEL: f"host/1/2/3 {dead[DRIVER_LABEL].partition(' ')[2]}"}
    other_home = {**dead, HOME_LABEL: str(tmp_path / "other")}
    unlabelled = {RUN_LABEL: alive[RUN_LABEL], HOME_LABEL: str(tmp_path)}
    labels = [dead, alive, elsewhere, other_home, unlabelled]
    containers = [client.containers.create(BASE, ["sleep", "600"], labels=each) for each in labels]
    try:
        assert find_orphans(client, tmp_path) == containers[:1]
        remove_containers(client, alive[RUN_LABEL])
        for index in (1, 4):
            with pytest.raises(NotFound):
                containers[index].reload()
        for index in (0, 2, 3):
            containers[index].reload()
    finally:
        for index in (0, 2, 3):
            containers[index].remove(force=True)
