"""The winner is refitted once: the study keeps which session does it, of which trial and with what settings."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from mlrunner.search.trial_preparation import make_key
from mlrunner.steps.recording import read_deployment
from mlrunner.tracking import sweep_runs
from mlrunner.tracking.studies import list_live_sessions

if TYPE_CHECKING:
    from optuna import Study

    from mlrunner.search.trial_preparation import PreparedTrial

WINNER = "winner"  # attribute of a study: trial, settings, run and session of the last refit


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


def is_claimed(study: Study, number: int, settings: str) -> bool:
    """Check whether a trial was refitted and deployed with these settings, or another session is doing so."""
    before = study.user_attrs.get(WINNER, {})
    if (before.get("trial"), before.get("settings")) != (number, settings):
        return False
    status = sweep_runs.read_status(before["run"])
    if status == "FINISHED":
        return "error" not in (read_deployment(before["run"])["deployment"] or {})
    return status == "RUNNING" and before["session"] in list_live_sessions(study.user_attrs)


def find_refit(study: Study, number: int) -> str | None:
    """Return the run of a trial's refit that has finished; None without one."""
    before = study.user_attrs.get(WINNER, {})
    is_its = before.get("trial") == number and sweep_runs.read_status(before["run"]) == "FINISHED"
    return str(before["run"]) if is_its else None
