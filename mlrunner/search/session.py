"""Run one session of a search: open the stores and the study, run the pipeline, write and print the results."""

from __future__ import annotations

import warnings
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
from filelock import BaseFileLock, FileLock
from optuna.exceptions import ExperimentalWarning

from mlrunner.core.errors import DeployError, MlrunnerError
from mlrunner.core.process import freeze_gc
from mlrunner.core.project import load_pipelines
from mlrunner.groups.stack.opening import open_stack
from mlrunner.search import default_trials, other_choices, study_changes, study_setup
from mlrunner.search.custom_space import load_custom_space
from mlrunner.search.loop import Search
from mlrunner.search.plan import SearchPlan
from mlrunner.search.relocated_storage import relocate
from mlrunner.search.search_factory import SweeperCall, build_executor, make_sampler_factory, start_workers
from mlrunner.search.trial_queue import TrialQueue
from mlrunner.search.trial_results import restore_results
from mlrunner.tracking import studies
from mlrunner.tracking.records import journal_path

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import BaseStorage

    from mlrunner.search.executor import Executor
    from mlrunner.search.pipeline_driver import PipelineDriver
    from mlrunner.search.trial_preparation import TrialPreparer
    from mlrunner.search.workers import WorkerPool


class SweepError(MlrunnerError):
    """More trials failed than `max_failure_rate` allows."""

    exit_code = 1


def run_session(plan: SearchPlan, preparer: TrialPreparer, call: SweeperCall) -> dict[str, Any]:
    """Run a search, and deploy its winner.

    Returns:
        Summary of the search; see `optimization_results.yaml`.

    Raises:
        MlrunnerError: When a store does not open, the study belongs to another search, too many trials failed, or
            the winner could not be deployed.
        KeyboardInterrupt: After Ctrl-C, when everything is written.
    """
    pool = start_workers(plan, call)
    with closing(pool) if pool is not None else nullcontext():
        return _open_and_run(plan, preparer, call, pool)


def _open_and_run(
    plan: SearchPlan, preparer: TrialPreparer, call: SweeperCall, pool: WorkerPool | None
) -> dict[str, Any]:
    home = plan.home
    open_stack(plan.first.repeats[0].stack, home, ["mlrunner.search.child_runs"], "forkserver")
    from mlrunner.groups.stack.orchestrator import refuse_search  # imports ZenML, which must find the stack's variables

    refuse_search()
    freeze_gc()
    name = plan.settings.study_name or "/".join(Path(str(call.config.hydra.sweep.dir)).parts[-2:])
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=ExperimentalWarning)
    storage = relocate(studies.open_storage(plan.settings.storage, home, name), name, home)
    lock = FileLock(home / ".mlrunner" / "studies.lock")  # two sessions that start together share folder and parent run
    with lock:
        is_new = name not in optuna.get_all_study_names(storage)
        study = _open_study(plan, preparer, call, storage, name)
        folder = study_setup.choose_folder(study, call.config)
        queue = TrialQueue(study, storage, plan.limit, make_sampler_factory(plan))
    journal = journal_path(home, name) if plan.settings.storage is None else None
    undo = study_setup.discard_when_refused(study, storage, folder, journal, lock) if is_new else nullcontext()
    with undo, closing(queue):
        preparer.composer.set_sweep_dir(folder)
        queue.recover()
        default_trials.enqueue_first_trials(study, plan, lock)
        # Before the parent run: a cluster may not be there.
        executor = pool or build_executor(plan, preparer, call, folder)
        driver = _build_driver(plan, preparer, call, study, queue, executor, folder, lock)
        summary = _run_driver(plan, driver, folder)
        _raise_failure(driver.search, summary, folder)
        return summary


def _open_study(plan: SearchPlan, preparer: TrialPreparer, call: SweeperCall, storage: BaseStorage, name: str) -> Study:
    """Open the study, with the current choices; the caller holds its lock."""
    other_choices.finish_adoption(storage, name)
    study_setup.refuse_lost_study(storage, name, Path(str(call.config.hydra.sweep.dir)))
    settings, opening = plan.settings, (storage, name, list(plan.objectives.directions), plan.settings)
    study = study_setup.open_study(*opening)
    study_changes.refuse_changes(study, describe_search(plan, preparer), settings.allow_changes)
    ranges = {dimension.name: dimension.distribution for dimension in plan.space.dimensions}
    is_ours = study_setup.SEARCH_ATTRIBUTE in study.user_attrs  # then only a killed change differs from its description
    is_allowed = settings.allow_changes or is_ours
    is_adopted = is_allowed and other_choices.adopt_choices(study, storage, ranges, settings.is_grid)
    return study_setup.open_study(*opening) if is_adopted else study


def describe_search(plan: SearchPlan, preparer: TrialPreparer) -> dict[str, Any]:
    """Describe what a later session must not change."""
    grid = {study_changes.GRID_SEED: plan.settings.sampler.get("seed")} if plan.settings.is_grid else {}
    return {
        "space": plan.space.describe(),
        "metric": dict(zip(plan.objectives.metrics, plan.objectives.directions, strict=True)),
        "repeats": plan.settings.repeats,
        "data": preparer.fingerprints,
        study_changes.COMPOSITION: study_changes.describe_fixed(
            plan.first.composition.recorded, [key for dimension in plan.space.dimensions for key in dimension.keys]
        ),
        **grid,
    }


def _build_driver(
    plan: SearchPlan,
    preparer: TrialPreparer,
    call: SweeperCall,
    study: Study,
    queue: TrialQueue,
    executor: Executor,
    folder: Path,
    lock: BaseFileLock,
) -> PipelineDriver:
    from mlrunner.search.parent_run import open_parent_run
    from mlrunner.search.pipeline_driver import PipelineDriver

    description = describe_search(plan, preparer)
    customize = load_custom_space(plan.settings.custom_search_space, plan.space, call.config)
    with lock:
        experiment, parent = open_parent_run(plan, study, description, folder)
    study.set_user_attr(study_setup.SEARCH_ATTRIBUTE, description)
    study.set_user_attr(study_setup.LIMIT_ATTRIBUTE, queue.limit)
    preparer.parent = parent
    restore_results(study, parent, plan.objectives)
    search = Search(plan.settings, plan.objectives, plan.space, study, queue, preparer, executor, customize)
    return PipelineDriver(search, experiment, parent, plan.home / ".mlrunner" / "cache" / "tables", lock)


def _run_driver(plan: SearchPlan, driver: PipelineDriver, folder: Path) -> dict[str, Any]:
    """Run the search, and write and print its results; no run stays open, whatever happens."""
    from mlrunner.search import closing as endings
    from mlrunner.search import session_output
    from mlrunner.search.table_display import choose_display

    search, is_text = driver.search, plan.first.composition.settings.output == "text"
    if is_text:
        session_output.show_start(plan, search.study, folder)
    try:
        with choose_display(search, is_text, plan.config_flags) as search.display:
            _run_pipeline(search.study.study_name, driver)
        summary = endings.close_search(plan, driver, search.study, folder)
    except BaseException:
        endings.abandon_search(driver)
        raise
    finally:
        search.executor.close()
    session_output.show_results(plan, driver, summary, folder)
    return summary


def _run_pipeline(study: str, driver: PipelineDriver) -> None:
    """Run the ZenML pipeline, which runs the driver."""
    pipelines = load_pipelines("search")
    pipelines.DRIVERS[study] = driver
    try:
        pipelines.search.with_options(run_name=driver.pipeline_run)(study=study)
    except Exception as error:
        raise _find_cause(error) from error
    finally:
        del pipelines.DRIVERS[study]


def _find_cause(error: BaseException) -> BaseException:
    """Return our own error, or Ctrl-C, behind an error of ZenML; or the error itself."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, MlrunnerError | KeyboardInterrupt):
        cause = cause.__cause__ or cause.__context__
    return error if cause is None else cause


def _raise_failure(search: Search, summary: dict[str, Any], folder: Path) -> None:
    if search.interrupts.count:
        raise KeyboardInterrupt
    if search.stopping_rule.has_failed(search.queue.trials):
        reason = search.stop_reason or f"more than max_failure_rate={search.settings.max_failure_rate:g} allows"
        raise SweepError(f"too many trials failed: {reason}; see {folder}/*/trial_result.json, or run one alone.")
    if "best_trial_number" not in summary:
        raise SweepError(f"no trial completed, so there is no winner; see {folder}/trials.csv, or run one alone.")
    deployment = (summary["winner"] or {}).get("deployment") or {}
    if "error" in deployment:
        raise DeployError(deployment["error"])
