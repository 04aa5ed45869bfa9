"""Build the image of a release from a Dockerfile in its folder, which can also be built by hand.

The libraries become an image of their own, named by its content, so that a new model version is built in a second.
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

from mlrunner.core.environment import child_environment
from mlrunner.core.errors import DeployError
from mlrunner.core.model_code import copy_model_code
from mlrunner.groups.deployer.docker import base_image, dockerfile, wheels
from mlrunner.groups.deployer.docker.engine import docker_errors, explain, find_image
from mlrunner.groups.deployer.docker.requirements import get_local_target, pin_requirements
from mlrunner.groups.deployer.release import Release
from mlrunner.groups.deployer.resource_names import format_repository

log = logging.getLogger(__name__)

PINS_LABEL = "mlrunner.requirements"  # label that lists the installed requirements


def build_tag(release: Release, name: str) -> str:
    """Build the tag of the image of a release."""
    return f"{format_repository(name)}:{release.version}"


def ensure_image(client: Any, release: Release, base: str, name: str) -> str:
    """Build the image of a release; an unchanged one comes from the engine's cache.

    Args:
        client: Client of Docker's engine.
        release: Release to serve; its version is the tag of the image.
        base: Name of a base image with Python and glibc.
        name: Repository of the image.

    Raises:
        DeployError: When the base cannot be pulled or does not fit, or a library cannot be installed.
    """
    tag = build_tag(release, name)
    libraries = _ensure_libraries(client, release, base)
    write_build_folder(release, base, name, libraries.labels[PINS_LABEL].split())
    before = find_image(client, tag)
    with tempfile.NamedTemporaryFile("w", prefix="mlrunner-dockerfile-") as file:
        file.write(dockerfile.render_last_stage(libraries.id))
        file.flush()
        _build(client, release.folder, tag, dockerfile=file.name)
    if before is not None and before.id != client.images.get(tag).id:
        with suppress(docker_errors().APIError):  # a container may still use it
            client.images.remove(before.id)
    return tag


def write_build_folder(release: Release, base: str, name: str, pins: list[str] | None = None) -> None:
    """Write the files for `docker build` into the folder of a release.

    Args:
        release: Release, whose folder receives `Dockerfile`, `requirements.txt` and `code/`.
        base: Name of a base image with Python and glibc.
        name: Repository of the image.
        pins: Pinned requirements; None takes those of the model as installed here.
    """
    lines = pins or pin_requirements(_read_requirements(release), get_local_target())
    (release.folder / dockerfile.REQUIREMENTS).write_text("".join(f"{line}\n" for line in lines))
    (release.folder / dockerfile.NAME).write_text(dockerfile.render(build_tag(release, name), base))
    code = release.folder / dockerfile.CODE_FOLDER
    shutil.rmtree(code, ignore_errors=True)
    code.mkdir()
    copy_model_code(code)
    _compile(code)
    for path in (release.folder, *release.folder.rglob("*")):  # the server runs as another user than the build
        path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))


def _read_requirements(release: Release) -> list[str]:
    return (release.model / "requirements.txt").read_text().splitlines()


def _compile(folder: Path) -> None:
    """Compile modules for a faster start; bytecode is reproducible, so that the engine's cache stays valid."""
    how = ["-q", "-j", "0", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", dockerfile.CODE]
    command = [sys.executable, "-P", "-m", "compileall", *how, str(folder)]
    environment = child_environment(PYTHONHASHSEED="0")
    subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, env=environment, check=False)


def _ensure_libraries(client: Any, release: Release, base: str) -> Any:
    """Build the image of the libraries unless it exists; a lock keeps two processes from building it twice."""
    parent = find_image(client, base) or base_image.pull(client, base)
    requirements = _read_requirements(release)
    pins = pin_requirements(requirements, get_local_target())
    content = "\n".join([dockerfile.render_libraries(base), parent.id, *pins])
    tag = f"mlrunner-libraries:{hashlib.sha256(content.encode()).hexdigest()[:16]}"
    lock = Path(tempfile.gettempdir()) / f"mlrunner-libraries-{os.getuid()}.lock"  # one engine, one lock
    with FileLock(lock):
        return find_image(client, tag) or _install(client, requirements, parent.id, base, tag)


def _install(client: Any, requirements: list[str], base_id: str, base: str, tag: str) -> Any:
    target = base_image.inspect_python(client, base_id, base)
    with tempfile.TemporaryDirectory(prefix="mlrunner-image-") as work:
        folder = Path(work)
        pins = wheels.download(pin_requirements(requirements, target), target, folder / dockerfile.WHEELS)
        log.info("building %s with %s", tag, ", ".join(pins))
        (folder / dockerfile.REQUIREMENTS).write_text("".join(f"{line}\n" for line in pins))
        (folder / dockerfile.NAME).write_text(dockerfile.render_libraries(base))
        arguments = {"BASE": base_id, "PIP_NO_INDEX": "1", "STAGE": tag}
        how = {"buildargs": arguments, "network_mode": "none", "labels": {PINS_LABEL: " ".join(pins)}}
        _build(client, folder, tag, **how)
    with suppress(docker_errors().APIError):  # the classic builder keeps the image of the first stage
        client.images.prune({"dangling": True, "label": f"{dockerfile.STAGE_LABEL}={tag}"})
    return client.images.get(tag)


def _build(client: Any, folder: Path, tag: str, **how: Any) -> None:
    try:
        client.images.build(path=str(folder), tag=tag, rm=True, forcerm=True, **how)
    except docker_errors().BuildError as error:
        raise DeployError(f"The image {tag} cannot be built. {explain(error, _find_error(error))}") from error


def _find_error(error: Any) -> str:
    """Find the last error that a command of the build printed."""
    lines = "".join(part.get("stream", "") for part in error.build_log).splitlines()
    return re.sub(r"\x1b\[[0-9;]*m", "", next((line for line in reversed(lines) if "error" in line.lower()), ""))
