"""Build the image of a release from a Dockerfile in its folder, which can also be built by hand.

The libraries become an image of their own, named by its content, so that a new model version is built in a second.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from functools import partial
from typing import Any

from mlrunner.core.containers.base_image import Base
from mlrunner.core.containers.bytecode import compile_folder
from mlrunner.core.containers.engine import docker_errors, find_image
from mlrunner.core.containers.image_records import RELEASE, ImageRecord, record_use
from mlrunner.core.containers.libraries import (
    CODE_FOLDER,
    DOCKERFILE,
    PINS_LABEL,
    REQUIREMENTS,
    Libraries,
    build_image,
    ensure_libraries,
    make_readable,
)
from mlrunner.core.containers.pins import get_local_target
from mlrunner.core.model_code import copy_model_code
from mlrunner.groups.deployer.docker import dockerfile
from mlrunner.groups.deployer.docker.requirements import pin_requirements
from mlrunner.groups.deployer.release import Release
from mlrunner.groups.deployer.resource_names import format_repository


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
    libraries = ensure_libraries(client, describe_libraries(release, base))
    write_build_folder(release, base, name, libraries.labels[PINS_LABEL].split())
    before = find_image(client, tag)
    with tempfile.NamedTemporaryFile("w", prefix="mlrunner-dockerfile-") as file:
        file.write(dockerfile.render_last_stage(libraries.id))
        file.flush()
        build_image(client, release.folder, tag, dockerfile=file.name)
    record_use(ImageRecord(tag, RELEASE, release.name, release.version), client.images.get(tag).id)
    if before is not None and before.id != client.images.get(tag).id:
        with suppress(docker_errors().APIError):  # a container may still use it
            client.images.remove(before.id)
    return tag


def describe_libraries(release: Release, base: str) -> Libraries:
    """Describe the image of the libraries of a release, which versions share.

    Args:
        release: Release to serve.
        base: Name of a base image with Python and glibc.
    """
    pin = partial(pin_requirements, _read_requirements(release))
    return Libraries(Base(base), dockerfile.SETTINGS, pin)


def write_build_folder(release: Release, base: str, name: str, pins: list[str] | None = None) -> None:
    """Write the files for `docker build` into the folder of a release.

    Args:
        release: Release, whose folder receives `Dockerfile`, `requirements.txt` and `code/`.
        base: Name of a base image with Python and glibc.
        name: Repository of the image.
        pins: Pinned requirements; None takes those of the model as installed here.
    """
    lines = pins or pin_requirements(_read_requirements(release), get_local_target())
    (release.folder / REQUIREMENTS).write_text("".join(f"{line}\n" for line in lines))
    (release.folder / DOCKERFILE).write_text(dockerfile.render(build_tag(release, name), base))
    code = release.folder / dockerfile.CODE_SOURCE
    shutil.rmtree(code, ignore_errors=True)
    code.mkdir()
    copy_model_code(code)
    compile_folder(code, CODE_FOLDER)
    make_readable(release.folder)


def _read_requirements(release: Release) -> list[str]:
    return (release.model / "requirements.txt").read_text().splitlines()
