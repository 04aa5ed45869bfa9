"""Run one checked composition: the ZenML pipeline inside an MLflow run."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from mlrunner.composition import checks
from mlrunner.composition.checks import Checked
from mlrunner.core import progress_file, terminal
from mlrunner.core.errors import DeployError, MlrunnerError, StoreError
from mlrunner.core.formatting import format_number
from mlrunner.core.interruption import interruption_code
from mlrunner.core.outcome import Outcome
from mlrunner.core.process import freeze_gc
from mlrunner.core.progress_file import Progress
from mlrunner.core.project import load_pipelines
from mlrunner.execution import output
from mlrunner.execution.launch import read_launch, remove_refused_folder, shares_recorder
from mlrunner.execution.outcomes import describe_failure, read_outcome
from mlrunner.execution.placement import place_run, record_dataset, run_pipeline
from mlrunner.steps.progress import TRAINING_STEPS, print_steps
from mlrunner.tracking import outage
from mlrunner.tracking.background_writer import RECORDER
from mlrunner.tracking.records.record import ZENML_RUN_ID_TAG, ZENML_RUN_TAG

if TYPE_CHECKING:
    from mlrunner.groups.stack.orchestrator.placement import Placement

log = logging.getLogger(__name__)
PIPELINE_GROUPS = ("dataset", "cleaning", "split", "gate", "deployer")


def run_one(cfg: DictConfig, command_line: Sequence[str] | None = None) -> Outcome:
    """Run a single composition, and print its steps, metrics and next commands.

    Args:
        cfg: Configuration that Hydra composed.
        command_line: Arguments of the command line, to print the command that repeats the run; None prints the
            overrides.

    Raises:
        MlrunnerError: When the composition cannot run, or its model cannot be deployed.
    """
    launch = read_launch()
    try:
        checked = checks.check(cfg, launch)
    except MlrunnerError:
        remove_refused_folder(launch.folder)
        raise
    is_text = checked.composition.settings.output == "text"
    if is_text:
        output.show_composition(checked)
    with print_steps(TRAINING_STEPS if is_text else None):
        outcome = execute(checked)
    _flush_recorder(outcome)
    if is_text:
        overrides = checked.composition.launch.overrides
        output.show_outcome(outcome, overrides if command_line is None else command_line)
    elif checked.composition.settings.output == "json":
        print(outcome.json())
    if outcome.deployment is not None and "error" in outcome.deployment:
        raise DeployError(outcome.deployment["error"])
    return outcome


def run_job(cfg: DictConfig) -> float:
    """Run one job of a grid and print one line; a failure does not stop the other jobs.

    Returns:
        The objective; NaN when the job failed.
    """
    launch = read_launch()
    start = time.perf_counter()
    try:
        outcome = execute(checks.check(cfg, launch))
        if not shares_recorder():
            _flush_recorder(outcome)
    except Exception as error:
        if interruption_code(error) is not None:  # a library has replaced KeyboardInterrupt by its own error
            raise
        if outage.is_outage(error):  # each further job would wait as long
            raise StoreError(outage.explain()) from error
        log.exception("the composition failed")
        outcome = describe_failure(launch, error, time.perf_counter() - start)
    outcome.write(launch.folder)
    if cfg.output == "text":
        terminal.show_job(outcome)
    progress_file.report(Progress(None, f"{outcome.name} {format_number(outcome.objective)}"))
    return outcome.objective


def _flush_recorder(outcome: Outcome) -> None:
    """Wait until the background writer has written the run, or mark the run as failed."""
    try:
        RECORDER.flush()
    except StoreError:
        from mlrunner.tracking import run_log

        run_log.end_run(str(outcome.run_id), "FAILED")
        raise


def execute(checked: Checked, refit: bool = False) -> Outcome:
    """Run the pipeline of a composition inside an MLflow run.

    Args:
        checked: Composition from `checks.check`.
        refit: True to fit on train and validation rows, as a search does with its winner.

    Raises:
        MlrunnerError: When the data do not fit the composition.
        Exception: Whatever the estimator raises.
    """
    checked.stack.activate(checked.composition.settings.home)
    from mlrunner.composition import run_record
    from mlrunner.tracking import run_log

    freeze_gc()
    started, start = int(time.time() * 1000), time.perf_counter()
    placement = place_run(checked)
    run_id = run_record.open_run(checked, started)
    try:
        run_record.log_composition(run_id, checked)
        run_record.log_environment(run_id, checked.composition)
        run_record.log_sources_and_data(run_id, checked)
        pipeline_run = _run_pipeline(checked, placement, run_id, refit)
    except BaseException as error:
        status = "FAILED" if interruption_code(error) is None else "KILLED"
        RECORDER.submit(run_log.end_run, run_id, status)
        if not shares_recorder():
            with suppress(StoreError):  # the error of the run matters more
                RECORDER.flush(hurry=True)
        if outage.is_outage(error):
            raise StoreError(outage.explain()) from error
        raise
    seconds = time.perf_counter() - start  # the end in MLflow gives the same duration
    RECORDER.submit(run_log.end_run, run_id, "FINISHED", started + round(seconds * 1000))
    return read_outcome(checked, run_id, pipeline_run, seconds)


def _run_pipeline(checked: Checked, placement: Placement | None, run_id: str, refit: bool) -> str:
    """Run the ZenML pipeline of a composition, and return the name of its run."""
    from mlrunner.groups.model import ModelNameConfig
    from mlrunner.steps.problem import describe_problem
    from mlrunner.steps.recording import RunContext
    from mlrunner.tracking import run_log

    composition = checked.composition
    settings = composition.settings
    composition = composition.as_blueprint(checked.columns.dates) if settings.blueprint else composition
    if not composition.has_deployment_step:
        composition = composition.without_deployment()
    run = RunContext(
        run_id=run_id,
        log_model=settings.tracking.log_model,
        plots=settings.tracking.plots,
        seed=settings.seed,
        objective=settings.objective.first,
        ignored_warnings=tuple(settings.warnings.ignore),
    )
    arguments = dict(
        **{group: composition[group] for group in PIPELINE_GROUPS if group != "dataset"},
        dataset=record_dataset(placement, composition["dataset"], composition.recorded["dataset"]),
        problem=describe_problem(composition["dataset"], composition["metric"]),
        model_config=ModelNameConfig(name=composition.choice("model"), settings=composition["model"]),
        run=run,
        fingerprint=checked.data.fingerprint,
        code=checked.code,
        blueprint=settings.blueprint,
        refit=refit,
    )
    name = f"{composition.choice('model')}-{run_id[:12]}"
    pipeline_run = run_pipeline(placement, load_pipelines("training").training, name, arguments)
    tags = {ZENML_RUN_TAG: pipeline_run.name, ZENML_RUN_ID_TAG: str(pipeline_run.id)}
    RECORDER.submit(run_log.set_tags, run_id, tags)
    return str(pipeline_run.name)
