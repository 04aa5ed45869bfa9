"""The user's modules travel; installed ones and mlrunner's own do not."""

from __future__ import annotations

import importlib
import io
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import mlrunner
from mlrunner.core.user_code import ModulePacker, cache_folder, is_installed, unpack_modules


def test_modules_of_the_user_travel_with_their_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "single_module.py").write_text("X = 1\n")
    (tmp_path / "whole_package" / "inner").mkdir(parents=True)
    for name in ("__init__", "used", "unused", "inner/__init__"):
        (tmp_path / "whole_package" / f"{name}.py").write_text("Y = 2\n")
    monkeypatch.syspath_prepend(tmp_path)
    names = ("single_module", "whole_package.used")
    for name in names:
        importlib.import_module(name)
    try:
        packer = ModulePacker()
        code = packer.pack()
        assert packer.pack() is code
        assert ModulePacker().pack() == code
    finally:
        for name in (*names, "whole_package"):
            del sys.modules[name]
    files = {name for name in zipfile.ZipFile(io.BytesIO(code)).namelist() if "single" in name or "whole" in name}
    package = {f"whole_package/{name}.py" for name in ("__init__", "used", "unused", "inner/__init__")}
    assert files == {"single_module.py", *package}
    (folder,) = unpack_modules(code)
    assert unpack_modules(code) == (folder,)
    assert (Path(folder) / "whole_package" / "unused.py").read_text() == "Y = 2\n"
    assert unpack_modules(b"") == ()


def test_what_is_installed_stays() -> None:
    assert is_installed(Path(str(np.__file__)))
    assert is_installed(Path(str(mlrunner.__file__)))
    assert is_installed(Path(zipfile.__file__))
    assert not is_installed(Path("/somewhere/mine.py"))


def test_a_folder_of_this_user_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = cache_folder("tables")
    assert folder.is_relative_to(tmp_path)
    assert all(level.stat().st_mode & 0o077 == 0 for level in (folder, folder.parent))
