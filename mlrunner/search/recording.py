"""What a search leaves in MLflow, written behind the trials' backs: a parent, and a child a trial."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from mlrunner import tracking
from mlrunner.composition import NAME_LENGTH, Composition, Launch, run_record
from mlrunner.core.build import build
from mlrunner.core.outcome import RESULT, Outcome
from mlrunner.groups.cleaning import feature_columns
from mlrunner.groups.model.packaging import assemble
from mlrunner.search.loop import Ended
from mlrunner.search.objective import Goal
from mlrunner.steps import recording
from mlrunner.tracking import provenance
from mlrunner.tracking.background_writer import RECORDER
from mlrunner.tracking.records import STUDY

if TYPE_CHECKING:
    from concurrent.futures import Future

ZENML = "mlrunner.zenml.run"
STATUS = {"COMPLETE": "FINISHED", "PRUNED": "KILLED", "FAIL": "FAILED"}


@dataclass(frozen=True)
class Child:
    """A trial as MLflow shall have it; plain values, for another process writes it.

    Args:
        experiment: MLflow's id.
        outcome: What became of it; its file is written once the run has an id.
        params: The composition, flattened.
        tags: As every run has them.
        dataset: Name, settings and digest.
        config: The composition, whole.
        began: In milliseconds.
        trace: The traceback of a failure.
    """

    experiment: str
    outcome: Outcome
    params: dict[str, str]
    tags: dict[str, str]
    dataset: tuple[str, dict[str, Any], str] | None
    config: str
    began: int
    trace: str | None = None


def outcome_of(ended: Ended, goal: Goal) -> Outcome:
    """Describe a trial in the words of a single run."""
    found, launch = ended.found, ended.draft.launch
    return Outcome(
        name=launch.name,
        status={**STATUS, "PRUNED": "PRUNED"}[found.state],
        metric=goal.metrics[0],
        direction=goal.directions[0],
        objective=goal.values(found)[0],
        seconds=found.seconds,
        fit_seconds=found.fit_seconds,
        score_seconds=found.score_seconds,
        metrics=found.metrics,
        run_id=None,
        model_uri=None,
        folder=str(launch.folder),
        job=found.number,
        error=found.error,
    )


def record(ended: Ended, goal: Goal, experiment: str, pipeline_run: str) -> Future[str]:
    """Have a trial written down, with the name of the ZenML run that has it as a step.

    Returns:
        What will hold the id of its run.
    """
    draft = ended.draft
    params: dict[str, str] = dict(draft.launch.choices)
    tags, dataset, config = _bare_tags(ended), None, "{}"
    if draft.repeats:
        composition, data = draft.composition, draft.repeats[0].data
        params |= tracking.flatten(composition.config)
        tags = run_record.tags_of(composition, data.fingerprint)
        dataset = (data.dataset.label, composition["dataset"], data.fingerprint)
        config = as_yaml(composition)
    tags[ZENML] = pipeline_run
    began = int(ended.began * 1000)
    child = Child(experiment, outcome_of(ended, goal), params, tags, dataset, config, began, ended.found.trace)
    return RECORDER.later(write_child, child)


def _bare_tags(ended: Ended) -> dict[str, str]:
    launch = ended.draft.launch
    return {
        **provenance.tags(),
        **({"mlflow.parentRunId": launch.parent} if launch.parent is not None else {}),
        "mlrunner.sweep_id": tracking.sweep_id(launch.folder.parent),
        "mlrunner.trial_number": str(ended.found.number),
        "mlrunner.folder": str(launch.folder),
    }


def as_yaml(composition: Composition) -> str:
    """Write a composition whole."""
    return run_record.as_yaml(composition.config)


def write_child(child: Child) -> str:
    """Write a trial's run, and its result with the run's id into its folder.

    Returns:
        The run's id.
    """
    outcome = child.outcome
    run_id = tracking.create_run(child.experiment, outcome.name, child.tags, child.began)
    tracking.log_params(run_id, child.params)
    seconds = {"fit_seconds": outcome.fit_seconds, "score_seconds": outcome.score_seconds}
    tracking.log_metrics(run_id, {**outcome.metrics, **seconds})
    if child.dataset is not None:
        tracking.log_dataset(run_id, *child.dataset)
    folder = Path(outcome.folder)
    told = {"error.txt": f"{outcome.error}\n{child.trace or ''}"} if outcome.error is not None else {}
    tracking.log_texts(run_id, {"config.yaml": child.config, **told})
    tracking.log_hydra(run_id, folder)
    status = {"PRUNED": "KILLED"}.get(outcome.status, outcome.status)
    tracking.end(run_id, status, child.began + int(outcome.seconds * 1000))
    (folder / RESULT).write_text(replace(outcome, run_id=run_id).json())
    return run_id


def open_parent(experiment: str, name: str, folder: Path, described: dict[str, Any], fixed: list[str]) -> str:
    """Open the run that the trials belong to.

    Args:
        experiment: MLflow's id.
        name: What the search varies.
        folder: Of the sweep.
        described: The space, the goal and the sampler.
        fixed: The overrides that all trials have.

    Returns:
        Its id.
    """
    tags = {
        **provenance.tags(),
        "mlrunner.sweep_id": tracking.sweep_id(folder),
        "mlrunner.folder": str(folder),
        STUDY: str(described["study"]),
        "mlrunner.overrides": run_record.told_overrides(Launch({}, fixed, folder)),
    }
    run_id = tracking.create_run(experiment, name[:NAME_LENGTH], tags)
    told = {"study": described["study"], "sampler": described["sampler"], "goal": described["goal"]}
    tracking.log_params(run_id, {**tracking.flatten(told), **_ranges(described)})
    git = provenance.git()
    texts = {
        "space.yaml": yaml.safe_dump(described, sort_keys=False),
        "environment/requirements.txt": provenance.packages(),
        "environment/git.json": json.dumps({key: text for key, text in git.items() if key != "diff"}),
        "environment/dirty.diff": git.get("diff", ""),
    }
    RECORDER.later(tracking.log_texts, run_id, texts)
    return run_id


def _ranges(described: dict[str, Any]) -> dict[str, str]:
    """Name each dimension as a parameter, without the signs that MLflow takes in no name."""
    names = {name: re.sub(r"[^\w./ -]", "_", name.replace(":", "/").replace("+", "")) for name in described["ranges"]}
    return {f"space/{names[name]}": str(told) for name, told in described["ranges"].items()}


def close_parent(run_id: str, status: str, told: dict[str, str], metrics: dict[str, float], folder: Path) -> None:
    """Log what a search found, and close its run."""
    tracking.log_metrics(run_id, metrics)
    tracking.set_tags(run_id, {name: tracking.redact(text)[:500] for name, text in told.items()})
    RECORDER.later(_log_files, run_id, folder)
    RECORDER.later(tracking.end, run_id, status)


def _log_files(run_id: str, folder: Path) -> None:
    names = ("multirun.yaml", "optimization_results.yaml", "trials.csv")
    texts = {name: (folder / name).read_text() for name in names if (folder / name).exists()}
    tracking.log_texts(run_id, texts)


def save_trial_model(ended: Ended, run_id: str, pipeline: Any) -> None:
    """Save the model of a trial beside its run, where `tracking.keep_models=all` asks for it."""
    checked = ended.draft.repeats[-1]
    strategy = build(checked.composition["cleaning"], "cleaning")
    roles, raw = checked.data.dataset.roles, checked.data.table
    cleaned = strategy.transform_rows(feature_columns(raw.head(recording.EXAMPLE_ROWS), roles))
    whole = assemble(pipeline, strategy, roles, cleaned, raw)
    tracked = recording.Tracked(run_id=run_id, log_model=True, plots=False, seed=checked.composition.settings.seed)
    recording.model(tracked, whole, raw, roles, strategy)


def open_winner(ended: Ended, experiment: str, parent: str, best_run: str, pipeline_run: str) -> recording.Tracked:
    """Open the run of the winner's refit.

    Args:
        ended: The best trial.
        experiment: MLflow's id.
        parent: The run of the search.
        best_run: The run of the best trial.
        pipeline_run: ZenML's name of the run that refits it.
    """
    composition = ended.draft.composition
    tags = {
        **run_record.tags_of(composition, ended.draft.repeats[0].data.fingerprint),
        "mlflow.parentRunId": parent,
        "mlrunner.winner_of": best_run,
        ZENML: pipeline_run,
    }
    run_id = tracking.create_run(experiment, f"winner,{composition.launch.name}", tags)
    data = ended.draft.repeats[0].data
    tracking.log_params(run_id, {**composition.launch.choices, **tracking.flatten(composition.config)})
    tracking.log_dataset(run_id, data.dataset.label, composition["dataset"], data.fingerprint)
    run_record.environment(run_id, composition)
    run_record.surroundings(run_id, ended.draft.repeats[0])
    settings = composition.settings.tracking
    return recording.Tracked(
        run_id=run_id,
        log_model=settings.log_model and settings.keep_models != "none",
        plots=settings.plots,
        seed=composition.settings.seed,
    )
