"""The image of a release: what it holds, how it is built by hand, and what keeps it from being built."""

from __future__ import annotations

import importlib.metadata
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import ContainerError, ImageNotFound
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer.docker import base_image, dockerfile, image, wheels
from mlrunner.groups.deployer.docker import requirements as closing
from mlrunner.groups.deployer.docker.engine import explain, open_client
from mlrunner.groups.deployer.docker.requirements import Target, get_local_target, pin_requirements
from mlrunner.groups.deployer.release import Release
from mlrunner.groups.deployer.resource_names import format_label, format_repository
from tests.support.released import BASE, docker_client, release, remove

BOOKWORM = Target("3.11.2", "x86_64", (2, 36))
OWN = ["mlflow==3.17.2", "scikit-learn", "pandas", "numpy", "skops", "pydantic"]
REPOSITORY = f"mlrunner-test-image-{os.getpid()}"  # test processes may run side by side


def names(pins: list[str]) -> list[str]:
    return [Requirement(pin).name for pin in pins]


class TestClosure:
    def test_the_server_and_what_the_model_needs_are_there_each_at_one_version(self) -> None:
        pins = pin_requirements(OWN, BOOKWORM)
        assert {"aiohttp", "orjson", "prometheus-client", "scikit-learn", "scipy", "pandas", "skops"} <= {*names(pins)}
        assert all(re.fullmatch(r"[a-z0-9-]+==[^=]+", pin) for pin in pins)
        assert pins == sorted(set(pins))

    def test_neither_mlflow_nor_what_only_mlflow_needs_is_there(self) -> None:
        assert {"mlflow", "mlflow-skinny", "zenml", "flask", "sqlalchemy", "pyarrow"}.isdisjoint(
            names(pin_requirements(OWN, BOOKWORM))
        )

    def test_it_is_closed(self) -> None:
        """What a pinned package needs is pinned, or left out on purpose."""
        found = set(names(pin_requirements(OWN, BOOKWORM)))
        for name in found:
            for line in importlib.metadata.requires(name) or []:
                need = Requirement(line)
                if need.marker is None or need.marker.evaluate({**BOOKWORM.markers, "extra": ""}):
                    assert need.name.lower().replace("_", "-") in found | closing.OPTIONAL, (name, line)

    def test_a_version_that_the_model_was_saved_with_wins(self) -> None:
        assert "numpy==2.0.1" in pin_requirements(["numpy==2.0.1"], BOOKWORM)

    def test_xgboost_comes_without_the_code_for_graphics_cards(self) -> None:
        pins = pin_requirements(["xgboost==3.2.0"], BOOKWORM)
        assert "xgboost-cpu==3.2.0" in pins
        assert not any(name.startswith("nvidia") or name == "xgboost" for name in names(pins))

    def test_what_a_booster_draws_with_is_left_out_unless_the_model_itself_names_it(self) -> None:
        assert {"matplotlib", "plotly", "graphviz"}.isdisjoint(names(pin_requirements(["catboost"], BOOKWORM)))
        assert "matplotlib" in names(pin_requirements(["catboost", "matplotlib"], BOOKWORM))

    @pytest.mark.parametrize(
        ("line", "is_there"),
        [
            ("requests; sys_platform == 'win32'", False),
            ("requests; sys_platform == 'linux' and platform_machine == 'x86_64'", True),
            ("requests; python_version < '3.11'", False),
            ("requests; python_full_version < '3.11.3'", True),
            ("requests==2.34.2 # pinned", True),
            ("# requests", False),
            ("", False),
            ("--extra-index-url https://example.org", False),
        ],
    )
    def test_lines_are_read_as_pip_reads_them_for_the_image_s_system(self, line: str, is_there: bool) -> None:
        assert ("requests" in names(pin_requirements([line], BOOKWORM))) == is_there

    def test_an_extra_brings_what_it_needs(self) -> None:
        assert "aiodns" not in names(pin_requirements(["aiohttp"], BOOKWORM))
        wanted = names(pin_requirements(["docker[ssh]"], BOOKWORM))
        assert "paramiko" in wanted

    @pytest.mark.parametrize(
        ("line", "words"),
        [
            ("?!", "names no package"),
            ("no-such-package-here==1; python_version > '3'", None),
            ("absent-thing", "not installed here"),
        ],
    )
    def test_a_line_that_cannot_be_pinned_is_refused(self, line: str, words: str | None) -> None:
        if words is None:  # a version is given, so pip may have it
            assert "no-such-package-here==1" in pin_requirements([line], BOOKWORM)
            return
        with pytest.raises(DeployError, match=words):
            pin_requirements([line], BOOKWORM)


class TestNames:
    @given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}", fullmatch=True))
    def test_every_deployment_s_name_makes_names_for_docker_and_kubernetes(self, name: str) -> None:
        assert re.fullmatch(r"[a-z0-9]+((\.|_|-)[a-z0-9]+)*", format_repository(f"mlrunner-{name}"))
        assert re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", format_label(name))

    @given(st.text(max_size=80))
    def test_a_name_that_fits_stays(self, name: str) -> None:
        assert format_label(format_label(name)) == format_label(name)
        assert format_repository(format_repository(name)) == format_repository(name)

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("mlrunner-Olist", "mlrunner-olist"),
            ("localhost:5000/Team/x", "localhost:5000/team/x"),
            ("registry.example.org/team/a__b", "registry.example.org/team/a_b"),
            ("team/x.", "team/x"),
        ],
    )
    def test_a_registry_s_address_stays(self, name: str, expected: str) -> None:
        assert format_repository(name) == expected


class TestPip:
    def test_the_newest_wheels_that_the_base_can_load_come_first(self) -> None:
        found = wheels.list_platforms(BOOKWORM)[1::2]
        assert found[0] == "manylinux_2_36_x86_64"
        assert "manylinux_2_37_x86_64" not in found
        assert {"manylinux_2_5_x86_64", "manylinux1_x86_64", "manylinux2014_x86_64"} <= set(found)
        assert "manylinux_2_16_aarch64" not in wheels.list_platforms(Target("3.11.2", "aarch64", (2, 36)))

    @pytest.mark.parametrize(
        ("said", "words"),
        [
            (
                "ERROR: Could not find a version\nERROR: No matching distribution found for x==1\n",
                "No matching distribution",
            ),
            ("ERROR: [Errno 28] No space left on device", "disk is full"),
            ("/usr/bin/python: No module named pip", "ensurepip"),
            ("", "ended without a message"),
        ],
    )
    def test_what_pip_refuses_is_one_sentence(
        self, said: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        failed = subprocess.CompletedProcess([], 1, "", said)
        monkeypatch.setattr(wheels, "_pip", lambda *_: failed)
        with pytest.raises(DeployError, match=words) as raised:
            wheels.download(["x==1"], BOOKWORM, tmp_path)
        assert "\n" not in str(raised.value)

    def test_where_the_slim_xgboost_cannot_be_had_the_whole_one_is_taken(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[list[str]] = []

        def pip(pins: list[str], *_: Any) -> subprocess.CompletedProcess[str]:
            asked.append(pins)
            said = "ERROR: No matching distribution found for xgboost-cpu==9"
            return subprocess.CompletedProcess([], len(asked) % 2, "", said)

        monkeypatch.setattr(wheels, "_pip", pip)
        assert wheels.download(["numpy==1", "xgboost-cpu==9"], BOOKWORM, tmp_path) == asked[1]
        assert asked[1] == ["numpy==1", "xgboost==9"]


def tree(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


class TestWithoutAnEngine:
    @pytest.mark.parametrize("host", ["unix:///nowhere.sock", "tcp://127.0.0.1:1"])
    def test_it_is_one_sentence(self, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOCKER_HOST", host)
        with pytest.raises(DeployError, match=f"does not answer at DOCKER_HOST={host}; start it"), open_client():
            raise AssertionError

    def test_a_full_disk_is_one_sentence(self) -> None:
        error = SimpleNamespace(explanation="write /x:\n no space left on device")
        assert explain(error) == (  # type: ignore[arg-type]
            "The disk of Docker's engine is full; free some space, for example with `docker system prune`."
        )

    def test_a_full_temporary_folder_is_one_sentence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            "mlrunner.groups.deployer.docker.engine._client", lambda: SimpleNamespace(close=lambda: None)
        )
        with pytest.raises(DeployError, match=r"disk is full \(/tmp/x\)"), open_client():
            raise OSError(28, "No space left on device", "/tmp/x")

    def test_other_mistakes_are_not_hidden(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            "mlrunner.groups.deployer.docker.engine._client", lambda: SimpleNamespace(close=lambda: None)
        )
        with pytest.raises(FileNotFoundError), open_client():
            raise FileNotFoundError("x")


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    found = docker_client()
    yield found
    remove(found, REPOSITORY)
    found.close()


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Release:
    from xgboost import XGBRegressor

    return release(tmp_path_factory.mktemp("releases"), XGBRegressor(n_estimators=5))


def root(client: Any, tag: str) -> list[str]:
    found: list[str] = client.images.get(tag).attrs["RootFS"]["Layers"]
    return found


def inside(client: Any, tag: str, code: str, **how: Any) -> str:
    out: bytes = client.containers.run(tag, entrypoint=["python3", "-c", code], remove=True, **how)
    return out.decode().strip()


@pytest.mark.docker
@pytest.mark.timeout(300)
class TestBuilding:
    def test_the_image_is_small_not_root_and_knows_how_to_tell_its_health(self, client: Any, released: Release) -> None:
        tag = image.ensure_image(client, released, BASE, REPOSITORY)
        found = client.images.get(tag)
        config = found.attrs["Config"]
        assert tag == f"{REPOSITORY}:1"
        assert config["User"] == "10001:10001"
        assert config["Entrypoint"] == ["python3", "-m", "mlrunner.serving", "/release"]
        assert config["Healthcheck"]["Test"][0] == "CMD"
        assert list(config["ExposedPorts"]) == ["8080/tcp"]
        assert found.attrs["Size"] < 500e6
        assert len(root(client, tag)) == len(root(client, BASE)) + 4  # libraries, code, release.json, model

    def test_no_secret_of_this_machine_is_in_it(
        self, client: Any, released: Release, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MLRUNNER_TOKEN", "s3cr3t-of-a-server")
        tag = image.ensure_image(client, released, BASE, f"{REPOSITORY}-secret")
        told = str(client.images.get(tag).history()) + str(client.images.get(tag).attrs)
        remove(client, f"{REPOSITORY}-secret")
        assert not re.search("s3cr3t|password|index-url|certificate|proxy", told, re.IGNORECASE)

    def test_it_holds_no_more_than_a_server_needs(self, client: Any, released: Release) -> None:
        tag = image.ensure_image(client, released, BASE, REPOSITORY)
        code = (
            "import importlib.util as u, sklearn, xgboost, skops.io, aiohttp, orjson, prometheus_client, pydantic;"
            "absent = ('mlflow', 'zenml', 'hydra', 'pyarrow', 'matplotlib', 'nvidia', 'pip');"
            "print([name for name in absent if u.find_spec(name)])"
        )
        assert inside(client, tag, code) == "[]"

    def test_an_unchanged_release_is_not_built_again(
        self, client: Any, released: Release, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tag = image.ensure_image(client, released, BASE, REPOSITORY)
        before = client.images.get(tag).id
        monkeypatch.setattr(image, "_install", lambda *_: pytest.fail("libraries installed again"))
        assert image.ensure_image(client, released, BASE, REPOSITORY) == tag
        assert client.images.get(tag).id == before

    def test_another_version_shares_the_layer_of_the_libraries(self, client: Any, released: Release) -> None:
        tag = image.ensure_image(client, released, BASE, REPOSITORY)
        other = Release(released.name, 2, released.folder)
        described = (released.folder / "release.json").read_text()
        try:
            (released.folder / "release.json").write_text(described.replace('"version": 1', '"version": 2'))
            second = image.ensure_image(client, other, BASE, REPOSITORY)
        finally:
            (released.folder / "release.json").write_text(described)
        assert root(client, tag)[:-3] == root(client, second)[:-3]
        assert root(client, tag) != root(client, second)

    def test_a_changed_release_is_built_again_and_leaves_no_nameless_image(
        self, client: Any, released: Release
    ) -> None:
        named = f"{REPOSITORY}-changed"
        described = (released.folder / "release.json").read_text()
        try:
            before = client.images.get(image.ensure_image(client, released, BASE, named)).id
            (released.folder / "release.json").write_text(described.replace("models:/m-1", "models:/m-2"))
            assert client.images.get(image.ensure_image(client, released, BASE, named)).id != before
            with pytest.raises(ImageNotFound):
                client.images.get(before)
        finally:
            (released.folder / "release.json").write_text(described)
            remove(client, named)

    def test_libraries_are_installed_once_by_two_deployments_at_once(
        self, client: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        base, small = f"{REPOSITORY}-base:1", Release("tests", 1, tmp_path)
        client.images.get(BASE).tag(*base.split(":"))  # another name makes another image of libraries
        small.model.mkdir()
        (small.model / "requirements.txt").write_text("six\n")
        caplog.set_level("INFO", image.log.name)
        try:
            with ThreadPoolExecutor(2) as pool:
                first, second = pool.map(lambda _: image._ensure_libraries(client, small, base), range(2))
            stages = client.images.list(all=True, filters={"label": f"{dockerfile.STAGE_LABEL}={first.tags[0]}"})
            client.images.remove(first.tags[0])
        finally:
            remove(client, base.partition(":")[0])
        assert first.id == second.id
        assert stages == []  # what the first stage left is removed
        assert [record.message.split()[0] for record in caplog.records] == ["building"]

    def test_the_folder_of_a_release_can_be_built_by_hand(self, client: Any, released: Release, tmp_path: Path) -> None:
        """With small libraries, on a base without pip, as the head of the file says."""
        folder = tmp_path / "1"
        shutil.copytree(released.folder, folder)
        tag = f"{REPOSITORY}-hand:1"
        pins = [f"{name}=={importlib.metadata.version(name)}" for name in ("six", "orjson")]
        umask = os.umask(0o077)
        try:
            image.write_build_folder(Release("tests", 1, folder), BASE, f"{REPOSITORY}-hand", pins)
        finally:
            os.umask(umask)
        head = [line.removeprefix("#   ") for line in (folder / "Dockerfile").read_text().splitlines()[:5]]
        assert head[1] == f"docker build --tag {tag} ."
        try:
            for line in head[3:]:
                command = shlex.split(line.replace("python ", f"{sys.executable} ", 1))
                subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
            code = "import six, orjson, mlrunner.serving, os; print(os.getuid(), os.listdir('/release/model')[0] != '')"
            assert inside(client, tag, code) == "10001 True"
            assert client.images.get(tag).attrs["Config"]["Entrypoint"][-1] == "/release"
        finally:
            remove(client, f"{REPOSITORY}-hand")
            client.images.prune({"dangling": True, "label": f"{dockerfile.STAGE_LABEL}=by-hand"})

    def test_what_a_build_refuses_is_one_sentence(self, client: Any, tmp_path: Path) -> None:
        (tmp_path / "Dockerfile").write_text(f"FROM {BASE}\nRUN echo 'ERROR: no such wheel.' >&2; exit 1\n")
        with pytest.raises(DeployError) as raised:
            image._build(client, tmp_path, f"{REPOSITORY}:refused")
        said = "Docker's engine says: ERROR: no such wheel."
        assert str(raised.value) == f"The image {REPOSITORY}:refused cannot be built. {said}"

    def test_only_what_a_server_imports_stays(self, client: Any, released: Release) -> None:
        tag = image.ensure_image(client, released, BASE, REPOSITORY)
        code = (
            "import pathlib; root = pathlib.Path('/opt/mlrunner/site');"
            "files = [p for p in root.rglob('*') if p.is_file()];"
            "print(sorted({p.suffix for p in files} & {'.pyi', '.pyx', '.h', '.c', '.exe'}),"
            "[p.name for p in files if p.name.startswith('test_') and 'tests' in p.parts],"
            "any(p.suffix == '.pyc' for p in files), [p.name for p in root.iterdir() if p.name in ('bin', 'share')])"
        )
        assert inside(client, tag, code) == "[] [] True []"

    def test_a_library_that_wants_the_system_s_openmp_finds_one(self, client: Any, released: Release) -> None:
        """LightGBM's wheel has none of its own, nor has a slim base; the wheel is mounted to save a minute."""
        lightgbm = Path(pytest.importorskip("lightgbm").__file__).parent
        tag = image.ensure_image(client, released, BASE, REPOSITORY)
        where = {str(lightgbm): {"bind": "/opt/wheels/lightgbm", "mode": "ro"}}
        code = "import sys; sys.path.append('/opt/wheels'); import lightgbm; print('loaded')"
        assert inside(client, tag, code, volumes=where) == "loaded"
        with pytest.raises(ContainerError, match="libgomp"):
            inside(client, tag, code, volumes=where, environment={"LD_LIBRARY_PATH": ""})


@pytest.mark.docker
class TestBases:
    def test_one_that_cannot_be_had_is_named_before_anything_runs(self, client: Any, released: Release) -> None:
        base = "localhost:1/nothing:1"
        assert base_image.find_problems(client, BASE) == []
        (problem,) = base_image.find_problems(client, base)
        assert problem.startswith(f"deployer.base={base} is not on this machine and cannot be pulled (")
        with pytest.raises(DeployError, match="cannot be pulled"):
            image.ensure_image(client, released, base, f"{REPOSITORY}-none")

    def test_a_name_that_is_none_is_told_with_its_key(self, client: Any) -> None:
        (problem,) = base_image.find_problems(client, "No Name!")
        assert problem.startswith("deployer.base=No Name! is not on this machine")

    def test_one_without_python_is_refused(self, client: Any, released: Release) -> None:
        empty = io.BytesIO()
        with tarfile.open(fileobj=empty, mode="w") as archive:
            archive.addfile(tarfile.TarInfo("nothing"))
        client.api.import_image_from_data(empty.getvalue(), repository=f"{REPOSITORY}-empty", tag="1")
        try:
            with pytest.raises(DeployError, match=r"has no python3 that runs; choose one like python:3\.\d+-slim"):
                image.ensure_image(client, released, f"{REPOSITORY}-empty:1", f"{REPOSITORY}-none")
            left = client.containers.list(all=True, filters={"ancestor": f"{REPOSITORY}-empty:1"})
            assert left == []
        finally:
            remove(client, f"{REPOSITORY}-empty")

    def test_one_with_another_python_is_refused(self, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(base_image, "get_local_target", lambda: Target("3.99.1", "x86_64", (2, 28)))
        with pytest.raises(DeployError, match=r"has Python 3\.\d+, the model 3\.99; choose one like python:3\.99-slim"):
            base_image.inspect_python(client, BASE, BASE)

    @pytest.mark.parametrize(
        ("answer", "words"),
        [(b'{"version": "3.11.2", "machine": "x", "glibc": []}', "no glibc"), (b"hm", "no python3")],
    )
    def test_one_that_wheels_do_not_fit_is_refused(
        self, answer: bytes, words: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(base_image, "_run_probe", lambda *_: answer)
        with pytest.raises(DeployError, match=words):
            base_image.inspect_python(None, "id", "alpine")

    def test_it_tells_what_it_can_load(self, client: Any) -> None:
        found = base_image.inspect_python(client, BASE, BASE)
        assert (found.minor, found.glibc) == (get_local_target().minor, (2, 36))
