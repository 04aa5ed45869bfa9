"""A run is explained by its name; whole commands are in `tests/apps/test_explain.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.core.errors import ConfigError
from mlrunner.execution.explanation import explain


def test_an_unknown_run_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLRUNNER_HOME", "MLRUNNER_VERBOSE", "MLFLOW_TRACKING_URI"):
        monkeypatch.setenv(name, "0")
        monkeypatch.delenv(name)
    with pytest.raises(ConfigError, match="nope"):
        explain("nope", None, tmp_path)
