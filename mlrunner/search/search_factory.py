"""Build the parts of a search that depend on the settings of the sweeper: samplers and executor."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.plugins import Plugins

from mlrunner.core.build import build
from mlrunner.core.errors import ConfigError
from mlrunner.core.terminal import console
from mlrunner.groups.executor import LOCAL_TARGET, Engine, LocalEngine
from mlrunner.groups.executor.dask_engine import DaskEngine
from mlrunner.groups.executor.ray_engine import RayEngine
from mlrunner.search import study_setup
from mlrunner.search.grid_order import GridOrder, list_combinations
from mlrunner.search.hydra_launcher import NOTE, LauncherExecutor
from mlrunner.search.workers import WorkerPool

if TYPE_CHECKING:
    from hydra.types import HydraContext, TaskFunction
    from omegaconf import DictConfig

    from mlrunner.search.executor import Executor
    from mlrunner.search.plan import SearchPlan
    from mlrunner.search.trial_preparation import TrialPreparer

BASIC_LAUNCHER = "BasicLauncher"


@dataclass(frozen=True)
class SweeperCall:
    """Arguments that Hydra passes to a sweeper.

    Args:
        hydra_context: Context of Hydra.
        task_function: Function that one of Hydra's launchers runs for each trial.
        config: Configuration of the whole sweep, with its `hydra` node.
    """

    hydra_context: HydraContext
    task_function: TaskFunction
    config: DictConfig


LOGS = "logs"  # folder of a sweep for the logs of its jobs


def make_sampler_factory(plan: SearchPlan) -> Callable[[int], Any]:
    """Return a function of a trial's number that returns its sampler."""
    if plan.settings.is_grid:
        grid = GridOrder(list_combinations(plan.space, plan.settings.sampler.get("seed")))
        return lambda _number: grid
    return functools.partial(study_setup.build_sampler, plan.settings, plan.first.composition.settings.seed)


def start_workers(plan: SearchPlan, call: SweeperCall) -> WorkerPool | None:
    """Start our own workers, before this process has threads or an open store; None where others run the trials."""
    is_basic = str(call.config.hydra.launcher._target_).endswith(BASIC_LAUNCHER)
    is_ours = is_basic and call.config.executor._target_ == LOCAL_TARGET
    return WorkerPool(plan.settings.n_jobs, plan.settings.threads) if is_ours else None


def build_executor(plan: SearchPlan, preparer: TrialPreparer, call: SweeperCall, folder: Path) -> Executor:
    """Build what runs the trials beside our own workers: a cluster, or the launcher of Hydra that the sweep names."""
    settings, hydra = plan.settings, call.config.hydra
    is_basic = str(hydra.launcher._target_).endswith(BASIC_LAUNCHER)
    engine: Engine = build(plan.first.composition["executor"], "executor", Engine)
    if not isinstance(engine, LocalEngine):
        _refuse_launcher(is_basic, hydra)
        return _connect(engine, settings.n_jobs, folder / LOGS)
    launcher = Plugins.instance().instantiate_launcher(
        hydra_context=call.hydra_context, task_function=call.task_function, config=call.config
    )
    if plan.first.composition.settings.output == "text":
        name = f"hydra/launcher={hydra.runtime.choices['hydra/launcher']}"
        console(stderr=True).print(NOTE.format(name=name, size=settings.n_jobs))
    return LauncherExecutor(launcher, settings.n_jobs, preparer.locations.__getitem__)


def _connect(engine: Engine, size: int, logs: Path) -> Executor:
    """Build the executor of a cluster; imports its engine, which takes a second."""
    notify = console(stderr=True).print
    if isinstance(engine, DaskEngine):
        from mlrunner.search.remote.dask_executor import DaskExecutor

        return DaskExecutor(engine, size, notify, logs)
    if isinstance(engine, RayEngine):
        engine.set_variables()
        from mlrunner.search.remote.ray_executor import RayExecutor

        return RayExecutor(engine, size, notify)
    raise ConfigError(f"executor: {type(engine).__name__} runs no searches.")


def _refuse_launcher(is_basic: bool, hydra: DictConfig) -> None:
    """Refuse a launcher beside an executor: both say where trials run."""
    if not is_basic:
        launcher = hydra.runtime.choices["hydra/launcher"]
        raise ConfigError(f"executor and hydra/launcher={launcher} both say where trials run; leave one of them out.")
