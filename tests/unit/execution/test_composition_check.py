"""Compositions that are checked and not run."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlrunner.core.errors import MlrunnerError
from mlrunner.execution.composition_check import list_own_options, preview


def test_the_rows_of_each_part_are_counted() -> None:
    seen = preview(["dataset=diabetes", "split=kfold", "model=ridge"])
    assert seen.rows == {"train": 354, "test": 88}  # a fifth of 442 rows, rounded; the folds share the rest
    assert seen.checked.composition.choice("split") == "kfold"
    assert seen.profile["columns"]["age"]["missing"] == 0


@pytest.mark.parametrize(
    ("override", "message"),
    [("model=rff", "model=rff is not an option"), ("dataset.target=nothing", "dataset.target"), ("seed=", "seed=")],
)
def test_a_mistake_is_a_sentence(override: str, message: str) -> None:
    with pytest.raises(MlrunnerError, match=message):
        preview(["dataset=diabetes", "model=ridge", override])


def test_options_of_the_project_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLRUNNER_PROJECT", str(tmp_path))
    assert list(list_own_options()) == []
    for name in ("model/b", "model/a", "features/c", "experiment/d"):
        (tmp_path / "conf" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "conf" / f"{name}.yaml").touch()
    monkeypatch.setenv("MLRUNNER_PROJECT", str(tmp_path / "."))
    from mlrunner.core.project import conf_folders

    conf_folders.cache_clear()
    expected = ["model=a", "model=b", "experiment=d", "features@model.features=c"]
    assert list(list_own_options()) == expected
