"""Find the Docker images of this home that nothing uses, and containers of commands that were killed."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlrunner.core.containers.engine import open_client, remove
from mlrunner.core.containers.image_records import IMAGE_LABEL, RELEASE, STEPS, ImageRecord, forget, read_records
from mlrunner.core.containers.libraries import STAGE_LABEL
from mlrunner.core.containers.step_containers import find_orphans
from mlrunner.history.pruning.criteria import DAY
from mlrunner.history.pruning.protection import list_kept_versions


@dataclass(frozen=True)
class Leftover:
    """An image that nothing uses, or a container whose command was killed.

    Args:
        name: Tag of an image, or its identifier where it has none; name of a container.
        is_image: Whether it is an image.
        bytes: Size of the layers that no smaller image has; 0 for a container.
        tag: Tag with which an image was built.
    """

    name: str
    is_image: bool
    bytes: int = 0
    tag: str = ""

    def __str__(self) -> str:
        return f"{'image' if self.is_image else 'container'} {self.name}"


def find_leftovers(home: Path) -> list[Leftover]:
    """Find what a prune removes from Docker's engine, without changing anything.

    Returns:
        Containers, then images, each before those on which it is built.

    Raises:
        DeployError: When the engine cannot be reached.
    """
    with open_client() as client:
        containers = [Leftover(container.name, False) for container in find_orphans(client, home)]
        return [*containers, *_find_images(client, home)]


def remove_leftover(leftover: Leftover, home: Path) -> None:
    """Remove an image or a container; the engine refuses to remove an image that a container uses."""
    with open_client() as client:
        if not leftover.is_image:
            remove(client.containers.get(leftover.name))
            return
        client.images.remove(leftover.name)
        if leftover.name == leftover.tag:
            forget(home, leftover.tag)


def _find_images(client: Any, home: Path) -> list[Leftover]:
    images, records = client.images.list(), read_records(home)
    own = {image.id: record for image in images if (record := _find_record(image, records)) is not None}
    orphans = {container.id for container in find_orphans(client, home)}
    used = {each["ImageID"] for each in client.api.containers(all=True) if each["Id"] not in orphans}
    needed = _find_needed(records.values(), home)
    unused = [image for image in images if image.id in own and image.id not in used and own[image.id] not in needed]
    staying = [image for image in images if image not in unused]
    unused = [image for image in unused if not any(_is_based(other, image) for other in staying)]
    unused.sort(key=lambda image: -len(_layers(image)))
    return [
        Leftover(image.tags[0] if image.tags else image.id, True, _own_size(image, images), own[image.id].tag)
        for image in unused
    ]


def _find_record(image: Any, records: dict[str, ImageRecord]) -> ImageRecord | None:
    """Find the record of an image; None for one of others, which may be built on ours and so have its labels."""
    record = records.get(image.labels.get(IMAGE_LABEL, ""))
    if record is not None:
        is_own = image.tags == [record.tag] or (not image.tags and image.id in record.ids)
        return record if is_own else None
    return None if image.tags else records.get(image.labels.get(STAGE_LABEL, ""))  # of a build that was interrupted


def _find_needed(records: Iterable[ImageRecord], home: Path) -> list[ImageRecord]:
    """Find the images that stay: those of deployments, the last one of the steps, and all that were used for a day."""
    records, versions, limit = list(records), list_kept_versions(home), time.time() - DAY
    newest = max((record for record in records if record.kind == STEPS), key=lambda record: record.used, default=None)
    return [
        record
        for record in records
        if record is newest
        or record.used > limit
        or (record.kind == RELEASE and (record.deployment, record.version) in versions)
    ]


def _layers(image: Any) -> list[str]:
    return list(image.attrs["RootFS"].get("Layers") or [])


def _is_based(image: Any, base: Any) -> bool:
    """Check whether an image is built on another one."""
    return image.id != base.id and _layers(image)[: len(_layers(base))] == _layers(base)


def _own_size(image: Any, images: Iterable[Any]) -> int:
    """Return the size of the layers that no smaller image has."""
    bases = [
        base.attrs["Size"] for base in images if _is_based(image, base) and len(_layers(base)) < len(_layers(image))
    ]
    return int(image.attrs["Size"] - max(bases, default=0))
