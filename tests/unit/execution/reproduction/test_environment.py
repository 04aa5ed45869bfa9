"""Recorded virtual environments: what is installed, and what is refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tarfile
from pathlib import Path
from threading import Timer

import pytest

from mlrunner.core.errors import StoreError
from mlrunner.execution.reproduction import environment
from mlrunner.tracking.records.snapshot import Provenance

PYTHON = sys.version.split()[0]
SIX = Provenance(python=PYTHON, packages={"six": "1.17.0"})


def test_only_names_and_versions_are_installed() -> None:
    provenance = Provenance(
        packages={
            "pandas": "3.0",
            "mlrunner": "0.1.0",
            "pip": "25",
            "evil": "1.0@http://x",
            "local": "1.0+cpu",
            "--find-links": "evil",
        }
    )
    assert environment.list_requirements(provenance) == ["pandas==3.0", "local==1.0+cpu"]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the interpreter of an environment with one package."""
    return environment.make_environment(SIX, tmp_path_factory.mktemp("environments"))


@pytest.mark.slow
def test_an_environment_is_created_once(python: Path) -> None:
    child = subprocess.run([python, "-c", "import six; print(six.__version__)"], capture_output=True, text=True)
    assert child.stdout == "1.17.0\n"
    before = python.stat().st_mtime_ns
    assert environment.make_environment(SIX, python.parents[2]) == python
    assert python.stat().st_mtime_ns == before


@pytest.mark.slow
def test_an_unavailable_package_is_named(tmp_path: Path) -> None:
    then = Provenance(python=PYTHON, packages={"six": "999.0"})
    with pytest.raises(
        StoreError, match=r"environment cannot be created: a wheel of a recorded package is not available.*six==999\.0"
    ):
        environment.make_environment(then, tmp_path)
    assert not list(tmp_path.glob("*/.complete"))


@pytest.mark.slow
def test_the_setup_of_a_source_package_is_not_run(
    python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L16 of the attack findings: the store names the packages."""
    source, links = tmp_path / "evilpkg-1.0", tmp_path / "links"
    source.mkdir()
    links.mkdir()
    (source / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: evilpkg\nVersion: 1.0\n")
    (source / "evil.py").write_text(f"open({str(tmp_path / 'pwned')!r}, 'w')\n")
    backend = 'requires = []\nbuild-backend = "evil"\nbackend-path = ["."]\n'
    (source / "pyproject.toml").write_text(f"[build-system]\n{backend}")
    with tarfile.open(links / "evilpkg-1.0.tar.gz", "w:gz") as archive:
        archive.add(source, "evilpkg-1.0")
    for tool in ("UV", "PIP"):
        monkeypatch.setenv(f"{tool}_FIND_LINKS", str(links))
        monkeypatch.setenv(f"{tool}_NO_INDEX", "1")
    (tmp_path / "requirements.txt").write_text("evilpkg==1.0\n")
    with pytest.raises(StoreError, match="a wheel of a recorded package is not available"):
        environment._install(python, tmp_path / "requirements.txt")
    assert not (tmp_path / "pwned").exists()


def test_a_path_is_no_version_of_python(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="'/tmp/evil' is not a version of Python"):
        environment.make_environment(Provenance(python="/tmp/evil"), tmp_path)


def test_an_interrupted_child_ends_by_itself() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.5); raise SystemExit(7)"])
    Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        assert environment.wait_for_child(child) == 7  # subprocess.run would kill it after a quarter of a second
    finally:
        signal.signal(signal.SIGINT, before)
