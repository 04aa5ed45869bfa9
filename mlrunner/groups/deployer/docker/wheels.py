"""Download wheels for an image with this machine's configuration of pip.

The build installs them without a network, so that no layer contains an index, a certificate or a password.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer.docker.requirements import CPU_ONLY, Target

OLDEST_GLIBC = {"x86_64": 5, "aarch64": 17}  # manylinux_2_5 was the first for x86_64, manylinux_2_17 for others


def download(pins: list[str], target: Target, folder: Path) -> list[str]:
    """Download wheels for a target, and pip itself, which the base may lack.

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
    if result.returncode != 0:
        raise DeployError(_explain_failure(result.stderr, target))
    return pins


def _rename_pin(pin: str, names: dict[str, str]) -> str:
    name, equals, version = pin.partition("==")
    return f"{names.get(name, name)}{equals}{version}"


def _pip(pins: list[str], target: Target, folder: Path) -> subprocess.CompletedProcess[str]:
    shutil.rmtree(folder, ignore_errors=True)
    where = ["--python-version", target.version, "--implementation", "cp", *list_platforms(target)]
    how = ["--quiet", "--no-input", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "download", *how, "--dest", str(folder), *where, "pip", *pins]
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
        return "The disk is full while pip downloads the model's libraries; free some space, or set TMPDIR."
    if any("No module named pip" in line for line in lines):
        return "Building an image needs pip in this environment; install it with `python -m ensurepip`."
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    last = (errors or lines or ["it ended without a message"])[-1]
    system = f"Python {target.minor} on linux {target.machine}"
    return f"pip cannot install the model's libraries for {system}: {last.rstrip('.')[:300]}."
