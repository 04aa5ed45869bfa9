"""The beginning and the end of a sweep in MLflow, in its folder and on the terminal."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from mlflow.exceptions import MlflowException
from rich.text import Text

from mlrunner import tracking
from mlrunner.composition.run_record import surroundings
from mlrunner.core.terminal import console, number, show_hand_over, show_ranking, show_report
from mlrunner.search import recording, results
from mlrunner.steps.recording import handed_over
from mlrunner.tracking.background_writer import RECORDER

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from optuna import Study

    from mlrunner.core.outcome import Outcome
    from mlrunner.search.pipeline_driver import Conduct
    from mlrunner.search.plan import Plan

PARENT = "parent"
TOP = 10  # trials in the closing table


def open_parent(plan: Plan, study: Study, described: dict[str, Any], folder: Path) -> tuple[str, str]:
    """Open the run that the trials belong to, or that of an earlier session again.

    Returns:
        The ids of the experiment and of the run.
    """
    composition = plan.first.composition
    stack = plan.first.repeats[0].stack
    experiment = tracking.experiment_id(composition.settings.tracking.experiment, stack.artifact_location)
    before = study.user_attrs.get(PARENT)
    if before is not None:
        try:
            tracking.reopen(before)
            for child in tracking.running_children(before):  # of a session that was killed
                tracking.end(child, "KILLED")
            return experiment, str(before)
        except MlflowException:  # deleted, or of another store: the trials get a new parent
            pass
    told = {
        **described,
        "study": study.study_name,
        "sampler": plan.settings.sampler,
        "goal": described["metric"],
        "ranges": {one.name: one.told for one in plan.space.dimensions},
    }
    name = composition.settings.tracking.name or ",".join(
        [*(text for text, _ in plan.space.fixed), *(f"{one.key}={one.told}" for one in plan.space.dimensions)]
    )
    parent = recording.open_parent(experiment, name, folder, told, [text for text, _ in plan.space.fixed])
    surroundings(parent, plan.first.repeats[0])  # one for all trials
    study.set_user_attr(PARENT, parent)
    return experiment, parent


def finish(plan: Plan, conduct: Conduct, study: Study, folder: Path) -> dict[str, Any]:
    """Write the results into the folder and into MLflow.

    Returns:
        The summary.
    """
    best = results.best_of(results.valid(study), plan.goal)
    best_run = None if best is None else conduct.run_of(best.number)
    RECORDER.flush()
    winner = None if conduct.tracked is None else _winner(conduct.tracked.run_id)
    summary: dict[str, Any] = results.summary(study, plan.goal, plan.space, best_run, winner)
    outcomes = results.outcomes_of(study, plan.goal)
    results.write(folder, summary, outcomes)
    told = {
        "mlrunner.best_run_id": str(best_run),
        "mlrunner.best": ",".join(summary.get("best_overrides", [])),
        recording.ZENML: conduct.pipeline_run,
    }
    if winner is not None:
        told |= {"mlrunner.winner_run_id": winner["run_id"], "mlrunner.model": str(winner["model_uri"])}
        tracking.end(winner["run_id"], "FINISHED")
    metrics = {} if best is None else dict(zip(plan.goal.metrics, best.values, strict=True))
    status = "KILLED" if conduct.search.interrupts else "FAILED" if best is None else "FINISHED"
    figures: dict[str, Figure] = {}
    if plan.first.composition.settings.tracking.plots:
        from mlrunner.evaluation.plots import search as pictures

        figures = pictures.figures(study, plan.goal.metrics)
        tracking.log_figures(conduct.parent, figures)
    recording.close_parent(conduct.parent, status, told, metrics, folder)
    RECORDER.flush()
    return summary | {"report": _report(plan, conduct, folder, outcomes, figures)}


def _report(
    plan: Plan, conduct: Conduct, folder: Path, outcomes: list[Outcome], figures: dict[str, Figure]
) -> str | None:
    """Write the report of the sweep into its folder; None where pictures are not wanted, or it cannot be made."""
    settings = plan.first.composition.settings
    if not settings.tracking.plots:
        return None
    from mlrunner.history.report import publishing

    study = conduct.search.study
    is_ranked = len(plan.goal.metrics) == 1 and results.best_of(results.valid(study), plan.goal) is not None
    return publishing.at_end(
        conduct.parent,
        settings.home,
        folder,
        outcomes=outcomes,
        figures=figures,
        verdict=results.lead_of(study, plan.goal).told if is_ranked else "",
    )


def abandon(conduct: Conduct) -> None:
    """Close what is open in MLflow; what stopped the sweep matters more than what this may meet."""
    with suppress(Exception):
        RECORDER.flush()
        if conduct.tracked is not None:
            tracking.end(conduct.tracked.run_id, "FAILED")
        tracking.end(conduct.parent, "KILLED")


def _winner(run_id: str) -> dict[str, Any]:
    metrics, model_uri = tracking.results_of(run_id)
    return {"run_id": run_id, "model_uri": model_uri, "metrics": metrics, **handed_over(run_id)}


def show(plan: Plan, conduct: Conduct, summary: dict[str, Any], folder: Path, text: bool) -> None:
    """Print the ranking, the winner and where to look next; or all of it as JSON."""
    study = conduct.search.study
    outcomes = results.outcomes_of(study, plan.goal)
    if not text:
        trials = [json.loads(one.json()) for one in outcomes]
        told = {"folder": str(folder), "parent_run_id": conduct.parent, "timing": timing(conduct), "trials": trials}
        print(json.dumps({**summary, **told}))
        return
    out = console()
    show_ranking(outcomes[:TOP], str(folder))
    if len(outcomes) > TOP:
        out.print(Text(f"  and {len(outcomes) - TOP} more: trials.csv", "dim"))
    if conduct.search.stopped:
        out.print(Text.assemble(("  stopped   ", "dim"), conduct.search.stopped))
    if "best_trial_number" in summary and len(plan.goal.metrics) == 1:
        lead = results.lead_of(study, plan.goal)
        out.print(Text.assemble(("  best      ", "dim"), f"trial {summary['best_trial_number']} {lead.told}"))
    if len(plan.goal.metrics) > 1:
        out.print(Text.assemble(("  front     ", "dim"), f"{len(summary['solutions'])} trials that none beats"))
    _show_winner(out, plan, summary)


def timing(conduct: Conduct) -> dict[str, float]:
    """Tell the seconds of the search, of it with the winner and the results, and since the process began."""
    now = time.monotonic()
    process = time.time() - psutil.Process().create_time()
    return {"search": conduct.search_seconds, "whole": now - conduct.began, "process": process}


def _show_winner(out: Any, plan: Plan, summary: dict[str, Any]) -> None:
    winner, metric = summary["winner"], plan.goal.metrics[0]
    if winner is not None:
        test = winner["metrics"].get(f"test/{metric}")
        out.print(
            Text.assemble(
                ("  winner    ", "dim"),
                (f"test {metric} {number(test)}", "bold green"),
                f", refitted on train and validation, run {winner['run_id'][:8]}, {winner['model_uri']}",
            )
        )
        show_hand_over(winner["gate"], winner["deployment"])
    if "best_overrides" in summary:
        from mlrunner.search.display import command

        out.print(Text.assemble(("  again     ", "dim"), command(tuple(summary["best_overrides"]))))
    out.print(Text.assemble(("  study     ", "dim"), f"mlrunner resume {summary['study_name']}"))
    show_report(summary["report"])
