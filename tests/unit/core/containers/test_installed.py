"""Files of packages that are installed here, for an image."""

from __future__ import annotations

import base64
import hashlib
import importlib
import os
import py_compile
from pathlib import Path

import pytest

from mlrunner.core.containers import installed, wheels
from mlrunner.core.containers.pins import Target

PLATFORMS = wheels.list_platforms(Target("3.11.2", "x86_64", (2, 28)))[1::2]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder in which packages are installed."""
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    return tmp_path


def add_package(site: Path, tag: str = "py3-none-any", installer: str = "uv", **more: str) -> dict[str, str]:
    """Install the package `made` in version 1.0, and return its files."""
    files = {"made/__init__.py": "X = 1\n", "made/core.pyi": "", "made/tests/test_x.py": "", "made/tests/tools.py": ""}
    facts = {"METADATA": "Metadata-Version: 2.1\nName: made\nVersion: 1.0\n", "WHEEL": f"Tag: {tag}\n"}
    files |= {f"made-1.0.dist-info/{name}": text for name, text in {**facts, "INSTALLER": installer, **more}.items()}
    lines = ["../../../bin/made,,", "made/__pycache__/__init__.cpython-311.pyc,,", "made-1.0.dist-info/RECORD,,"]
    for name, text in files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        lines.append(f"{name},sha256={digest},{len(text)}")
    (site / "made-1.0.dist-info" / "RECORD").write_text("\n".join(lines))
    return files


def test_an_installed_package_is_taken_without_what_nothing_imports(site: Path) -> None:
    files = {*add_package(site), "made-1.0.dist-info/RECORD"} - {"made/core.pyi", "made/tests/test_x.py"}
    assert installed.find_files("made==1.0", PLATFORMS) == {name: site / name for name in files}


@pytest.mark.parametrize(
    "tag", ["cp311-cp311-manylinux_2_17_x86_64", "cp36-abi3-manylinux2014_x86_64.manylinux_2_28_x86_64"]
)
def test_compiled_code_is_taken_where_the_image_can_load_it(site: Path, tag: str) -> None:
    add_package(site, tag)
    assert installed.find_files("made==1.0", PLATFORMS) is not None


@pytest.mark.parametrize(
    ("tag", "installer"),
    [
        ("cp311-cp311-manylinux_2_34_x86_64", "uv"),
        ("cp311-cp311-manylinux_2_17_aarch64", "uv"),
        ("cp311-cp311-linux_x86_64", "pip"),  # built here, with libraries of this machine
        ("cp311-cp311-macosx_11_0_arm64", "pip"),
        ("py3-none-any", "conda"),
    ],
)
def test_other_packages_need_a_wheel(site: Path, tag: str, installer: str) -> None:
    add_package(site, tag, installer)
    assert installed.find_files("made==1.0", PLATFORMS) is None


def test_another_version_a_changed_file_and_a_local_package_need_a_wheel(site: Path) -> None:
    add_package(site)
    assert installed.find_files("made==2.0", PLATFORMS) is None
    assert installed.find_files("unmade==1.0", PLATFORMS) is None
    (site / "made" / "__init__.py").write_text("X = 2\n")
    assert installed.find_files("made==1.0", PLATFORMS) is None
    add_package(site, **{"direct_url.json": "{}"})
    assert installed.find_files("made==1.0", PLATFORMS) is None
    (site / "made-1.0.dist-info" / "direct_url.json").unlink()
    assert installed.find_files("made==1.0", PLATFORMS) is None  # a file is missing


def test_stale_bytecode_is_not_taken(tmp_path: Path) -> None:
    source = tmp_path / "module.py"
    source.write_text("X = 1\n")
    assert installed.find_bytecode(source) is None
    py_compile.compile(str(source), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.TIMESTAMP)
    found = installed.find_bytecode(source)
    assert found is not None
    assert found.parent == tmp_path / "__pycache__"
    os.utime(source, (1, 1))
    assert installed.find_bytecode(source) is None


@pytest.mark.parametrize(
    ("name", "unused"),
    [
        ("numpy/core/a.h", True),
        ("numpy/core/a.lib", True),
        ("scipy.libs/libx.so.1", False),
        ("x/test/data/file.csv", True),
        ("x/tests/conftest.py", True),
        ("x/tests/common.py", False),
        ("tests/test_x.py", True),
        ("latests/test_x.py", False),
        ("x/test_x.py", False),
        ("bin/x", True),
        ("x/bin/x", False),
        ("x/a.c", True),
        ("x/a.cc", False),
    ],
)
def test_what_nothing_imports(name: str, unused: bool) -> None:
    assert installed.is_unused(name) is unused
