"""The steps of each pipeline and what each waits for, from a process of its own with its own ZenML store."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.front_door import export_variables, run_program

PROGRAM = "from tests.support.pipeline_shapes import main; main()"


@pytest.fixture(scope="package")
def described(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("pipelines")
    done = run_program(home, PROGRAM, **export_variables(home))
    assert done.code == 0, done.err
    result: dict[str, Any] = json.loads(done.out.splitlines()[-1])
    return result


@pytest.fixture
def shapes(described: dict[str, Any]) -> dict[str, dict[str, list[str]]]:
    """Upstream steps by pipeline and step."""
    result: dict[str, dict[str, list[str]]] = described["shapes"]
    return result
