"""A layer of libraries: which files, and as which archive."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from mlrunner.core.containers import installed, layer
from mlrunner.core.containers.pins import Target

TARGET = Target("3.11.2", "x86_64", (2, 28))


def test_source_without_bytecode_is_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "made.py"
    source.write_text("X = 1\n")
    monkeypatch.setattr(installed, "find_files", lambda *_: {"made/__init__.py": source})
    (tmp_path / "work").mkdir()
    files, pins = layer.collect(["made==1"], TARGET, tmp_path / "work", "/site")
    assert pins == ["made==1"]
    names = sorted(name.partition(".")[0] for name in files)
    assert names == ["made/__init__", "made/__pycache__/__init__"]


def test_an_archive_belongs_to_root_and_everyone_may_read_it(tmp_path: Path) -> None:
    for name, mode in (("one.py", 0o600), ("two", 0o700), ("libgomp-1.so.1", 0o644)):
        (tmp_path / name).write_text(name * 400)
        (tmp_path / name).chmod(mode)
    long = "folder/" * 30 + "one.py"
    files = {long: tmp_path / "one.py", "two": tmp_path / "two", "x.libs/libgomp-1.so.1": tmp_path / "libgomp-1.so.1"}
    with tarfile.open(fileobj=io.BytesIO(b"".join(layer.archive(files, "opt/site")))) as archive:
        members = {member.name: member for member in archive}
        content = archive.extractfile(f"opt/site/{long}")
        assert content is not None
        assert content.read().decode() == "one.py" * 400
    assert {members[name].mode for name in ("opt", "opt/site", "opt/site/x.libs", "opt/site/two")} == {0o755}
    assert members[f"opt/site/{long}"].mode == 0o644
    assert {(member.uid, member.gid) for member in members.values()} == {(0, 0)}
    assert members["opt/site/libgomp.so.1"].linkname == "x.libs/libgomp-1.so.1"
