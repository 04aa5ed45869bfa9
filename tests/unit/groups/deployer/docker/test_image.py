"""The image of a release: its content, its build by hand, and its errors."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from docker.errors import ContainerError, ImageNotFound

from mlrunner.core.containers import libraries
from mlrunner.groups.deployer.docker import image
from mlrunner.groups.deployer.release import Release
from tests.support.released import BASE, SECRET, remove

INSPECT = """
import importlib.util as util, pathlib
import sklearn, xgboost, skops.io, aiohttp, orjson, prometheus_client, pydantic
root = pathlib.Path("/opt/mlrunner/site")
files = [path for path in root.rglob("*") if path.is_file()]
absent = ("mlflow", "zenml", "hydra", "pyarrow", "matplotlib", "nvidia", "pip")
print([name for name in absent if util.find_spec(name)])
print(sorted({path.suffix for path in files} & {".pyi", ".pyx", ".h", ".c", ".exe"}))
print([path.name for path in files if path.name.startswith("test_") and "tests" in path.parts])
print(any(path.suffix == ".pyc" for path in files), [name for name in ("bin", "share") if (root / name).exists()])
"""


def list_layers(client: Any, tag: str) -> list[str]:
    layers: list[str] = client.images.get(tag).attrs["RootFS"]["Layers"]
    return layers


def run_inside(client: Any, tag: str, code: str, **options: Any) -> str:
    out: bytes = client.containers.run(tag, entrypoint=["python3", "-c", code], remove=True, **options)
    return out.decode().strip()


@pytest.mark.docker
@pytest.mark.timeout(300)
class TestBuilding:
    def test_image_is_small_and_without_root(self, client: Any, tag: str, repository: str) -> None:
        built = client.images.get(tag)
        config = built.attrs["Config"]
        assert tag == f"{repository}:1"
        assert config["User"] == "10001:10001"
        assert config["Entrypoint"] == ["python3", "-m", "mlrunner.serving", "/release"]
        assert config["Healthcheck"]["Test"][0] == "CMD"
        assert list(config["ExposedPorts"]) == ["8080/tcp"]
        assert built.attrs["Size"] < 500e6
        assert len(list_layers(client, tag)) == len(list_layers(client, BASE)) + 4  # libraries, code, facts, model

    def test_no_secret_of_this_machine_is_in_the_image(self, client: Any, tag: str) -> None:
        text = str(client.images.get(tag).history()) + str(client.images.get(tag).attrs)
        assert not re.search(f"{SECRET}|password|index-url|certificate|proxy", text, re.IGNORECASE)

    def test_image_has_only_what_a_server_imports(self, client: Any, tag: str) -> None:
        assert run_inside(client, tag, INSPECT).splitlines() == ["[]", "[]", "[]", "True []"]

    def test_versions_share_the_libraries_and_only_changes_are_built(
        self, client: Any, tag: str, released: Release, tmp_path: Path, repository: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(libraries, "_install", lambda *_: pytest.fail("libraries installed again"))
        other = Release(released.name, 2, tmp_path / "2")
        shutil.copytree(released.folder, other.folder)
        description = (other.folder / "release.json").read_text().replace('"version": 1', '"version": 2')
        (other.folder / "release.json").write_text(description)
        second = image.ensure_image(client, other, BASE, repository)
        assert list_layers(client, tag)[:-3] == list_layers(client, second)[:-3]
        assert list_layers(client, tag) != list_layers(client, second)
        before = client.images.get(second).id
        assert client.images.get(image.ensure_image(client, other, BASE, repository)).id == before
        (other.folder / "release.json").write_text(description.replace("models:/m-1", "models:/m-2"))
        assert client.images.get(image.ensure_image(client, other, BASE, repository)).id != before
        with pytest.raises(ImageNotFound):  # no untagged image is left
            client.images.get(before)

    def test_the_folder_of_a_release_can_be_built_by_hand(
        self, client: Any, released: Release, tmp_path: Path, repository: str
    ) -> None:
        """With small libraries, on a base without pip, as the head of the file says."""
        folder = tmp_path / "1"
        shutil.copytree(released.folder, folder)
        tag = f"{repository}-hand:1"
        pins = [f"{name}=={importlib.metadata.version(name)}" for name in ("six", "orjson")]
        umask = os.umask(0o077)
        try:
            image.write_build_folder(Release("tests", 1, folder), BASE, f"{repository}-hand", pins)
        finally:
            os.umask(umask)
        head = [line.removeprefix("#   ") for line in (folder / "Dockerfile").read_text().splitlines()[:5]]
        assert head[1] == f"docker build --tag {tag} ."
        try:
            for line in head[3:]:
                command = shlex.split(line.replace("python ", f"{sys.executable} ", 1))
                subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
            code = "import six, orjson, mlrunner.serving, os; print(os.getuid(), os.listdir('/release/model')[0] != '')"
            assert run_inside(client, tag, code) == "10001 True"
            assert client.images.get(tag).attrs["Config"]["Entrypoint"][-1] == "/release"
        finally:
            remove(client, f"{repository}-hand")
            client.images.prune({"dangling": True, "label": f"{libraries.STAGE_LABEL}=by-hand"})

    def test_library_that_needs_the_openmp_of_the_system_loads(self, client: Any, tag: str) -> None:
        """LightGBM's wheel has no libgomp, nor has a slim base; the wheel is mounted to save a minute."""
        lightgbm = Path(pytest.importorskip("lightgbm").__file__).parent
        where = {str(lightgbm): {"bind": "/opt/wheels/lightgbm", "mode": "ro"}}
        code = "import sys; sys.path.append('/opt/wheels'); import lightgbm; print('loaded')"
        assert run_inside(client, tag, code, volumes=where) == "loaded"
        with pytest.raises(ContainerError, match="libgomp"):
            run_inside(client, tag, code, volumes=where, environment={"LD_LIBRARY_PATH": ""})
