"""Bytecode for an image."""

from __future__ import annotations

import os
from pathlib import Path

from mlrunner.core.containers.bytecode import compile_folder


def test_bytecode_does_not_depend_on_when_and_where_it_is_made(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "module.py").write_text("X = {'a', 'b', 'c'}\n")
        os.utime(tmp_path / name / "module.py", (1 + len(name), 1))
        compile_folder(tmp_path / name, "/opt/mlrunner/code")
    first, second = (next((tmp_path / name).rglob("*.pyc")).read_bytes() for name in ("one", "two"))
    assert first == second
    assert b"/opt/mlrunner/code/module.py" in first
