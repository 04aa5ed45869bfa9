"""Runs in this process that stop before they start."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.core.errors import MlrunnerError
from mlrunner.execution.in_process import run_here


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["model=xgbost"], "model=xgbost is not an option; .* Did you mean 'xgboost'?"),
        (["seeed=1"], "seeed is not a key; .* Did you mean 'seed'?"),
        (["seed=-1"], "seed"),
        (["model=rf", "dataset=csv", "dataset.path=gone.csv", "dataset.target=y"], "dataset.path"),
    ],
)
def test_a_wrong_composition_is_one_of_our_errors(
    overrides: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLRUNNER_HOME", str(tmp_path))
    with pytest.raises(MlrunnerError, match=f"^{message}") as caught:
        run_here(overrides)
    assert caught.value.__suppress_context__ or caught.value.__cause__ is None
