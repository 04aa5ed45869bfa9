"""The best run against the default composition."""

from __future__ import annotations

import json
import re
from pathlib import Path

from mlrunner.history import diff
from mlrunner.history.diff import documents, sides
from mlrunner.history.report import differences
from mlrunner.tracking.records.snapshot import Snapshot


def test_default_has_the_same_data(tmp_path: Path) -> None:
    typed = ("model=rf", "dataset=csv", "+dataset.options.decimal=','", "datasets=x", "seed=1")
    overrides = differences._of_data(Snapshot({}, overrides=typed, sources=(str(tmp_path), "/gone")))
    assert overrides == ["-cd", str(tmp_path), "dataset=csv", "+dataset.options.decimal=','"]


def test_secrets_of_configuration_files_are_hidden(tmp_path: Path) -> None:
    stacks = (
        {"password": None, "token": "hunter1", "name": "local"},
        {"password": "hunter2", "token": None, "name": "far"},
    )
    for name, stack in zip("ab", stacks, strict=True):
        url = f"postgresql://me:{'hunter3' if name == 'b' else ''}@host/db"
        (tmp_path / f"{name}.yaml").write_text(json.dumps({"stack": stack, "dataset": {"url": url}}))
    comparison = diff.compare([sides.read_file(tmp_path / f"{name}.yaml") for name in "ab"])
    fragment = documents.to_html(comparison)
    assert all(f"hunter{k}" in fragment for k in (1, 2, 3))
    redacted = differences.hide_secrets(fragment)
    assert "hunter" not in redacted
    assert re.sub("<[^>]*>", " ", redacted).split().count("***") >= 2
    assert ("far" in redacted, redacted.count("<"), redacted.count("<td>null</td>")) == (True, fragment.count("<"), 2)
