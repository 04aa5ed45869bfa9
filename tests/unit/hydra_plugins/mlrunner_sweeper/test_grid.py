"""A resumed grid of Hydra, with Hydra's own launcher."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hydra import initialize_config_dir
from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig

from tests.support.outcomes import make_outcome

GRID = "hydra_plugins.mlrunner_sweeper.grid.ResumedGrid"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "config.yaml").write_text("x: 0\ny: 0\n")
    return tmp_path / "sweep"


def run_grid(folder: Path, *overrides: str) -> list[tuple[int, int, int]]:
    """Run a grid of two numbers; return the number and the values of each job that ran."""
    jobs: list[tuple[int, int, int]] = []

    def run(cfg: DictConfig) -> None:
        number = int(HydraConfig.get().job.num)
        jobs.append((number, cfg.x, cfg.y))
        write_result(Path(HydraConfig.get().runtime.output_dir), number, "FINISHED")

    with initialize_config_dir(str(folder.parent / "conf"), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        keys = [f"hydra.sweeper._target_={GRID}", f"hydra.sweep.dir={folder}", "hydra.job.name=grid"]
        config = loader.load_configuration("config", [*keys, *overrides], RunMode.MULTIRUN)
        context = HydraContext(config_loader=loader, callbacks=Callbacks())
        sweeper: Any = Plugins.instance().instantiate_sweeper(hydra_context=context, task_function=run, config=config)
        sweeper.sweep(list(overrides))
    return jobs


def write_result(folder: Path, job: int, status: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    make_outcome(job=job, status=status).write(folder)


def test_a_new_grid_runs_every_job(folder: Path) -> None:
    assert run_grid(folder, "x=1,2", "y=3,4") == [(0, 1, 3), (1, 1, 4), (2, 2, 3), (3, 2, 4)]


def test_only_unfinished_jobs_run_again_under_their_numbers(folder: Path) -> None:
    for number, status in enumerate(["", "FINISHED", "FINISHED", "FAILED"]):
        if status:
            write_result(folder / str(number), number, status)
    assert run_grid(folder, "x=1,2", "y=3,4") == [(0, 1, 3), (3, 2, 4)]
    assert run_grid(folder, "x=1,2", "y=3,4") == []


def test_finished_jobs_are_known_in_nested_folders(folder: Path) -> None:
    nested = "hydra.sweep.subdir='x/${hydra.job.override_dirname}'"
    write_result(folder / "x" / "x=1", 0, "FINISHED")
    assert run_grid(folder, "x=1,2", nested) == [(1, 2, 0)]
    assert run_grid(folder, "x=1,2", nested) == []
