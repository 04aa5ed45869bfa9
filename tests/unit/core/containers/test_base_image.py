"""Checks of the base image."""

from __future__ import annotations

import io
import tarfile
from typing import Any

import pytest

from mlrunner.core.containers import base_image
from mlrunner.core.containers.base_image import Base
from mlrunner.core.containers.pins import Target, get_local_target
from mlrunner.core.errors import DeployError
from tests.support.released import BASE, remove


@pytest.mark.parametrize(
    ("answer", "words"),
    [(b'{"version": "3.11.2", "machine": "x", "glibc": []}', "no glibc"), (b"hm", "no python3")],
)
def test_base_that_wheels_do_not_fit_is_refused(answer: bytes, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_image, "_run_probe", lambda *_: answer)
    with pytest.raises(DeployError, match=words):
        base_image.inspect_python(None, "id", Base("alpine"))


@pytest.mark.docker
@pytest.mark.timeout(300)
class TestEngine:
    def test_missing_base_is_a_problem(self, client: Any) -> None:
        assert base_image.find_problems(client, Base(BASE)) == []
        for base in ("localhost:1/nothing:1", "No Name!"):
            (problem,) = base_image.find_problems(client, Base(base))
            assert problem.startswith(f"deployer.base={base} is not on this machine and cannot be pulled (")
        with pytest.raises(DeployError, match=r"^stack.base_image=localhost:1/nothing:1 is not on .* cannot be pulled"):
            base_image.find_or_pull(client, Base("localhost:1/nothing:1", "stack.base_image"))

    def test_base_without_python_is_refused_and_leaves_no_container(self, client: Any, repository: str) -> None:
        empty = io.BytesIO()
        with tarfile.open(fileobj=empty, mode="w") as archive:
            archive.addfile(tarfile.TarInfo("nothing"))
        name = f"{repository}-empty:1"
        client.api.import_image_from_data(empty.getvalue(), repository=f"{repository}-empty", tag="1")
        try:
            with pytest.raises(DeployError, match=r"has no python3 that runs; choose one like python:3\.\d+-slim"):
                base_image.inspect_python(client, name, Base(name))
            assert client.containers.list(all=True, filters={"ancestor": name}) == []
        finally:
            remove(client, f"{repository}-empty")

    def test_base_with_another_python_is_refused(self, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(base_image, "get_local_target", lambda: Target("3.99.1", "x86_64", (2, 28)))
        with pytest.raises(DeployError, match=r"has Python 3\.\d+, and not 3\.99; choose one like python:3\.99-slim"):
            base_image.inspect_python(client, BASE, Base(BASE))

    def test_python_and_glibc_are_inspected(self, client: Any) -> None:
        target = base_image.inspect_python(client, BASE, Base(BASE))
        assert (target.minor, target.glibc) == (get_local_target().minor, (2, 36))
