"""Run one checked composition: the MLflow run around the ZenML pipeline, and what is said of it."""

from __future__ import annotations

import json
import logging
import os
import time
from contextlib import suppress
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from mlrunner.composition import Launch, checks
from mlrunner.composition.checks import Checked
from mlrunner.core import terminal
from mlrunner.core.errors import DeployError, MlrunnerError, StoreError
from mlrunner.core.outcome import RESULT, Outcome
from mlrunner.core.process import freeze_gc, interruption_code
from mlrunner.execution import output
from mlrunner.execution.grid import PARENT, SHARED
from mlrunner.steps.progress import PROGRESS
from mlrunner.tracking.background_writer import RECORDER
from mlrunner.tracking.records.record import ZENML_RUN_ID_TAG, ZENML_RUN_TAG

log = logging.getLogger(__name__)
PARTS = ("dataset", "cleaning", "split", "gate", "deployer")


def read_launch() -> Launch:
    """Read from Hydra how this run was started."""
    hydra = HydraConfig.get()
    choices = {group: str(option) for group, option in hydra.runtime.choices.items() if _is_ours(group, option)}
    job = int(str(hydra.job.num)) if hydra.mode == RunMode.MULTIRUN else None
    typed = OmegaConf.to_container(hydra.overrides.task)  # as it was typed: ${seed} stays ${seed}
    overrides = [str(text) for text in typed] if isinstance(typed, list) else []
    shared = tuple(json.loads(os.environ.get(SHARED, "[]")))
    return Launch(choices, overrides, Path(hydra.runtime.output_dir), job, os.environ.get(PARENT), shared)


def _is_ours(group: str, option: object) -> bool:
    return option is not None and not group.startswith("hydra/") and "@" not in group


def run_one(cfg: DictConfig) -> Outcome:
    """Run a single composition and print all of it.

    Raises:
        MlrunnerError: When it cannot run, or what it has learned cannot be deployed.
    """
    checked = checks.check(cfg, read_launch())
    is_text = checked.composition.settings.output == "text"
    if is_text:
        output.show_composition(checked)
        PROGRESS.begin()
    outcome = execute(checked)
    _written(outcome)
    if is_text:
        output.show_outcome(outcome, checked)
    else:
        print(outcome.json())
    if outcome.deployment is not None and "error" in outcome.deployment:
        raise DeployError(outcome.deployment["error"])
    return outcome


def _written(outcome: Outcome) -> None:
    """Wait until the run is recorded whole; it has failed when it cannot be."""
    try:
        RECORDER.flush()
    except StoreError:
        from mlrunner.tracking import run_log

        run_log.end_run(str(outcome.run_id), "FAILED")
        raise


def run_job(cfg: DictConfig) -> float:
    """Run a composition of a sweep: one line, and no failure that stops the others."""
    started = read_launch()
    began = time.perf_counter()
    try:
        outcome = execute(checks.check(cfg, started))
        if not _shares_recorder():
            _written(outcome)
    except Exception as error:
        log.exception("the composition failed")
        outcome = describe_failure(started, error, time.perf_counter() - began)
    (started.folder / RESULT).write_text(outcome.json())
    if cfg.output == "text":
        terminal.show_job(outcome)
    return outcome.objective


def _shares_recorder() -> bool:
    """Whether a sweep runs in this process, one recorder for all its compositions."""
    if not HydraConfig.initialized():  # a reproduction
        return False
    hydra = HydraConfig.get()
    return hydra.mode == RunMode.MULTIRUN and str(hydra.launcher._target_).endswith("BasicLauncher")


def describe_failure(started: Launch, error: Exception, seconds: float) -> Outcome:
    """Describe a composition that did not come to its end."""
    text = str(error) if isinstance(error, MlrunnerError) else f"{type(error).__name__}: {error}"
    nan = float("nan")
    return Outcome(
        name=started.name,
        status="FAILED",
        metric="objective",
        direction="maximize",
        objective=nan,
        seconds=seconds,
        fit_seconds=nan,
        score_seconds=nan,
        metrics={},
        run_id=None,
        model_uri=None,
        folder=str(started.folder),
        job=started.job,
        error=text.replace("\n", " "),
    )


def execute(checked: Checked, refit: bool = False) -> Outcome:
    """Run the pipeline of a composition inside an MLflow run.

    Args:
        checked: From `checks.check`.
        refit: Fit on all rows but those of the test, as a search does with its winner.

    Raises:
        MlrunnerError: When the data do not fit the composition after all.
        Exception: What the estimator itself raised.
    """
    checked.stack.activate(checked.composition.settings.home)
    from mlrunner.composition import run_record
    from mlrunner.tracking import run_log

    freeze_gc()
    began = time.perf_counter()
    run_id = run_record.begin(checked)
    try:
        run_record.log_composition(run_id, checked)
        run_record.environment(run_id, checked.composition)
        run_record.surroundings(run_id, checked)
        pipeline_run = _pipeline(checked, run_id, refit)
    except BaseException as error:
        status = "FAILED" if interruption_code(error) is None else "KILLED"
        RECORDER.later(run_log.end_run, run_id, status)
        if not _shares_recorder():
            with suppress(StoreError):  # what stopped the run matters more
                RECORDER.flush()
        raise
    finally:
        PROGRESS.end()
    RECORDER.later(run_log.end_run, run_id, "FINISHED")
    return _outcome(checked, run_id, pipeline_run, time.perf_counter() - began)


def _pipeline(checked: Checked, run_id: str, refit: bool) -> str:
    from mlrunner.groups.model import ModelNameConfig
    from mlrunner.steps import recording
    from mlrunner.tracking import run_log
    from pipelines.refitting import refitting
    from pipelines.training import training

    composition = checked.composition
    settings = composition.settings
    composition = composition.as_blueprint() if settings.blueprint else composition
    if not composition.is_judged:
        composition = composition.undeployed()
    tracked = recording.RunContext(
        run_id=run_id,
        log_model=settings.tracking.log_model,
        plots=settings.tracking.plots,
        seed=settings.seed,
    )
    chosen = refitting if refit else training
    configured = chosen.with_options(run_name=f"{composition.choice('model')}-{run_id[:12]}")
    finished = configured(
        **{part: composition[part] for part in PARTS},
        model=ModelNameConfig(name=composition.choice("model"), settings=composition["model"]),
        tracked=tracked,
        fingerprint=checked.data.fingerprint,
        code=checked.code,
        blueprint=settings.blueprint,
    )
    if finished is None:
        raise StoreError("ZenML did not run the pipeline; see its log with -v.")
    told = {ZENML_RUN_TAG: finished.name, ZENML_RUN_ID_TAG: str(finished.id)}
    RECORDER.later(run_log.set_tags, run_id, told)
    return str(finished.name)


def _outcome(checked: Checked, run_id: str, pipeline_run: str, seconds: float) -> Outcome:
    from mlrunner.evaluation import metrics
    from mlrunner.steps import recording
    from mlrunner.tracking import run_log

    composition = checked.composition
    objective = composition.settings.objective
    told = recording.read_deployment(run_id) if composition.is_judged else {}
    found, model_uri = run_log.read_results(run_id)
    return Outcome(
        name=composition.name,
        status="FINISHED",
        metric=objective.first,
        direction=objective.direction or metrics.direction(objective.first),
        objective=found.get(objective.first, float("nan")),
        seconds=seconds,
        fit_seconds=found.pop("fit_seconds", float("nan")),
        score_seconds=found.pop("score_seconds", float("nan")),
        metrics=found,
        run_id=run_id,
        model_uri=model_uri,
        folder=str(composition.launch.folder),
        job=composition.launch.job,
        pipeline_run=pipeline_run,
        **told,
    )
