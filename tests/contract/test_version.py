"""One version: in the package, in the changelog, and in the tag of a release."""

from __future__ import annotations

import re
import subprocess

from mlrunner import __version__
from tests.support.front_door import PROJECT


def test_the_newest_release_of_the_changelog_is_this_version() -> None:
    headings = re.findall(r"^## \[(.+?)\](.*)$", (PROJECT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == ("Unreleased", "")
    assert headings[1][0] == __version__
    assert re.fullmatch(r" - \d{4}-\d\d-\d\d", headings[1][1])
    assert re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", __version__)


def test_a_tagged_commit_has_the_version_of_its_tag() -> None:
    done = subprocess.run(["git", "tag", "--points-at", "HEAD"], capture_output=True, text=True, cwd=PROJECT)
    assert {tag for tag in done.stdout.split() if tag.startswith("v")} <= {f"v{__version__}"}
