"""The folder of libraries that an image gets: installed here by pip for the image's Python, stripped, compiled.

Nothing is installed inside an image, so no layer ever saw a network, a certificate or a password.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer.docker.requirements import SLIM, Target

DROPPED = frozenset({".pyi", ".pyx", ".pxd", ".pxi", ".h", ".hpp", ".c", ".cpp", ".a", ".lib", ".f90", ".exe"})
FOLDERS = frozenset({"__pycache__", "bin", "include", "doc", "docs", "share"})
TESTS = frozenset({"tests", "test"})
OLDEST = {"x86_64": 5, "aarch64": 17}  # manylinux_2_5 was the first for x86_64, manylinux_2_17 for others
GOMP = "libgomp.so.1"


def prepare(pins: list[str], target: Target, folder: Path, inside: str) -> None:
    """Fill a folder with pinned libraries, as small as they work and compiled.

    Args:
        pins: Every library, each at one version.
        target: The Python that will import them.
        folder: Empty.
        inside: What the folder will be called in the image.

    Raises:
        DeployError: When pip cannot install one of them for this target.
    """
    install(pins, target, folder)
    strip(folder)
    link_openmp(folder)
    compile_all(folder, inside)


def install(pins: list[str], target: Target, folder: Path) -> None:
    """Install wheels for a target with pip, which keeps what it has downloaded.

    Raises:
        DeployError: With pip's own last word.
    """
    done = _pip(pins, target, folder)
    slim = [name for name in SLIM.values() if name in done.stderr]
    if done.returncode != 0 and slim:  # not every version and machine has it
        whole = {short: name for name, short in SLIM.items()}
        done = _pip([_renamed(pin, whole) for pin in pins], target, folder)
    if done.returncode != 0:
        raise DeployError(_refusal(done.stderr, target))


def _renamed(pin: str, names: dict[str, str]) -> str:
    name, equals, version = pin.partition("==")
    return f"{names.get(name, name)}{equals}{version}"


def _pip(pins: list[str], target: Target, folder: Path) -> subprocess.CompletedProcess[str]:
    shutil.rmtree(folder, ignore_errors=True)
    where = ["--python-version", target.version, "--implementation", "cp", *platforms(target)]
    how = ["--quiet", "--no-input", "--no-deps", "--no-compile", "--only-binary=:all:", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *how, "--target", str(folder), *where, *pins]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)


def platforms(target: Target) -> list[str]:
    """Name the platforms whose wheels a target can load, the newest first, as arguments of pip."""
    major, minor = target.glibc
    oldest = OLDEST.get(target.machine, 17)
    names = [f"manylinux_{major}_{older}_{target.machine}" for older in range(minor, oldest - 1, -1)]
    legacy = ["manylinux2014", *(["manylinux2010", "manylinux1"] if target.machine == "x86_64" else []), "linux"]
    return [part for name in [*names, *(f"{old}_{target.machine}" for old in legacy)] for part in ("--platform", name)]


def _refusal(text: str, target: Target) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if any("no space left on device" in line.lower() for line in lines):
        return "The disk is full while pip installs the model's libraries; free some space, or set TMPDIR."
    if any("No module named pip" in line for line in lines):
        return "Building an image needs pip in this environment; install it with `python -m ensurepip`."
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    last = (errors or lines or ["it ended without a word"])[-1]
    system = f"Python {target.minor} on linux {target.machine}"
    return f"pip cannot install the model's libraries for {system}: {last.rstrip('.')[:300]}."


def strip(folder: Path) -> None:
    """Remove what no server imports: tests, stubs, sources of compiled code, scripts, stale bytecode."""
    for root, folders, files in os.walk(folder, topdown=True):
        here = Path(root)
        for name in [name for name in folders if name in FOLDERS and not _is_package(here / name)]:
            shutil.rmtree(here / name)
            folders.remove(name)
        in_tests = not TESTS.isdisjoint(here.relative_to(folder).parts)
        for name in files:
            if Path(name).suffix in DROPPED or (in_tests and _is_test(name)):
                (here / name).unlink()


def _is_package(folder: Path) -> bool:
    return (folder / "__init__.py").exists()


def _is_test(name: str) -> bool:
    """Tell a test from what libraries import out of their folders of tests, like `numpy._core.tests._natype`."""
    return not name.endswith(".py") or name.startswith(("test_", "conftest"))


def link_openmp(folder: Path) -> None:
    """Let a library that expects the system's OpenMP (lightgbm) find the one that came with another."""
    bundled = sorted(folder.glob("*.libs/libgomp-*.so*"))
    if bundled:
        (folder / GOMP).symlink_to(bundled[0].relative_to(folder))


def compile_all(folder: Path, inside: str) -> None:
    """Compile modules so that a start need not, with bytecode that depends on nothing but the source.

    Args:
        folder: Holds the modules.
        inside: What the folder will be called in the image, for tracebacks.
    """
    how = ["-q", "-j", "0", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", inside]
    command = [sys.executable, "-P", "-m", "compileall", *how, str(folder)]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    # A template in a library may be no Python; compileall then exits with 1 and has compiled the rest.
    subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, env=environment, check=False)
