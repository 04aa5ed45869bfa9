"""An image of libraries is built once, and a build that fails is one sentence."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mlrunner.core.containers import libraries
from mlrunner.core.containers.base_image import Base
from mlrunner.core.containers.libraries import Libraries, build_image, compile_code, ensure_libraries, make_readable
from mlrunner.core.containers.pins import pin_requirements
from mlrunner.core.errors import DeployError
from tests.support.released import BASE, remove


def test_bytecode_does_not_depend_on_when_and_where_it_is_made(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "module.py").write_text("X = {'a', 'b', 'c'}\n")
        os.utime(tmp_path / name / "module.py", (1 + len(name), 1))
        compile_code(tmp_path / name)
    first, second = (next((tmp_path / name).rglob("*.pyc")).read_bytes() for name in ("one", "two"))
    assert first == second
    assert b"/opt/mlrunner/code/module.py" in first


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
        text = f"{libraries.render_installation(base)}FROM $BASE\nCOPY --from=build {libraries.SITE_FOLDER} /site\n"
        small = Libraries(Base(base), text, partial(pin_requirements, ["six"]))
        caplog.set_level("INFO", libraries.log.name)
        try:
            with ThreadPoolExecutor(2) as pool:
                first, second = pool.map(lambda _: ensure_libraries(client, small), range(2))
            stages = client.images.list(all=True, filters={"label": f"{libraries.STAGE_LABEL}={first.tags[0]}"})
            client.images.remove(first.tags[0])
        finally:
            remove(client, base.partition(":")[0])
        assert first.id == second.id
        assert stages == []  # what the first stage left is removed
        assert [record.message.split()[0] for record in caplog.records] == ["building"]

    def test_failed_build_is_one_sentence(self, client: Any, tmp_path: Path, repository: str) -> None:
        (tmp_path / "Dockerfile").write_text(f"FROM {BASE}\nRUN echo 'ERROR: no such wheel.' >&2; exit 1\n")
        with pytest.raises(DeployError) as raised:
            build_image(client, tmp_path, f"{repository}:refused")
        said = "Docker's engine says: ERROR: no such wheel."
        assert str(raised.value) == f"The image {repository}:refused cannot be built. {said}"
