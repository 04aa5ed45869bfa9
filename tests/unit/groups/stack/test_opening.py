"""Opening of the stores of a sweep; whole sweeps are in `tests/apps`."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from mlrunner.core.environment import STACK_VARIABLE
from mlrunner.core.errors import ConfigError
from mlrunner.groups.stack import LocalStack
from mlrunner.groups.stack.opening import open_stack


def test_refused_stack_starts_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STACK_VARIABLE, "another")
    before = multiprocessing.active_children()
    with pytest.raises(ConfigError, match="run each stack in its own command"):
        open_stack(LocalStack(name="s", tracking_uri="sqlite:////db"), tmp_path, modules=["json"], method="spawn")
    assert multiprocessing.active_children() == before
    assert list(tmp_path.iterdir()) == []
