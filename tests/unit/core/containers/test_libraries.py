"""An image of libraries is built once, and a build that fails is one sentence."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from docker.errors import ImageNotFound

from mlrunner.core.containers import libraries
from mlrunner.core.containers.base_image import Base
from mlrunner.core.containers.libraries import Libraries, build_image, ensure_libraries, make_readable
from mlrunner.core.containers.pins import pin_requirements
from mlrunner.core.errors import DeployError
from tests.support.released import BASE, remove


def test_every_user_may_read_a_build_folder(tmp_path: Path) -> None:
    file = tmp_path / "inner" / "file"
    file.parent.mkdir(mode=0o700)
    file.write_text("x")
    file.chmod(0o600)
    make_readable(tmp_path)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (file.parent, file)] == [0o755, 0o644]


@pytest.mark.docker
@pytest.mark.timeout(300)
class TestBuilding:
    def test_libraries_are_installed_once_by_two_deployments_in_parallel(
        self, client: Any, caplog: pytest.LogCaptureFixture, repository: str
    ) -> None:
        base = f"{repository}-base:1"
        client.images.get(BASE).tag(*base.split(":"))  # another name makes another image of libraries
        settings = f"ENV PYTHONPATH={libraries.SITE_FOLDER}\n"
        small = Libraries(Base(base), settings, partial(pin_requirements, ["six", "requests"]))
        caplog.set_level("INFO", libraries.log.name)
        try:
            with ThreadPoolExecutor(2) as pool:
                first, second = pool.map(lambda _: ensure_libraries(client, small), range(2))
            out = client.containers.run(first.id, ["python3", "-c", "import requests; print('imported')"], remove=True)
            built = {each["Id"] for each in first.history()} - {
                each["Id"] for each in client.images.get(BASE).history()
            }
            client.images.remove(first.tags[0])
        finally:
            remove(client, base.partition(":")[0])
        assert first.id == second.id
        assert out == b"imported\n"
        for image_id in built:  # the image goes with the layer that it was built on
            with pytest.raises(ImageNotFound):
                client.images.get(image_id)
        assert [record.message.split()[0] for record in caplog.records] == ["building"]

    def test_failed_build_is_one_sentence(self, client: Any, tmp_path: Path, repository: str) -> None:
        (tmp_path / "Dockerfile").write_text(f"FROM {BASE}\nRUN echo 'ERROR: no such wheel.' >&2; exit 1\n")
        with pytest.raises(DeployError) as raised:
            build_image(client, tmp_path, f"{repository}:refused")
        said = "Docker's engine says: ERROR: no such wheel."
        assert str(raised.value) == f"The image {repository}:refused cannot be built. {said}"
