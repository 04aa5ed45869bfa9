"""Variables of a process that runs one step in a container."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.core import one_step


def test_such_a_process_has_our_variables_and_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    monkeypatch.setenv("MLRUNNER_TRUSTED", "mine")
    monkeypatch.setenv("MLRUNNER_TOKEN", "a secret")
    monkeypatch.delenv("MLRUNNER_VERBOSE", raising=False)
    assert not one_step.is_here()
    variables = one_step.variables()
    assert variables == {
        "OMP_WAIT_POLICY": "passive",
        "MLRUNNER_TRUSTED": "mine",
        "MLRUNNER_HOME": str(tmp_path),
        "MLRUNNER_ONE_STEP": "1",
    }
    monkeypatch.setenv(one_step.VARIABLE, variables[one_step.VARIABLE])
    assert one_step.is_here()
