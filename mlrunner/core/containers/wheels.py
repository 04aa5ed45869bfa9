"""Download wheels for an image with this machine's configuration of pip, and install them into a folder."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from mlrunner.core.containers.pins import CPU_ONLY, Target
from mlrunner.core.errors import DeployError

OLDEST_GLIBC = {"x86_64": 5, "aarch64": 17}  # manylinux_2_5 was the first for x86_64, manylinux_2_17 for others


def download(pins: list[str], target: Target, folder: Path) -> list[str]:
    """Download wheels for a target.

    Args:
        pins: Pinned requirements.
        target: Python that imports them.
        folder: Folder for the wheels; its content is deleted first.

    Returns:
        The downloaded pins, with the full package where its CPU-only variant does not exist.

    Raises:
        DeployError: With pip's message.
    """
    result = _pip(pins, target, folder)
    cpu_only = [name for name in CPU_ONLY.values() if name in result.stderr]
    if result.returncode != 0 and cpu_only:  # not every version and machine has them
        full = {short: name for name, short in CPU_ONLY.items()}
        pins = [_rename_pin(pin, full) for pin in pins]
        result = _pip(pins, target, folder)
    sources: list[str] = []
    while result.returncode != 0 and (missing := _find_missing(result.stderr, pins)) not in (None, *sources):
        sources.append(str(missing))
        result = _pip([pin for pin in pins if pin not in sources], target, folder)
    if result.returncode == 0 and sources:
        result = _build_wheels(sources, folder)
    if result.returncode != 0:
        raise DeployError(_explain_failure(result.stderr, target))
    return pins


def install(pins: list[str], target: Target, wheels: Path, folder: Path) -> list[str]:
    """Download wheels and install them into an empty folder, without bytecode.

    Args:
        pins: Pinned requirements.
        target: Python that imports them.
        wheels: Folder for the wheels; its content is deleted first.
        folder: Folder for the packages.

    Returns:
        The pins as `download` returns them.

    Raises:
        DeployError: With pip's message.
    """
    downloaded = download(pins, target, wheels)
    how = ["--target", str(folder), "--no-compile", "--no-index", "--find-links", str(wheels), *_select_wheels(target)]
    result = _run_pip("install", *how, *downloaded)
    if result.returncode != 0:
        raise DeployError(_explain_failure(result.stderr, target))
    return downloaded


def _find_missing(text: str, pins: list[str]) -> str | None:
    """Find the pin for which the index has no wheel; None when pip failed for another reason."""
    missing = re.search(r"No matching distribution found for (\S+)", text)
    return missing[1] if missing is not None and missing[1] in pins else None


def _build_wheels(pins: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Build the wheels of packages that are published as source alone; one with compiled code fits no other machine."""
    built = _run_pip("wheel", "--wheel-dir", str(folder), *pins)
    pure = [file.name.partition("-")[0].lower() for file in folder.glob("*-none-any.whl")]
    compiled = [pin for pin in pins if pin.partition("==")[0].replace("-", "_").lower() not in pure]
    if built.returncode == 0 and compiled:
        reason = f"ERROR: No wheel of {compiled[0]}, which holds compiled code"
        return subprocess.CompletedProcess(built.args, 1, "", reason)
    return built


def _rename_pin(pin: str, names: dict[str, str]) -> str:
    name, equals, version = pin.partition("==")
    return f"{names.get(name, name)}{equals}{version}"


def _pip(pins: list[str], target: Target, folder: Path) -> subprocess.CompletedProcess[str]:
    shutil.rmtree(folder, ignore_errors=True)
    return _run_pip("download", "--dest", str(folder), *_select_wheels(target), *pins)


def _select_wheels(target: Target) -> list[str]:
    """Return the arguments of pip for wheels that a target can load."""
    where = ["--python-version", target.version, "--implementation", "cp", *list_platforms(target)]
    return ["--only-binary=:all:", *where]


def _run_pip(verb: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    how = ["--quiet", "--no-input", "--no-deps", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", verb, *how, *arguments]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)


def list_platforms(target: Target) -> list[str]:
    """List the platforms whose wheels a target can load, newest first, as arguments of pip."""
    major, minor = target.glibc
    oldest = OLDEST_GLIBC.get(target.machine, 17)
    names = [f"manylinux_{major}_{older}_{target.machine}" for older in range(minor, oldest - 1, -1)]
    legacy = ["manylinux2014", *(["manylinux2010", "manylinux1"] if target.machine == "x86_64" else []), "linux"]
    return [part for name in [*names, *(f"{old}_{target.machine}" for old in legacy)] for part in ("--platform", name)]


def _explain_failure(text: str, target: Target) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if any("no space left on device" in line.lower() for line in lines):
        return "The disk is full while pip downloads libraries; free some space, or set TMPDIR."
    if any("No module named pip" in line for line in lines):
        return "Building an image needs pip in this environment; install it with `python -m ensurepip`."
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    last = (errors or lines or ["it ended without a message"])[-1]
    system = f"Python {target.minor} on linux {target.machine}"
    return f"pip cannot install the libraries for {system}: {last.rstrip('.')[:300]}."
