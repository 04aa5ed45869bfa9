"""A grid whose composition has an executor."""

from __future__ import annotations

from typing import Any

import pytest
from omegaconf import OmegaConf

from mlrunner.core.errors import ConfigError
from mlrunner.execution.executor_grid import ExecutorGridError, check_executor, make_search

BASIC = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"
DASK = "mlrunner.groups.executor.dask_engine.DaskEngine"
NOTE = "executor=dask runs trials: this grid runs as sweep=grid, and its winner is refitted on train and validation"


def configure(target: str = DASK, sweeper: str = BASIC, output: str = "text", **choices: str) -> Any:
    hydra = {"sweeper": {"_target_": sweeper}, "runtime": {"choices": {"executor": "dask", **choices}}}
    return OmegaConf.create({"executor": {"_target_": target}, "output": output, "hydra": hydra})


def test_a_grid_without_an_executor_is_one_of_hydra() -> None:
    check_executor(configure("mlrunner.groups.executor.LocalEngine"))
    check_executor(OmegaConf.create({}))


@pytest.mark.parametrize(("output", "printed"), [("text", f"{NOTE}\n"), ("json", "")])
def test_a_grid_with_an_executor_runs_as_a_search(
    output: str, printed: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(ExecutorGridError) as caught:
        check_executor(configure(output=output))
    arguments = ["-m", "model=ridge,rf", "executor=dask"]
    assert make_search(arguments, caught.value) == [*arguments, "sweep=grid", "hydra.sweeper.max_failure_rate=1"]
    assert tuple(capsys.readouterr()) == ("", printed)


@pytest.mark.parametrize("other", [{"sweep": "mine"}, {"sweeper": "hydra_plugins.mlrunner_sweeper.grid.ResumedGrid"}])
def test_another_sweep_is_not_replaced(other: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        check_executor(configure(**other))
    assert make_search([], caught.value) is None
    assert str(caught.value) == (
        "executor=dask runs the trials of a search, but this is a grid of Hydra, whose jobs run on this machine; use "
        "sweep=grid, which runs every combination as a trial, or set executor=local."
    )
