"""The image of a release, built from a Dockerfile in the release's folder that can also be built by hand.

The libraries become an image of their own, named by its content, so that a new version of a model is built in a second.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import FileLock

from mlrunner.core.errors import DeployError
from mlrunner.core.model_code import copy_model_code
from mlrunner.groups.deployer.docker import base_image, dockerfile, wheels
from mlrunner.groups.deployer.docker.engine import explain, faults, find
from mlrunner.groups.deployer.docker.requirements import closure, here
from mlrunner.groups.deployer.release import Release
from mlrunner.groups.deployer.resource_names import repository

log = logging.getLogger(__name__)

PINS = "mlrunner.requirements"  # the label that holds what is installed


def tag_of(release: Release, named: str) -> str:
    """Name the image of a release."""
    return f"{repository(named)}:{release.version}"


def ensure(client: Any, release: Release, base: str, named: str) -> str:
    """Make the image of a release; the engine's cache keeps an unchanged one.

    Args:
        client: Client of Docker's engine.
        release: The release that it serves; its version is the image's tag.
        base: An image with Python and glibc.
        named: Repository of the image.

    Raises:
        DeployError: When the base cannot be pulled or does not fit, or a library cannot be installed.
    """
    tag = tag_of(release, named)
    shared = _libraries(client, release, base)
    write(release, base, named, shared.labels[PINS].split())
    before = find(client, tag)
    with tempfile.NamedTemporaryFile("w", prefix="mlrunner-dockerfile-") as file:
        file.write(dockerfile.on_libraries(shared.id))
        file.flush()
        _build(client, release.folder, tag, dockerfile=file.name)
    if before is not None and before.id != client.images.get(tag).id:
        with suppress(faults().APIError):  # a container may still run on it
            client.images.remove(before.id)
    return tag


def write(release: Release, base: str, named: str, pins: list[str] | None = None) -> None:
    """Complete the folder of a release, so that `docker build` makes an image of it.

    Args:
        release: The release; its folder gets `Dockerfile`, `requirements.txt` and `code/`.
        base: An image with Python and glibc.
        named: Repository of the image.
        pins: Requirements, each at one version; None takes those of the model as installed here.
    """
    lines = pins or closure(_requirements(release), here())
    (release.folder / dockerfile.REQUIREMENTS).write_text("".join(f"{line}\n" for line in lines))
    (release.folder / dockerfile.NAME).write_text(dockerfile.whole(tag_of(release, named), base))
    code = release.folder / dockerfile.CODE_FOLDER
    shutil.rmtree(code, ignore_errors=True)
    code.mkdir()
    copy_model_code(code)
    _compile(code)
    for path in (release.folder, *release.folder.rglob("*")):  # the server is another user than the one who builds
        path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))


def _requirements(release: Release) -> list[str]:
    return (release.model / "requirements.txt").read_text().splitlines()


def _compile(folder: Path) -> None:
    """Compile modules so that a start need not; equal sources make equal bytecode, which the engine's cache knows."""
    how = ["-q", "-j", "0", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", dockerfile.CODE]
    command = [sys.executable, "-P", "-m", "compileall", *how, str(folder)]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, env=environment, check=False)


def _libraries(client: Any, release: Release, base: str) -> Any:
    """Make the image of the libraries, unless it is there already; two processes that need it make it once."""
    found = find(client, base) or base_image.pull(client, base)
    requirements = _requirements(release)
    content = "\n".join([dockerfile.libraries(base), found.id, *closure(requirements, here())])
    tag = f"mlrunner-libraries:{hashlib.sha256(content.encode()).hexdigest()[:16]}"
    lock = Path(tempfile.gettempdir()) / f"mlrunner-libraries-{os.getuid()}.lock"  # the engine is the machine's
    with FileLock(lock):
        return find(client, tag) or _install(client, requirements, found.id, base, tag)


def _install(client: Any, requirements: list[str], found: str, base: str, tag: str) -> Any:
    target = base_image.ask(client, found, base)
    with tempfile.TemporaryDirectory(prefix="mlrunner-image-") as work:
        folder = Path(work)
        pins = wheels.download(closure(requirements, target), target, folder / dockerfile.WHEELS)
        log.info("building %s with %s", tag, ", ".join(pins))
        (folder / dockerfile.REQUIREMENTS).write_text("".join(f"{line}\n" for line in pins))
        (folder / dockerfile.NAME).write_text(dockerfile.libraries(base))
        arguments = {"BASE": found, "PIP_NO_INDEX": "1", "STAGE": tag}
        how = {"buildargs": arguments, "network_mode": "none", "labels": {PINS: " ".join(pins)}}
        _build(client, folder, tag, **how)
    with suppress(faults().APIError):  # the engine's own builder keeps what the first stage left
        client.images.prune({"dangling": True, "label": f"{dockerfile.STAGE}={tag}"})
    return client.images.get(tag)


def _build(client: Any, folder: Path, tag: str, **how: Any) -> None:
    try:
        client.images.build(path=str(folder), tag=tag, rm=True, forcerm=True, **how)
    except faults().BuildError as error:
        raise DeployError(f"The image {tag} cannot be built. {explain(error, _complaint(error))}") from error


def _complaint(error: Any) -> str:
    """Pick the last error that a command of the build printed."""
    lines = "".join(part.get("stream", "") for part in error.build_log).splitlines()
    return re.sub(r"\x1b\[[0-9;]*m", "", next((line for line in reversed(lines) if "error" in line.lower()), ""))
