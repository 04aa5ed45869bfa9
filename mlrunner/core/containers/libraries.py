"""Build an image with libraries, named by its content, so that what is put on top of it is built in a second."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from mlrunner.core.containers import base_image, image_records
from mlrunner.core.containers.base_image import Base
from mlrunner.core.containers.engine import docker_errors, explain, find_image
from mlrunner.core.containers.image_records import IMAGE_LABEL, LIBRARIES, ImageRecord
from mlrunner.core.containers.installed import UNUSED, UNUSED_SUFFIXES
from mlrunner.core.containers.layer import add_layer, collect
from mlrunner.core.containers.pins import Target, get_local_target
from mlrunner.core.errors import DeployError

log = logging.getLogger(__name__)

DOCKERFILE, REQUIREMENTS, WHEELS = "Dockerfile", "requirements.txt", "wheels"
SITE_FOLDER, CODE_FOLDER = "/opt/mlrunner/site", "/opt/mlrunner/code"  # in an image
PINS_LABEL = "mlrunner.requirements"  # label that lists the installed requirements
STAGE_LABEL = "mlrunner.stage"  # label of the build stage, by which leftovers of a build by hand are pruned
PYTHON_ENVIRONMENT = f"""\
PYTHONPATH={CODE_FOLDER}:{SITE_FOLDER} LD_LIBRARY_PATH={SITE_FOLDER} \\
    PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp"""


@dataclass(frozen=True)
class Libraries:
    """The libraries of an image.

    Args:
        base: Base image.
        settings: Instructions of a Dockerfile that follow the libraries.
        pin: Function that returns the pinned requirements for a Python.
    """

    base: Base
    settings: str
    pin: Callable[[Target], list[str]]


def render_installation(base: str) -> str:
    """Render the stage `build`, which installs the libraries; `wheels*` matches nothing without downloaded wheels."""
    return f"""\
ARG BASE={base}

# Install the libraries, without what nothing imports. A base without pip runs the wheel of pip.
FROM $BASE AS build
ARG STAGE=by-hand
LABEL {STAGE_LABEL}=$STAGE
USER root
ARG PIP_INDEX_URL
ARG PIP_NO_INDEX
COPY {REQUIREMENTS} {WHEELS}* /wheels/
WORKDIR {SITE_FOLDER}
RUN PYTHONPATH="$(echo /wheels/pip-*.whl)" python3 -m pip install --no-cache-dir --no-deps --no-compile \\
        --only-binary=:all: --find-links /wheels --target . --requirement /wheels/{REQUIREMENTS} \\
    && rm -rf bin share \\
    && find . -type f -regex '.*\\.\\({UNUSED_SUFFIXES}\\)' -delete \\
    && find . -type f -regex '.*/tests?/.*' \\( ! -name '*.py' -o -name 'test_*' -o -name 'conftest*' \\) -delete \\
    && find . -name 'libgomp-*.so*' -path './*.libs/*' -exec ln -sf '{{}}' libgomp.so.1 ';' \\
    && (python3 -m compileall -q -j 0 . > /dev/null || true)
"""


def ensure_libraries(client: Any, libraries: Libraries) -> Any:
    """Build the image of the libraries unless it exists; a lock keeps two processes from building it twice.

    Returns:
        The image, whose label `PINS_LABEL` lists what is installed.

    Raises:
        DeployError: When the base cannot be pulled or does not fit, or a library cannot be installed.
    """
    parent = base_image.find_or_pull(client, libraries.base)
    content = "\n".join([UNUSED.pattern, libraries.settings, parent.id, *libraries.pin(get_local_target())])
    tag = f"mlrunner-libraries:{hashlib.sha256(content.encode()).hexdigest()[:16]}"
    lock = Path(tempfile.gettempdir()) / f"mlrunner-libraries-{os.getuid()}.lock"  # one engine, one lock
    with FileLock(lock):
        image_records.record_use(ImageRecord(tag, LIBRARIES))
        image = find_image(client, tag) or _install(client, libraries, parent, tag)
    image_records.record_use(ImageRecord(tag, LIBRARIES), image.id)
    return image


def _install(client: Any, libraries: Libraries, base: Any, tag: str) -> Any:
    target = base_image.inspect_python(client, base.id, libraries.base)
    with tempfile.TemporaryDirectory(prefix="mlrunner-image-") as work:
        folder = Path(work)
        files, pins = collect(libraries.pin(target), target, folder, SITE_FOLDER)
        log.info("building %s with %s", tag, ", ".join(pins))
        layer = add_layer(client, base, files, SITE_FOLDER)
        build = folder / "build"
        build.mkdir()
        (build / DOCKERFILE).write_text(f"FROM {layer.id}\n{libraries.settings}")
        try:
            build_image(client, build, tag, labels={PINS_LABEL: " ".join(pins)})
        except BaseException:
            with suppress(docker_errors().APIError):
                client.images.remove(layer.id)
            raise
    return client.images.get(tag)


def build_image(client: Any, folder: Path, tag: str, **options: Any) -> None:
    """Build an image.

    Args:
        client: Client of Docker's engine.
        folder: Folder with the Dockerfile.
        tag: Tag of the image, which becomes its label as well.
        **options: Further arguments of Docker's library.

    Raises:
        DeployError: With the last error that a command of the build printed.
    """
    labels = {**options.pop("labels", {}), IMAGE_LABEL: tag}
    try:
        client.images.build(path=str(folder), tag=tag, rm=True, forcerm=True, labels=labels, **options)
    except docker_errors().BuildError as error:
        raise DeployError(f"The image {tag} cannot be built. {explain(error, _find_error(error))}") from error


def _find_error(error: Any) -> str:
    """Find the last error that a command of the build printed."""
    lines = "".join(part.get("stream", "") for part in error.build_log).splitlines()
    return re.sub(r"\x1b\[[0-9;]*m", "", next((line for line in reversed(lines) if "error" in line.lower()), ""))


def make_readable(folder: Path) -> None:
    """Let every user read the files of a build folder: a container may run as another user than the build."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
