"""Which Docker images a prune removes: those of this home that nothing uses, with a real engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlrunner.core.containers.image_records import LIBRARIES, RELEASE, STEPS, ImageRecord, read_records, record_use
from mlrunner.core.containers.libraries import STAGE_LABEL, build_image
from mlrunner.groups.deployer.state import DeploymentStore, State
from mlrunner.history.pruning.images import find_leftovers, remove_leftover
from tests.support.docker_engine import client, repository
from tests.support.released import BASE

__all__ = ["client", "repository"]
pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]


class Engine:
    """Builds small images below a repository of this test, and removes them at the end."""

    def __init__(self, client: Any, home: Path, repository: str) -> None:
        self.client, self.home, self.repository = client, home, f"{repository}-prune"

    def tag(self, name: str) -> str:
        return f"{self.repository}:{name}"

    def build(self, name: str, base: str = BASE, text: str = "") -> Any:
        folder = self.home / "build" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "file").write_text(f"{self.home} {name} {text}")
        (folder / "Dockerfile").write_text(f"FROM {base}\nCOPY file /{name}\n")
        build_image(self.client, folder, self.tag(name))
        return self.client.images.get(self.tag(name))

    def add(self, name: str, kind: str, base: str = BASE, version: int = 0, days: float = 2, text: str = "") -> Any:
        """Build an image of this home that was last used some days ago."""
        image = self.build(name, base, text)
        record_use(ImageRecord(self.tag(name), kind, "a" * bool(version), version), image.id)
        for file in (self.home / ".mlrunner" / "images").iterdir():
            record = json.loads(file.read_text())
            if record["tag"] == self.tag(name):
                file.write_text(json.dumps({**record, "used": record["used"] - days * 86_400}))
        return image

    def leftovers(self) -> list[str]:
        return [leftover.name.removeprefix(f"{self.repository}:") for leftover in find_leftovers(self.home)]


@pytest.fixture
def engine(client: Any, repository: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    engine = Engine(client, tmp_path, repository)
    yield engine
    for image in sorted(client.images.list(engine.repository), key=lambda image: -len(image.attrs["RootFS"]["Layers"])):
        for tag in image.tags:
            client.images.remove(tag, force=True)


def deploy(home: Path, versions: list[int]) -> None:
    state = State("a", "127.0.0.1", 1, 1.0, 1.0, {}, versions=versions)
    (home / ".mlrunner" / "deployments" / "a").mkdir(parents=True)
    DeploymentStore(home / ".mlrunner" / "deployments" / "a").write_state(state)


def test_images_that_no_deployment_and_no_newer_image_uses(engine: Engine) -> None:
    deploy(engine.home, [1, 2, 3])
    for name in ("old", "new", "idle", "young"):
        engine.add(f"libraries-{name}", LIBRARIES, days=0 if name == "young" else 2)
    engine.add("steps-old", STEPS, engine.tag("libraries-old"), days=3)
    engine.add("steps-new", STEPS, engine.tag("libraries-new"))
    for version in (1, 2, 3):
        engine.add(f"release-{version}", RELEASE, engine.tag("libraries-new"), version)
    engine.build("of-others", engine.tag("libraries-new"))
    leftovers = find_leftovers(engine.home)
    names = ["release-1", "steps-old", "libraries-idle", "libraries-old"]
    assert sorted(engine.leftovers()) == sorted(names)
    assert set(engine.leftovers()[:2]) == {"release-1", "steps-old"}  # before what they are built on
    for leftover in leftovers:
        assert 0 < leftover.bytes < 1000  # without the layers of the base
        remove_leftover(leftover, engine.home)
    assert engine.leftovers() == []
    remaining = {tag.rpartition(":")[2] for image in engine.client.images.list(engine.repository) for tag in image.tags}
    assert remaining == {"libraries-new", "libraries-young", "steps-new", "release-2", "release-3", "of-others"}
    assert {tag.rpartition(":")[2] for tag in read_records(engine.home)} == remaining - {"of-others"}


def test_images_of_others_stay(engine: Engine) -> None:
    engine.add("base", LIBRARIES)
    engine.add("named", LIBRARIES).tag(engine.repository, "by-hand")
    engine.add("used", LIBRARIES)
    engine.build("unrecorded")
    build = engine.home / "hand"
    build.mkdir()
    (build / "Dockerfile").write_text(f"FROM {engine.tag('base')}\nENV A=1\n")  # by hand, with the label of its base
    untagged, _ = engine.client.images.build(path=str(build), rm=True)
    container = engine.client.containers.create(engine.tag("used"), ["true"])
    try:
        assert engine.leftovers() == []
    finally:
        container.remove()
        engine.client.images.remove(untagged.id)
    assert sorted(engine.leftovers()) == ["base", "used"]


def test_what_lost_its_tag_is_known_by_its_record_and_its_stage(engine: Engine) -> None:
    before = engine.add("release", RELEASE, version=1)
    after = engine.add("release", RELEASE, version=1, text="changed")
    stage = engine.home / "stage"
    stage.mkdir()
    (stage / "Dockerfile").write_text(f"FROM {BASE}\nRUN touch /stage\nLABEL {STAGE_LABEL}={engine.tag('release')}\n")
    interrupted, _ = engine.client.images.build(path=str(stage), rm=True)
    leftovers = find_leftovers(engine.home)
    assert {leftover.name for leftover in leftovers} == {before.id, engine.tag("release"), interrupted.id}
    for leftover in leftovers:
        if leftover.name != engine.tag("release"):
            remove_leftover(leftover, engine.home)
    assert engine.client.images.get(engine.tag("release")).id == after.id
    assert engine.leftovers() == ["release"]
