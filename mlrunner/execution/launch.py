"""Read from Hydra how a run was started."""

from __future__ import annotations

import shutil
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import OmegaConf

from mlrunner.composition.composition import Launch
from mlrunner.core import environment

WRITTEN_BY_HYDRA = {".hydra", *(f".hydra/{name}.yaml" for name in ("config", "hydra", "overrides")), "multirun.yaml"}


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


def remove_refused_folder(folder: Path) -> bool:
    """Remove the folder of a refused command if it holds nothing but what Hydra has written there.

    Args:
        folder: Output folder of a run, or folder of a grid; the working folder is never removed.

    Returns:
        Whether the folder is removed.
    """
    if folder == Path.cwd() or folder in Path.cwd().parents or not folder.is_dir():
        return False
    if any(str(path.relative_to(folder)) not in WRITTEN_BY_HYDRA for path in folder.rglob("*")):
        return False
    shutil.rmtree(folder, ignore_errors=True)
    return True
