"""The winner is refitted once: the study keeps which session does it, of which trial and with what settings."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection
from typing import TYPE_CHECKING

from mlrunner.composition import run_record
from mlrunner.search.trial_preparation import make_key
from mlrunner.search.trial_progress import AWAITING
from mlrunner.steps.recording import RunContext, read_deployment
from mlrunner.tracking import run_log, sweep_runs
from mlrunner.tracking.records.record import PARENT_TAG, WINNER_OF_TAG, ZENML_RUN_TAG, warning_tags

if TYPE_CHECKING:
    from optuna import Study

    from mlrunner.search.child_runs import ChildRuns
    from mlrunner.search.loop import Search
    from mlrunner.search.trial_preparation import PreparedTrial
    from mlrunner.search.trial_progress import FinishedTrial

WINNER = "winner"  # attribute of a study: trial, settings, run and session of the last refit
INTERVAL = 0.2  # seconds between two looks


def digest_settings(prepared: PreparedTrial) -> str:
    """Digest what a refit and its deployment depend on besides the trial's own composition."""
    composition, data = prepared.composition, prepared.repeats[0].data
    tracking = composition.settings.tracking
    saves = tracking.log_model and tracking.keep_models != "none"
    key = make_key(composition["gate"], composition["deployer"], saves, data.fingerprint)
    return hashlib.sha256(key.encode()).hexdigest()[:16]  # a deployer may hold secrets


def claim(study: Study, number: int, settings: str, run_id: str, session: str) -> None:
    """Note that a session refits a trial.

    Args:
        study: Study of the search.
        number: Number of the trial.
        settings: Result of `digest_settings`.
        run_id: MLflow's id of the refit.
        session: Name of the session.
    """
    study.set_user_attr(WINNER, {"trial": number, "settings": settings, "run": run_id, "session": session})


def open_run(child_runs: ChildRuns, finished: FinishedTrial, best_run: str) -> RunContext:
    """Open the run of the winner's refit."""
    composition, checked = finished.prepared.composition, finished.prepared.repeats[0]
    tags = {
        **run_record.make_tags(composition, checked.data.fingerprint),
        **warning_tags(checked.notices),
        PARENT_TAG: child_runs.parent,
        WINNER_OF_TAG: best_run,
        ZENML_RUN_TAG: child_runs.pipeline_run,
    }
    run_id = run_log.create_run(child_runs.experiment, f"winner,{composition.launch.name}", tags).run_id
    run_log.log_params(run_id, {**composition.launch.choices, **run_log.flatten(composition.recorded)})
    data = checked.data
    run_log.log_dataset(run_id, data.dataset.label, composition.recorded["dataset"], data.fingerprint)
    run_record.log_environment(run_id, composition)
    run_record.log_sources_and_data(run_id, checked)
    settings = composition.settings.tracking
    return RunContext(
        run_id=run_id,
        log_model=settings.log_model and settings.keep_models != "none",
        plots=settings.plots,
        seed=composition.settings.seed,
        objective=composition.settings.objective.first,
        ignored_warnings=tuple(composition.settings.warnings.ignore),
    )


def find_claimant(study: Study, number: int, settings: str) -> str | None:
    """Return the session that refits a trial with these settings; it may have ended without closing its run."""
    before = study.user_attrs.get(WINNER, {})
    is_its = (before.get("trial"), before.get("settings")) == (number, settings)
    return str(before["session"]) if is_its and sweep_runs.read_status(before["run"]) == "RUNNING" else None


def await_claimant(study: Study, number: int, settings: str, search: Search) -> None:
    """Wait for heartbeats of the session that refits a trial where it is on another machine, which may be lost."""
    while find_claimant(study, number, settings) in search.queue.watch.list_unsure():
        if search.display is not None:
            search.display(AWAITING)
        time.sleep(INTERVAL)


def is_claimed(study: Study, number: int, settings: str, live: Collection[str]) -> bool:
    """Check whether a trial was refitted and deployed with these settings, or another session is doing so."""
    before = study.user_attrs.get(WINNER, {})
    if (before.get("trial"), before.get("settings")) != (number, settings):
        return False
    if sweep_runs.read_status(before["run"]) == "FINISHED":
        return "error" not in (read_deployment(before["run"])["deployment"] or {})
    return find_claimant(study, number, settings) in live


def find_refit(study: Study, number: int) -> str | None:
    """Return the run of a trial's refit that has finished; None without one."""
    before = study.user_attrs.get(WINNER, {})
    is_its = before.get("trial") == number and sweep_runs.read_status(before["run"]) == "FINISHED"
    return str(before["run"]) if is_its else None
