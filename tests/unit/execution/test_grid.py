"""State of a multirun, and the hooks that Hydra calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from mlrunner.execution.grid import Multirun, SweepCallback

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
    assert error.__notes__ == [f"go on with mlrunner resume {name}"]


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


def test_a_grid_without_a_parent_run_ends_with_the_exception() -> None:
    multirun = Multirun()
    grid = OmegaConf.merge(config(Path("/day/time")), {"hydra": {"sweeper": {"_target_": "hydra.Sweeper"}}})
    with multirun.active(), pytest.raises(SystemExit):
        SweepCallback().on_multirun_start(grid)
    assert "stack" in str(multirun.error)
