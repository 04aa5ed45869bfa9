"""State of a multirun, and the hooks that Hydra calls."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from mlrunner.execution.grid import Multirun, SweepCallback, _describe_comparability
from tests.support.outcomes import make_outcome

OPTUNA = "hydra_plugins.mlrunner_sweeper.sweeper.OptunaSweeper"


def config(folder: Path, study: str | None = None) -> Any:
    sweeper = {"_target_": OPTUNA, "study_name": study}
    return OmegaConf.create({"hydra": {"sweeper": sweeper, "sweep": {"dir": str(folder)}}})


@pytest.mark.parametrize(("study", "name"), [(None, "day/time"), ("mine", "mine")])
def test_an_interruption_names_the_sweep_to_resume(study: str | None, name: str) -> None:
    multirun = Multirun()
    with multirun.active():
        SweepCallback().on_multirun_start(config(Path("/home/multirun/day/time"), study))
    assert multirun.name == name
    error = KeyboardInterrupt()
    multirun.abort(error)
    assert error.__notes__ == [f"finished work is kept; go on with mlrunner resume {name}"]


def test_a_finished_search_cannot_be_resumed() -> None:
    multirun = Multirun()
    with multirun.active():
        callback = SweepCallback()
        callback.on_multirun_start(config(Path("/day/time")))
        callback.on_multirun_end(config(Path("/day/time")))
    error = KeyboardInterrupt()
    multirun.abort(error)
    assert not hasattr(error, "__notes__")
    assert multirun == Multirun()


def test_a_callback_writes_only_to_the_active_state() -> None:
    first, second = Multirun(), Multirun()
    with first.active():
        with second.active():
            SweepCallback().on_multirun_start(config(Path("/day/second")))
        SweepCallback().on_multirun_start(config(Path("/day/first")))
    SweepCallback().on_multirun_start(config(Path("/day/third")))
    assert (first.name, second.name) == ("day/first", "day/second")


def test_what_does_not_compare_is_said() -> None:
    outcomes = [make_outcome(question=text, judged_rows=rows) for text, rows in [("tip", "a"), ("fare", "b")]]
    assert list(_describe_comparability(outcomes[:1])) == []
    assert list(_describe_comparability(outcomes)) == [
        ("best", "none of all: tip, by r2 and fare, by r2 do not compare; mlrunner deploy RUN deploys one")
    ]
    other_rows = [outcomes[0], replace(outcomes[0], judged_rows="c")]
    assert [label for label, _ in _describe_comparability(other_rows)] == ["rows"]


def test_a_grid_without_a_parent_run_ends_with_the_exception() -> None:
    multirun = Multirun()
    grid = OmegaConf.merge(config(Path("/day/time")), {"hydra": {"sweeper": {"_target_": "hydra.Sweeper"}}})
    with multirun.active(), pytest.raises(SystemExit):
        SweepCallback().on_multirun_start(grid)
    assert "stack" in str(multirun.error)


def test_a_grid_whose_modules_do_not_import_ends_with_the_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("mlrunner.execution.grid_parent", raising=False)
    monkeypatch.setitem(sys.modules, "mlrunner.execution.grid_parent", None)
    multirun = Multirun()
    grid = OmegaConf.merge(config(Path("/day/time")), {"hydra": {"sweeper": {"_target_": "hydra.Sweeper"}}})
    with multirun.active(), pytest.raises(SystemExit):
        SweepCallback().on_multirun_start(grid)
    assert isinstance(multirun.error, ImportError)


@pytest.mark.parametrize(
    ("error", "is_kept"), [(ValueError("no option"), False), (KeyboardInterrupt(), True)], ids=repr
)
def test_a_refused_grid_leaves_nothing_to_resume(error: BaseException, is_kept: bool, tmp_path: Path) -> None:
    folder = tmp_path / "day" / "time"
    folder.mkdir(parents=True)
    (folder / "multirun.yaml").write_text("x: 1\n")
    Multirun("day/time", folder).abort(error)
    assert folder.exists() is is_kept
    assert hasattr(error, "__notes__") is is_kept
