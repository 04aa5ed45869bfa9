"""Download of wheels for an image."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from mlrunner.core.containers import wheels
from mlrunner.core.containers.pins import Target
from mlrunner.core.errors import DeployError

BOOKWORM = Target("3.11.2", "x86_64", (2, 36))


def test_the_newest_wheels_that_the_base_can_load_come_first() -> None:
    platforms = wheels.list_platforms(BOOKWORM)[1::2]
    assert platforms[0] == "manylinux_2_36_x86_64"
    assert "manylinux_2_37_x86_64" not in platforms
    assert {"manylinux_2_5_x86_64", "manylinux1_x86_64", "manylinux2014_x86_64"} <= set(platforms)
    assert "manylinux_2_16_aarch64" not in wheels.list_platforms(Target("3.11.2", "aarch64", (2, 36)))


@pytest.mark.parametrize(
    ("output", "words"),
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
    output: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = subprocess.CompletedProcess([], 1, "", output)
    monkeypatch.setattr(wheels, "_pip", lambda *_: failed)
    with pytest.raises(DeployError, match=words) as raised:
        wheels.download(["x==1"], BOOKWORM, tmp_path)
    assert "\n" not in str(raised.value)


def test_where_the_slim_xgboost_cannot_be_had_the_whole_one_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def pip(pins: list[str], *_: Any) -> subprocess.CompletedProcess[str]:
        asked.append(pins)
        output = "ERROR: No matching distribution found for xgboost-cpu==9"
        return subprocess.CompletedProcess([], len(asked) % 2, "", output)

    monkeypatch.setattr(wheels, "_pip", pip)
    assert wheels.download(["numpy==1", "xgboost-cpu==9"], BOOKWORM, tmp_path) == asked[1]
    assert asked[1] == ["numpy==1", "xgboost==9"]


@pytest.mark.docker  # needs a package index, as images do
@pytest.mark.timeout(300)
def test_a_package_without_wheels_is_built_where_it_is_pure_python(tmp_path: Path) -> None:
    pins = ["antlr4-python3-runtime==4.9.3", "six==1.17.0"]
    assert wheels.download(pins, BOOKWORM, tmp_path / "wheels") == pins
    names = sorted(file.name.partition("-")[0] for file in (tmp_path / "wheels").iterdir())
    assert names == ["antlr4_python3_runtime", "six"]
    (tmp_path / "site").mkdir()
    assert wheels.install(["six==1.17.0"], BOOKWORM, tmp_path / "wheels", tmp_path / "site") == ["six==1.17.0"]
    assert (tmp_path / "site" / "six.py").is_file()
    assert not list((tmp_path / "site").rglob("direct_url.json"))  # the path of a folder of this machine
