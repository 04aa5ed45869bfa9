"""The steps of each pipeline and what each waits for, from a process of its own with its own ZenML store."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.support.front_door import PROJECT, environment


@pytest.fixture(scope="package")
def described(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("pipelines")
    variables = {**environment(home), "ZENML_CONFIG_PATH": str(home), "PYTHONPATH": str(PROJECT)}
    process = subprocess.run(
        [sys.executable, "-m", "tests.support.pipeline_shapes"],
        env=variables,
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert process.returncode == 0, process.stderr
    result: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return result


@pytest.fixture
def shapes(described: dict[str, Any]) -> dict[str, dict[str, list[str]]]:
    """Upstream steps by pipeline and step."""
    result: dict[str, dict[str, list[str]]] = described["shapes"]
    return result
