"""The best run against the default composition."""

from __future__ import annotations

import json
import re
from pathlib import Path

from mlrunner.history import diff
from mlrunner.history.diff import documents, sides
from mlrunner.history.report import (
    differences,
)
from mlrunner.tracking.records.snapshot import Snapshot


def test_default_has_the_same_data(tmp_path: Path) -> None:
    typed = ("model=rf", "dataset=csv", "+dataset.options.decimal=','", "datasets=x", "seed=1")
    found = differences._of_data(Snapshot({}, overrides=typed, sources=(str(tmp_path), "/gone")))
    assert found == ["-cd", str(tmp_path), "dataset=csv", "+dataset.options.decimal=','"]


def test_secrets_of_configuration_files_are_hidden(tmp_path: Path) -> None:
    told = (
        {"password": None, "token": "hunter1", "name": "local"},
        {"password": "hunter2", "token": None, "name": "far"},
    )
    for name, stack in zip("ab", told, strict=True):
        url = f"postgresql://me:{'hunter3' if name == 'b' else ''}@host/db"
        (tmp_path / f"{name}.yaml").write_text(json.dumps({"stack": stack, "dataset": {"url": url}}))
    found = diff.compare([sides.read_file(tmp_path / f"{name}.yaml") for name in "ab"])
    shown = documents.to_html(found)
    assert all(f"hunter{k}" in shown for k in (1, 2, 3))
    hidden = differences.hide_secrets(shown)
    assert "hunter" not in hidden
    assert re.sub("<[^>]*>", " ", hidden).split().count("***") >= 2
    assert ("far" in hidden, hidden.count("<"), hidden.count("<td>null</td>")) == (True, shown.count("<"), 2)
