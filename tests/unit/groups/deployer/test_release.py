"""Files of a release."""

from __future__ import annotations

import json
from pathlib import Path

from mlrunner.groups.deployer.release import RELEASE_FILE, Release


def test_release_reads_its_description_and_its_example(tmp_path: Path) -> None:
    release = Release("olist", 3, tmp_path / "3")
    release.model.mkdir(parents=True)
    (release.model / "serving_input_example.json").write_bytes(b'{"dataframe_split": {}}')
    description = {"facts": {"run_id": "abc"}, "expected": [1.5], "saved": {}}
    (release.folder / RELEASE_FILE).write_text(json.dumps(description))
    assert (release.facts, release.expected) == ({"run_id": "abc"}, [1.5])
    assert release.example == b'{"dataframe_split": {}}'
