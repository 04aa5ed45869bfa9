"""Search over the function of any Hydra program, as the official plugin for Optuna does.

The launcher of the program runs the function in batches of `n_jobs`, and what it returns is the objective: without data
sets, ZenML and MLflow. mlrunner's own searches are in `entry`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.errors import CompactHydraException
from hydra.plugins.launcher import Launcher
from optuna import Study
from optuna.trial import Trial, TrialState

from mlrunner.core.errors import MlrunnerError, first_line
from mlrunner.search.custom_space import load_custom_space
from mlrunner.search.function_settings import (
    count_trials,
    list_directions,
    read_function_settings,
    read_function_space,
)
from mlrunner.search.grid_order import GridOrder, list_combinations
from mlrunner.search.results import RESULTS_FILE
from mlrunner.search.space import Space
from mlrunner.search.study_setup import make_sampler, open_study
from mlrunner.tracking.studies import open_storage

if TYPE_CHECKING:
    from hydra.types import HydraContext, TaskFunction
    from omegaconf import DictConfig
    from optuna.samplers import BaseSampler

    from mlrunner.search.settings import SweepSettings

LOG = logging.getLogger(__name__)


class FunctionError(MlrunnerError):
    """The function returns no objective, or failed in every trial."""


def sweep(context: HydraContext, task_function: TaskFunction, config: DictConfig, arguments: list[str]) -> None:
    """Run a search, and write `optimization_results.yaml` into the folder of the sweep.

    Args:
        context: Context that Hydra passes to a sweeper.
        task_function: Function of the program.
        config: Configuration of the whole sweep, with its `hydra` node.
        arguments: Overrides of the command line.

    Raises:
        CompactHydraException: When a setting must be corrected; Hydra prints its sentence without a traceback.
        Exception: Error of the function, when more trials of a batch failed than `max_failure_rate` allows.
    """
    try:
        settings, ranges = read_function_settings(config)
        space = read_function_space(settings, ranges, arguments, getattr(context, "config_loader", None))
        limit, folder = count_trials(settings, space), Path(str(config.hydra.sweep.dir))
        name = settings.study_name or "/".join(folder.parts[-2:])
        study = open_study(open_storage(settings.storage, None, name), name, list_directions(settings), settings)
        study.sampler = _make_sampler(settings, space)
        customize = load_custom_space(settings.custom_search_space, space, config)
        launcher = Plugins.instance().instantiate_launcher(
            hydra_context=context, task_function=task_function, config=config
        )
        LOG.info("Study %s: %d trials, %s", name, limit, type(study.sampler).__name__)
        search = FunctionSearch(study, space, launcher, customize, settings.max_failure_rate)
        for first in range(0, limit, settings.n_jobs):
            search.run_batch(first, min(settings.n_jobs, limit - first))
        write_summary(folder, summarize(study))
    except MlrunnerError as error:
        raise CompactHydraException(str(error)) from error


def _make_sampler(settings: SweepSettings, space: Space) -> BaseSampler:
    if settings.is_grid:
        return GridOrder(list_combinations(space, settings.sampler.get("seed")))
    return make_sampler(settings.sampler)


@dataclass(frozen=True)
class FunctionSearch:
    """A search whose trials a launcher runs in batches.

    Args:
        study: Study with its sampler.
        space: Search space.
        launcher: Launcher, set up by Hydra.
        customize: Function of `hydra.sweeper.custom_search_space`; None without one.
        max_failure_rate: Share of a batch that may fail.
    """

    study: Study
    space: Space
    launcher: Launcher
    customize: Callable[[Trial], None] | None
    max_failure_rate: float

    def run_batch(self, first: int, size: int) -> None:
        """Run trials at the same time, or one after the other where the launcher does so.

        Raises:
            Exception: Error of the first failed trial, when too many failed.
        """
        trials = [self.study.ask() for _ in range(size)]
        try:
            overrides = [self.space.suggest(trial, self.customize) for trial in trials]
            jobs = self.launcher.launch(overrides, initial_job_idx=first)
            errors = [self._tell(trial, job) for trial, job in zip(trials, jobs, strict=True)]
        except BaseException:
            for trial in trials:  # so that none is left running in the storage
                self.study.tell(trial, state=TrialState.FAIL, skip_if_finished=True)
            raise
        failures = [error for error in errors if error is not None]
        if len(failures) > self.max_failure_rate * size:
            raise failures[0]

    def _tell(self, trial: Trial, job: JobReturn) -> Exception | None:
        """Tell Optuna what a job returned, and return the error of a failed trial."""
        try:
            values = read_values(job, len(self.study.directions))
        except Exception as error:  # the function may raise anything
            LOG.warning("Trial %d failed: %s", trial.number, first_line(error))
            self.study.tell(trial, state=TrialState.FAIL)
            return error
        self.study.tell(trial, values)
        return None


def read_values(job: JobReturn, count: int) -> list[float]:
    """Read the objectives that the function returned.

    Raises:
        FunctionError: When it returned something else.
        Exception: Error of the function.
    """
    returned: Any = job.return_value
    try:
        values = list(map(float, [returned] if count == 1 else returned))
    except (TypeError, ValueError):
        values = []
    if len(values) == count and not any(map(math.isnan, values)):
        return values
    expected = "a number" if count == 1 else f"a list of {count} numbers, one for each direction"
    raise FunctionError(f"The function returned {returned!r}; return {expected}.")


def summarize(study: Study) -> dict[str, Any]:
    """Summarize a search in the form of the official plugin.

    Raises:
        FunctionError: When no trial is complete.
    """
    best = study.best_trials
    if not best:
        raise FunctionError("No trial completed and met the constraints of the sampler, so there is no best one.")
    if len(study.directions) > 1:
        solutions = [{"params": dict(trial.params), "values": list(trial.values)} for trial in best]
        return {"name": "optuna", "solutions": solutions}
    return {"name": "optuna", "best_params": dict(study.best_params), "best_value": study.best_value}


def write_summary(folder: Path, summary: dict[str, Any]) -> None:
    """Write `optimization_results.yaml`, and log the result."""
    folder.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(summary, sort_keys=False, allow_unicode=True)
    (folder / RESULTS_FILE).write_text(text)
    LOG.info("%s\n%s", folder / RESULTS_FILE, text.rstrip())
