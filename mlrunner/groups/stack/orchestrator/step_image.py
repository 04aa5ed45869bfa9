"""Build the image that steps run in: the packages of mlrunner as installed here, its code, and the user's modules."""

from __future__ import annotations

import hashlib
import io
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Any

from mlrunner.core.containers.base_image import Base, name_slim_image
from mlrunner.core.containers.bytecode import compile_folder
from mlrunner.core.containers.engine import find_image, open_client
from mlrunner.core.containers.image_records import STEPS, ImageRecord, record_use
from mlrunner.core.containers.libraries import (
    CODE_FOLDER,
    DOCKERFILE,
    PYTHON_ENVIRONMENT,
    SITE_FOLDER,
    Libraries,
    build_image,
    ensure_libraries,
    make_readable,
)
from mlrunner.core.containers.pins import Target, pin_requirements
from mlrunner.core.errors import DeployError, StoreError
from mlrunner.core.project import CODE, PACKAGE, RESOURCES
from mlrunner.core.user_code import ModulePacker

REPOSITORY = "mlrunner-steps"
MODULES_FOLDER = "/opt/mlrunner/modules"  # the user's modules, in the image
BASE_KEY = "stack.base_image"
# Packages of mlrunner's extras that a step may import; those that are installed here are installed in the image.
BOOSTING, STORES = ("lightgbm", "catboost"), ("s3fs", "boto3", "gcsfs", "google-cloud-storage", "adlfs")
EXTRAS = (*BOOSTING, *STORES, "azure-storage-file-datalake")
MODULES = ModulePacker()
SETTINGS = f"""\
USER root
ENV {PYTHON_ENVIRONMENT} \\
    MLRUNNER_PROJECT={MODULES_FOLDER} ZENML_CONFIG_PATH=/app/.zenconfig ZENML_ENABLE_REPO_INIT_WARNINGS=False
RUN mkdir -p -m 1777 /app
WORKDIR /app
"""
# ZenML starts `python`, and imports distutils, which a slim Python lacks and setuptools adds by a .pth file.
ADD_SITE = (
    "import pathlib, site; file = pathlib.Path(site.getsitepackages()[0], 'mlrunner.pth'); "
    "file.parent.mkdir(parents=True, exist_ok=True); "
    f"file.write_text('import site; site.addsitedir(\\'{SITE_FOLDER}\\')')"
)
CODE_STAGE = f"""
RUN (command -v python || ln -s "$(command -v python3)" /usr/local/bin/python) && python3 -I -c "{ADD_SITE}"
COPY code {CODE_FOLDER}
COPY modules {MODULES_FOLDER}
"""


def ensure_step_image(base: str | None, packages: Sequence[str]) -> str:
    """Build the image of the steps, unless there is one with the same content.

    Args:
        base: Name of a base image with Python and glibc; None takes Python's official one.
        packages: Further packages that the user's modules import.

    Returns:
        Tag of the image in `REPOSITORY`.

    Raises:
        StoreError: When Docker's engine does not answer, or the image cannot be built.
    """
    try:
        with open_client() as client, tempfile.TemporaryDirectory(prefix="mlrunner-steps-") as work:
            return _build(client, Base(base or name_slim_image(), BASE_KEY), packages, Path(work))
    except DeployError as error:
        raise StoreError(str(error)) from error


def _build(client: Any, base: Base, packages: Sequence[str], folder: Path) -> str:
    libraries = ensure_libraries(client, Libraries(base, SETTINGS, partial(pin_packages, packages)))
    _copy_code(folder / "code")
    _unpack_modules(folder / "modules")
    (folder / DOCKERFILE).write_text(f"FROM {libraries.id}\n{CODE_STAGE}")
    digest = _digest(folder)
    tag = f"{REPOSITORY}:{digest}"
    if find_image(client, tag) is None:
        compile_folder(folder / "code", CODE_FOLDER)
        make_readable(folder)
        build_image(client, folder, tag)
    record_use(ImageRecord(tag, STEPS), client.images.get(tag).id)
    return digest


def pin_packages(packages: Sequence[str], target: Target) -> list[str]:
    """Pin what mlrunner needs, the extras that are installed here, and further packages."""
    installed = [name for name in EXTRAS if _is_installed(name)]
    needed = distribution("mlrunner").requires or []
    return pin_requirements([*needed, *installed, *packages], target, excluded={"mlrunner"})


def _is_installed(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False


def _copy_code(folder: Path) -> None:
    """Copy mlrunner, with its metadata, which tells the version."""
    shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__", "data"))
    for name in ("conf", "pipelines") if RESOURCES == CODE else ():
        shutil.copytree(RESOURCES / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    metadata = folder / f"mlrunner-{version('mlrunner')}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(distribution("mlrunner").read_text("METADATA") or "")


def _unpack_modules(folder: Path) -> None:
    folder.mkdir()
    packed = MODULES.pack()
    if packed:
        zipfile.ZipFile(io.BytesIO(packed)).extractall(folder)


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
