"""The default engine has nothing to set."""

from __future__ import annotations

from mlrunner.core.build import build
from mlrunner.groups.executor import Engine, LocalEngine


def test_this_machine_has_no_settings_and_no_problems() -> None:
    built = build({"_target_": "mlrunner.groups.executor.LocalEngine"}, "executor", Engine)
    assert (built, built.problems()) == (LocalEngine(), [])
