"""Record the trials of a search as child runs in MLflow, and the refit of the winner; most of it in the background."""

from __future__ import annotations

from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib

from mlrunner.composition import run_record
from mlrunner.core.build import build
from mlrunner.core.outcome import OUTCOME_FILE, Outcome, read_outcome
from mlrunner.groups.cleaning.controller import resolve_strategy, select_inputs
from mlrunner.groups.dataset.reading import describe_reading
from mlrunner.groups.model.packaging import assemble
from mlrunner.search.trial_attributes import FOLDER
from mlrunner.search.trial_progress import FinishedTrial, describe_outcome
from mlrunner.steps import recording
from mlrunner.tracking import artifacts, provenance, run_log
from mlrunner.tracking.background_writer import RECORDER
from mlrunner.tracking.records.record import (
    FOLDER_TAG,
    HELD_OUT_TAG,
    PARENT_TAG,
    SWEEP_TAG,
    TRIAL_TAG,
    WORKER_TAG,
    ZENML_RUN_TAG,
)

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from mlrunner.search.objective import Objectives
    from mlrunner.search.trial_step import BackgroundStep

RUN_STATUS = {"PRUNED": "KILLED"}  # MLflow knows no pruned runs


@dataclass
class ChildRuns:
    """Records trials below the parent run of a search.

    Args:
        objectives: Metrics and directions.
        experiment: MLflow's id of the experiment.
        parent: MLflow's id of the parent run.
        pipeline_run: ZenML's name of the run that records the trials as steps.
    """

    objectives: Objectives
    experiment: str
    parent: str
    pipeline_run: str

    def __post_init__(self) -> None:
        self._runs: dict[int, Future[str]] = {}

    def record(self, finished: FinishedTrial, step: BackgroundStep | None = None) -> Future[str]:
        """Record a trial in the background, and its model where `tracking.keep_models=all` asks for it.

        Args:
            finished: Trial with its result.
            step: What is recorded of it in ZenML; None when ZenML has run its step, or it has none.

        Returns:
            Future of the run's id.
        """
        prepared = finished.prepared
        params: dict[str, str] = dict(prepared.launch.choices)
        tags, dataset, config = _minimal_tags(finished), None, "{}"
        if prepared.repeats:
            composition, data = prepared.composition, prepared.repeats[0].data
            params |= run_log.flatten(composition.recorded)
            tags = run_record.make_tags(composition, data.fingerprint)
            dataset = (data.dataset.label, composition.recorded["dataset"], data.fingerprint)
            config = run_record.write_yaml(composition.recorded)
        tags |= {ZENML_RUN_TAG: self.pipeline_run, HELD_OUT_TAG: str(finished.result.held_out_ratio)}
        tags |= {WORKER_TAG: finished.result.worker} if finished.result.worker else {}
        tags |= finished.tables.tags if finished.tables is not None else {}
        outcome, started = describe_outcome(finished, self.objectives), int(finished.started * 1000)
        texts = _build_texts(finished, config)
        future = RECORDER.submit(write_run, self.experiment, outcome, started, params, tags, dataset, texts, step)
        self._runs[finished.result.number] = future
        if prepared.model_file.exists():
            _save_model(finished, future.result())
        return future

    def get_run(self, trial: FrozenTrial) -> str | None:
        """Return the run of a trial; None where another session has not written it into the trial's folder yet."""
        if trial.number in self._runs:
            return self._runs[trial.number].result()
        file = Path(str(trial.user_attrs[FOLDER])) / OUTCOME_FILE
        return read_outcome(file).run_id if file.exists() else None

    def wait(self) -> None:
        """Wait until all runs are written, or have failed."""
        wait(self._runs.values())

    def has(self, number: int) -> bool:
        """Check whether this session records a trial."""
        return number in self._runs


def _minimal_tags(finished: FinishedTrial) -> dict[str, str]:
    """Return the tags of a trial without a composition."""
    launch = finished.prepared.launch
    return {
        **provenance.source_tags(),
        **({PARENT_TAG: launch.parent} if launch.parent is not None else {}),
        SWEEP_TAG: run_log.derive_sweep_id(launch.folder.parent),
        TRIAL_TAG: str(finished.result.number),
        FOLDER_TAG: str(launch.folder),
    }


def _build_texts(finished: FinishedTrial, config: str) -> dict[str, str]:
    result = finished.result
    error = {"error.txt": f"{result.error}\n{result.trace or ''}"} if result.error is not None else {}
    return {"config.yaml": config, **error}


def write_run(
    experiment: str,
    outcome: Outcome,
    started: int,
    params: dict[str, str],
    tags: dict[str, str],
    dataset: tuple[str, dict[str, Any], str] | None,
    texts: dict[str, str],
    step: BackgroundStep | None,
) -> str:
    """Write the run of a trial, and `result.json` with the run's id into its folder; runs in another process.

    Args:
        experiment: MLflow's id of the experiment.
        outcome: Outcome of the trial, without the run's id.
        started: Time of the start, in milliseconds since the epoch.
        params: Flattened composition.
        tags: Tags of the run.
        dataset: Name, settings and digest of the data set; None for a trial that was refused.
        texts: Text artifacts, by name.
        step: Step of the trial in ZenML; None where there is nothing to write.

    Returns:
        MLflow's id of the run.
    """
    run = run_log.create_run(experiment, outcome.name, tags, started)
    run_id = str(run.run_id)
    seconds = {"fit_seconds": outcome.fit_seconds, "score_seconds": outcome.score_seconds}
    run_log.log_params(run_id, params, {**outcome.metrics, **seconds})
    if dataset is not None:
        run_log.log_dataset(run_id, *dataset)
    folder = Path(outcome.folder)
    artifacts.log_texts(run_id, {**texts, **artifacts.read_hydra_files(folder)}, run.artifact_uri)
    run_log.end_run(run_id, RUN_STATUS.get(outcome.status, outcome.status), started + int(outcome.seconds * 1000))
    if step is not None:
        step.write()
    replace(outcome, run_id=run_id).write(folder)
    return run_id


def _save_model(finished: FinishedTrial, run_id: str) -> None:
    """Save the fitted pipeline of a trial as a model of its run."""
    checked, file = finished.prepared.repeats[-1], finished.prepared.model_file
    roles, raw = checked.data.dataset.roles, checked.data.table
    strategy = resolve_strategy(build(checked.composition["cleaning"], "cleaning"), raw, roles)
    cleaned = strategy.transform_rows(select_inputs(raw.head(recording.EXAMPLE_ROWS), roles))
    pipeline = assemble(joblib.load(file), strategy, roles, cleaned, raw)
    settings = checked.composition.settings
    context = recording.RunContext(
        run_id=run_id, log_model=True, plots=False, seed=settings.seed, objective=settings.objective.first
    )
    recording.save_model(context, pipeline, raw, roles, strategy, describe_reading(checked.data.dataset))
    file.unlink()
