"""Pinned requirements of a served model."""

from __future__ import annotations

import importlib.metadata
import re

import pytest
from packaging.requirements import Requirement

from mlrunner.core.containers.pins import Target
from mlrunner.core.errors import DeployError
from mlrunner.groups.deployer.docker.requirements import OPTIONAL, pin_requirements

BOOKWORM = Target("3.11.2", "x86_64", (2, 36))
OWN = ["mlflow==3.17.2", "scikit-learn", "pandas", "numpy", "skops", "pydantic"]


def names(pins: list[str]) -> list[str]:
    return [Requirement(pin).name for pin in pins]


def test_the_server_and_what_the_model_needs_are_there_each_at_one_version() -> None:
    pins = pin_requirements(OWN, BOOKWORM)
    assert {"aiohttp", "orjson", "prometheus-client", "scikit-learn", "scipy", "pandas", "skops"} <= {*names(pins)}
    assert all(re.fullmatch(r"[a-z0-9-]+==[^=]+", pin) for pin in pins)
    assert pins == sorted(set(pins))


def test_neither_mlflow_nor_what_only_mlflow_needs_is_there() -> None:
    assert {"mlflow", "mlflow-skinny", "zenml", "flask", "sqlalchemy", "pyarrow"}.isdisjoint(
        names(pin_requirements(OWN, BOOKWORM))
    )


def test_it_is_closed() -> None:
    """What a pinned package needs is pinned, or left out on purpose."""
    pinned = set(names(pin_requirements(OWN, BOOKWORM)))
    for name in pinned:
        for line in importlib.metadata.requires(name) or []:
            need = Requirement(line)
            if need.marker is None or need.marker.evaluate({**BOOKWORM.markers, "extra": ""}):
                assert need.name.lower().replace("_", "-") in pinned | OPTIONAL, (name, line)


def test_a_version_that_the_model_was_saved_with_wins() -> None:
    assert "numpy==2.0.1" in pin_requirements(["numpy==2.0.1"], BOOKWORM)


def test_xgboost_comes_without_the_code_for_graphics_cards() -> None:
    pins = pin_requirements(["xgboost==3.2.0"], BOOKWORM)
    assert "xgboost-cpu==3.2.0" in pins
    assert not any(name.startswith("nvidia") or name == "xgboost" for name in names(pins))


def test_what_a_booster_draws_with_is_left_out_unless_the_model_itself_names_it() -> None:
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
def test_lines_are_read_as_pip_reads_them_for_the_image_s_system(line: str, is_there: bool) -> None:
    assert ("requests" in names(pin_requirements([line], BOOKWORM))) == is_there


def test_an_extra_brings_what_it_needs() -> None:
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
def test_a_line_that_cannot_be_pinned_is_refused(line: str, words: str | None) -> None:
    if words is None:  # a version is given, so pip may have it
        assert "no-such-package-here==1" in pin_requirements([line], BOOKWORM)
        return
    with pytest.raises(DeployError, match=words):
        pin_requirements([line], BOOKWORM)
