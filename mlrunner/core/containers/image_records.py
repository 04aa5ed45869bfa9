"""Records of the images that this home has built or used, by which `mlrunner prune` tells them from those of others."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from mlrunner.core import environment

IMAGE_LABEL = "mlrunner.image"  # the tag with which an image was built; images that are built on it inherit it
LIBRARIES, STEPS, RELEASE = "libraries", "steps", "release"


@dataclass(frozen=True)
class ImageRecord:
    """An image of this home.

    Args:
        tag: Repository and tag.
        kind: `LIBRARIES`, `STEPS` or `RELEASE`.
        deployment: Name of the deployment of a release.
        version: Version of a release.
        ids: Identifiers of all images that were built with this tag.
        used: Time of the last use, in seconds since 1970.
    """

    tag: str
    kind: str
    deployment: str = ""
    version: int = 0
    ids: tuple[str, ...] = ()
    used: float = 0.0


def record_use(image: ImageRecord, image_id: str = "") -> None:
    """Record that an image is used now.

    Args:
        image: Image.
        image_id: Its identifier; empty before it is built.
    """
    file = _file(environment.home(), image.tag)
    before = _read(file)
    ids = {*(() if before is None else before.ids), *filter(None, [image_id])}
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(asdict(replace(image, ids=tuple(sorted(ids)), used=time.time()))))
    partial.replace(file)


def read_records(home: Path) -> dict[str, ImageRecord]:
    """Read the images of a home by their tags."""
    return {record.tag: record for record in _read_all(home)}


def forget(home: Path, tag: str) -> None:
    """Forget an image that is removed."""
    _file(home, tag).unlink(missing_ok=True)


def _file(home: Path, tag: str) -> Path:
    return home / ".mlrunner" / "images" / f"{hashlib.sha256(tag.encode()).hexdigest()[:16]}.json"


def _read_all(home: Path) -> Iterator[ImageRecord]:
    for file in sorted((home / ".mlrunner" / "images").glob("*.json")):
        if (record := _read(file)) is not None:
            yield record


def _read(file: Path) -> ImageRecord | None:
    """Read a record; None if there is none, or one that was cut off."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        fields = json.loads(file.read_text())
        return ImageRecord(**{**fields, "ids": tuple(fields["ids"])})
    return None
