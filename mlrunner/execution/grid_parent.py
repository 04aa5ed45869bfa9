"""Open and close the MLflow parent run of a grid, deploy its best job, and write its report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from mlrunner.composition import run_record
from mlrunner.composition.composition import NAME_LENGTH, Launch, has_deployment_step
from mlrunner.composition.resolve import resolve_group
from mlrunner.composition.stores import open_store
from mlrunner.core import environment
from mlrunner.core.build import build
from mlrunner.core.errors import DeployError
from mlrunner.core.outcome import Outcome, separate
from mlrunner.core.redaction import redact
from mlrunner.execution import deploy_run, deployment_groups
from mlrunner.groups.stack import Stack
from mlrunner.groups.stack.opening import open_stack
from mlrunner.steps import recording
from mlrunner.tracking import artifacts, open_runs, provenance, run_log, sweep_runs
from mlrunner.tracking.background_writer import RECORDER
from mlrunner.tracking.records import lookup
from mlrunner.tracking.records.record import BEST_NAME_TAG, BEST_TAG, FOLDER_TAG, OVERRIDES_TAG, SWEEP_TAG

RESUMED = "ResumedGrid"  # Hydra's sweeper that `mlrunner resume` chooses


def open_parent(config: DictConfig) -> str:
    """Open the stores, and create the parent run of a grid; that of a resumed grid is reopened.

    Returns:
        Id of the parent run.
    """
    stack: Stack = build(resolve_group(config, "stack"), "stack")
    runs_here = config.hydra.launcher._target_.endswith("BasicLauncher")  # jobs in other processes save by themselves
    saves = config.tracking.plots is not False or config.tracking.log_model is not False
    modules = (recording.__name__,) if runs_here and saves else ()
    open_stack(stack, Path(config.home), modules, "spawn")
    folder = str(config.hydra.sweep.dir)
    overrides = [str(text) for text in config.hydra.overrides.task]
    tags = {
        **provenance.source_tags(),
        SWEEP_TAG: run_log.derive_sweep_id(Path(folder)),
        FOLDER_TAG: folder,
        OVERRIDES_TAG: run_record.describe_overrides(Launch({}, overrides, Path(folder))),
    }
    name = ",".join(overrides) or "default"
    experiment = run_log.ensure_experiment(config.tracking.experiment, stack.artifact_location)
    is_resumed = config.hydra.sweeper._target_.endswith(RESUMED)
    if is_resumed and (earlier := open_runs.find_sweep(experiment, folder)) is not None:
        open_runs.reopen_run(earlier)
        for child in sweep_runs.list_running(earlier):  # of another machine; those of this one are closed
            open_runs.interrupt_run(child)
        return earlier
    return str(run_log.create_run(experiment, redact(name)[:NAME_LENGTH], tags).run_id)


def close_parent(run_id: str, folder: Path, outcomes: list[Outcome]) -> None:
    """Log the best job, where all of them compare, and the ranking, and end the parent run."""
    best = next((outcome for outcome in outcomes if outcome.error is None), None)
    if best is not None and len(separate(outcomes)) == 1:
        run_log.log_metrics(run_id, {best.metric: best.objective})
        run_log.set_tags(run_id, {BEST_TAG: str(best.run_id), BEST_NAME_TAG: redact(best.name)})
    artifacts.log_texts(run_id, {"ranking.jsonl": "\n".join(outcome.json() for outcome in outcomes)})
    artifacts.log_hydra_files(run_id, folder)
    run_log.end_run(run_id, "FAILED" if best is None else "FINISHED")
    RECORDER.flush()


def deploy_best(best: Outcome, grid: DictConfig) -> Outcome:
    """Deploy the best job of a grid if there is a gate or a deployer.

    Returns:
        The outcome, with the decision of the gate and the deployment.

    Raises:
        MlrunnerError: When the model cannot be deployed.
    """
    run = None if best.run_id is None else lookup.find_by_id(open_store(environment.home()), best.run_id)
    recorded = None if run is None else run.read_config()
    if run is None or recorded is None:
        return best
    config = use_gate_and_deployer(best, grid, recorded)
    if not has_deployment_step(config):
        return best
    deploy_run.deploy_record(run, config, build(resolve_group(grid, "stack"), "stack", Stack))
    return replace(best, **recording.read_deployment(run.run_id))


def use_gate_and_deployer(best: Outcome, grid: DictConfig, recorded: dict[str, Any]) -> dict[str, Any]:
    """Replace the recorded gate and deployer of a job by those of this command: a store sets no address."""
    cfg = _compose_job(best, grid)
    OmegaConf.set_struct(cfg, False)
    for key in deployment_groups.RECORDED_KEYS:
        cfg[key] = recorded[key]
    return {**recorded, **{group: resolve_group(cfg, group) for group in deployment_groups.OVERRIDABLE}}


def _compose_job(best: Outcome, grid: DictConfig) -> DictConfig:
    """Compose a job by today's files and the overrides of this command; those that the grid varies are in its folder.

    Raises:
        DeployError: When the grid varies gate or deployer, and `hydra.output_subdir=null` left no file of overrides.
    """
    typed = _parse_overrides(grid.hydra.overrides.task)
    fixed = [override for override in typed if not override.is_sweep_override()]
    keys = {override.key_or_group for override in fixed}
    file = Path(best.folder) / str(grid.hydra.output_subdir) / "overrides.yaml"
    own = _parse_overrides(OmegaConf.load(file)) if file.exists() else []
    varied = {*(override.key_or_group for override in typed), *(grid.hydra.sweeper.get("params") or ())} - keys
    if not file.exists() and {key.partition(".")[0] for key in varied} & {*deployment_groups.OVERRIDABLE, "experiment"}:
        raise DeployError(
            f"The grid varies {', '.join(sorted(varied))}, and hydra.output_subdir=null keeps no record of the values "
            f"of job {best.job}; type them: mlrunner deploy {best.run_id} gate=... deployer=...."
        )
    overrides = [*fixed, *(override for override in own if override.key_or_group not in keys)]
    loader = GlobalHydra.instance().config_loader()
    return loader.load_sweep_config(grid, [str(override.input_line) for override in overrides])


def _parse_overrides(node: Any) -> list[Override]:
    texts: Any = OmegaConf.to_container(node)  # unresolved: ${seed} stays ${seed}
    return OverridesParser.create().parse_overrides(list(map(str, texts)))


def write_report(run_id: str, folder: Path, outcomes: list[Outcome]) -> str | None:
    """Write the report of a grid into its folder.

    Returns:
        Path of the file; None when the report cannot be made.
    """
    from mlrunner.history.report import publishing

    questions = separate(outcomes)
    verdict = f"scores of {' and '.join(questions)} do not compare" if len(questions) > 1 else ""
    return publishing.publish_sweep(run_id, environment.home(), folder, outcomes=outcomes, verdict=verdict)


def abort_parent(run_id: str, status: str) -> None:
    """End the parent run of a grid that was stopped, and the runs of its jobs, after all writes."""
    RECORDER.flush(hurry=True)
    for child in sweep_runs.list_running(run_id):  # jobs of other processes, which have ended already
        run_log.end_run(child, status)
    run_log.end_run(run_id, status)
