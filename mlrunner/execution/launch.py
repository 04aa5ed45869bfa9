"""Read from Hydra how a run was started."""

from __future__ import annotations

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import OmegaConf

from mlrunner.composition.composition import Launch
from mlrunner.core import environment


def read_launch() -> Launch:
    """Read the launch of the job that Hydra runs."""
    hydra = HydraConfig.get()
    choices = {group: str(option) for group, option in hydra.runtime.choices.items() if _is_group(group, option)}
    job = int(str(hydra.job.num)) if hydra.mode == RunMode.MULTIRUN else None
    task = OmegaConf.to_container(hydra.overrides.task)  # unresolved: ${seed} stays ${seed}
    overrides = [str(text) for text in task] if isinstance(task, list) else []
    folder = Path(hydra.runtime.output_dir)
    sweep = None if job is None else Path(str(hydra.sweep.dir))
    parent, shared = environment.grid_parent(), environment.grid_overrides()
    return Launch(choices, overrides, folder, job, parent, shared, sweep=sweep)


def _is_group(group: str, option: object) -> bool:
    return option is not None and not group.startswith("hydra/") and "@" not in group


def shares_recorder() -> bool:
    """Check whether a grid runs in this process, where all jobs share one background writer."""
    if not HydraConfig.initialized():  # a reproduction
        return False
    hydra = HydraConfig.get()
    return hydra.mode == RunMode.MULTIRUN and str(hydra.launcher._target_).endswith("BasicLauncher")
