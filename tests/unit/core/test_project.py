"""Where the project, the code and the files that come with it are."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.core import project
from tests.support.front_door import PROJECT


def test_the_checkout_is_a_project_with_its_own_configuration() -> None:
    assert (project.CODE, project.RESOURCES, project.CONF) == (PROJECT, PROJECT, PROJECT / "conf")
    assert project.find_project(PROJECT / "tests" / "unit") == PROJECT


@pytest.mark.parametrize(
    ("folder", "expected"), [("outer/inner/deep", "outer/inner"), ("outer/other", "outer"), ("none", "none")]
)
def test_without_conf_the_nearest_stores_mark_the_project(tmp_path: Path, folder: str, expected: str) -> None:
    for marked in ("outer", "outer/inner"):
        (tmp_path / marked / ".mlrunner").mkdir(parents=True)
    assert project.find_project(tmp_path / folder) == tmp_path / expected
