"""The image of a release: the base, a layer of libraries that versions share, and a small one with code and model.

The libraries are an image of their own, named by their content, so that a new version of a model is built in a second.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import FileLock

from mlrunner.core.environment import PACKAGE
from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer.docker import base_image, reproducible_tar, wheels
from mlrunner.groups.deployer.docker.engine import faults, find, told
from mlrunner.groups.deployer.docker.requirements import closure, here
from mlrunner.groups.deployer.release import Release
from mlrunner.groups.deployer.resource_names import repository

log = logging.getLogger(__name__)

RECIPE = "1"  # part of every name; a change of what is written below needs another
PORT = 8080
USER = "10001:10001"
SITE, CODE, RELEASE = "/opt/mlrunner/site", "/opt/mlrunner/code", "/release"
CONTENT = "mlrunner.content"  # the label that tells what an image was made from
VERSION, BASE = "org.opencontainers.image.version", "org.opencontainers.image.base.name"
PING = (
    f"import socket as s;c=s.create_connection(('127.0.0.1',{PORT}),3);"
    r"c.sendall(b'GET /ping HTTP/1.0\r\n\r\n');raise SystemExit(b' 200 ' not in c.recv(64))"
)
# Everything that versions share stands in the first file, for each line costs the engine half a second.
LIBRARIES_FILE = f"""\
ARG BASE
FROM ${{BASE}}
COPY rootfs /
ENV PYTHONPATH={CODE}:{SITE}:{RELEASE}/model/code PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \\
    LD_LIBRARY_PATH={SITE} HOME=/tmp
USER {USER}
EXPOSE {PORT}
HEALTHCHECK --interval=5s --timeout=4s --start-period=30s --retries=3 CMD {json.dumps(["python3", "-ISc", PING])}
ENTRYPOINT ["python3", "-m", "mlrunner.serving", "{RELEASE}"]
CMD ["--host", "0.0.0.0", "--port", "{PORT}"]
"""
RELEASE_FILE = """\
ARG LIBRARIES
FROM ${LIBRARIES}
COPY rootfs /
"""


def ensure(client: Any, release: Release, base: str, named: str) -> str:
    """Make the image of a release, unless it is there already.

    Args:
        client: Of Docker's engine.
        release: What it serves; its version is the image's tag.
        base: An image with Python and glibc.
        named: The repository of the image.

    Raises:
        DeployError: When the base cannot be had or does not fit, or a library cannot.
    """
    requirements = (release.model / "requirements.txt").read_text().splitlines()
    code = PACKAGE
    tag = f"{repository(named)}:{release.version}"
    content = fingerprint(reproducible_tar.digest(release.folder, code), base, *closure(requirements, here()))
    known = find(client, tag)
    if known is not None and known.labels.get(CONTENT) == content:
        return tag
    shared = _libraries(client, requirements, base)
    labels = {CONTENT: content, VERSION: str(release.version)}
    with tempfile.TemporaryDirectory(prefix="mlrunner-image-") as work:
        parts = {CODE: _compiled(code, Path(work) / "code"), RELEASE: release.folder}
        _build(client, tag, _labelled(RELEASE_FILE, labels), {"LIBRARIES": shared}, parts)
    if known is not None:
        with suppress(faults().APIError):  # a container may still run on it
            client.images.remove(known.id)
    return tag


def _compiled(code: Path, folder: Path) -> Path:
    """Copy a package without this machine's bytecode, and compile the copy."""
    shutil.copytree(code, folder / code.name, ignore=shutil.ignore_patterns("__pycache__"))
    wheels.compile_all(folder, CODE)
    return folder


def fingerprint(*parts: str) -> str:
    """Name what something is made from."""
    return hashlib.sha256("\n".join([RECIPE, LIBRARIES_FILE, RELEASE_FILE, *parts]).encode()).hexdigest()


def _labelled(file: str, labels: Mapping[str, str]) -> str:
    """Add labels in one line; the engine's own option would make a step of each."""
    return f"{file}LABEL {' '.join(f'{name}={json.dumps(value)}' for name, value in labels.items())}\n"


def _libraries(client: Any, requirements: list[str], base: str) -> str:
    """Make the image of the libraries, unless it is there already; two processes that need it make it once."""
    found = find(client, base) or base_image.pull(client, base)
    content = fingerprint(found.id, *closure(requirements, here()))
    tag = f"mlrunner-libraries:{content[:16]}"
    lock = Path(tempfile.gettempdir()) / f"mlrunner-libraries-{os.getuid()}.lock"  # the engine is the machine's
    with FileLock(lock):
        if find(client, tag) is None:
            _install(client, requirements, found.id, base, tag, content)
    return tag


def _install(client: Any, requirements: list[str], found: str, base: str, tag: str, content: str) -> None:
    target = base_image.ask(client, found, base)
    pins = closure(requirements, target)
    log.info("building %s with %s", tag, ", ".join(pins))
    with tempfile.TemporaryDirectory(prefix="mlrunner-image-") as work:
        folder = Path(work) / "site"
        wheels.prepare(pins, target, folder, SITE)
        file = _labelled(LIBRARIES_FILE, {CONTENT: content, BASE: base})
        _build(client, tag, file, {"BASE": found}, {SITE: folder})


def _build(client: Any, tag: str, file: str, arguments: Mapping[str, str], parts: Mapping[str, Path]) -> None:
    """Build an image with the engine's own builder from `rootfs/`, whose layer depends on names and contents only."""
    with tempfile.TemporaryFile(prefix="mlrunner-context-") as context:
        reproducible_tar.pack(
            context, {"Dockerfile": file}, {f"rootfs{place}": folder for place, folder in parts.items()}
        )
        context.seek(0)
        how = {"custom_context": True, "rm": True, "forcerm": True, "buildargs": dict(arguments)}
        try:
            client.images.build(fileobj=context, tag=tag, **how)
        except faults().BuildError as error:
            raise DeployError(f"The image {tag} cannot be built. {told(error)}") from error
