"""Text of the Dockerfile; the engine's view of it is in `test_image.py`."""

from __future__ import annotations

from mlrunner.groups.deployer.docker import dockerfile

BASE = "python:3.11-slim"


def test_both_ways_to_build_have_the_same_stages() -> None:
    whole = dockerfile.render("team/x:3", BASE)
    assert dockerfile.render_libraries(BASE) in whole
    assert whole.endswith(dockerfile.LAST_STAGE)
    assert dockerfile.render_last_stage("sha256:1") == f"FROM sha256:1 AS libraries\n{dockerfile.LAST_STAGE}"


def test_head_shows_the_command_with_the_tag() -> None:
    lines = dockerfile.render("team/x:3", BASE).splitlines()
    assert lines[1] == "#   docker build --tag team/x:3 ."
    assert all(line.startswith("#") for line in lines[:5])


def test_libraries_do_not_depend_on_the_version_of_the_model() -> None:
    assert "team/x" not in dockerfile.render_libraries(BASE)
    assert f"ARG BASE={BASE}\n" in dockerfile.render_libraries(BASE)
