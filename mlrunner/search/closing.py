"""Write the results of a search into its folder and into MLflow, and end its runs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrunner.search import results, winner_claim
from mlrunner.search.lead import compare_default, describe_lead
from mlrunner.search.parent_run import close_parent_run, end_lost_runs
from mlrunner.steps.recording import read_deployment
from mlrunner.tracking import artifacts, run_log
from mlrunner.tracking.background_writer import RECORDER
from mlrunner.tracking.records.record import BEST_NAME_TAG, BEST_TAG, MODEL_TAG, WINNER_TAG, ZENML_RUN_TAG

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from optuna import Study
    from optuna.trial import FrozenTrial

    from mlrunner.core.outcome import Outcome
    from mlrunner.search.pipeline_driver import PipelineDriver
    from mlrunner.search.plan import SearchPlan


def close_search(plan: SearchPlan, driver: PipelineDriver, study: Study, folder: Path) -> dict[str, Any]:
    """Write the results of a search, and end its runs.

    Returns:
        Summary of the search, with the path of its report.
    """
    RECORDER.flush()
    figures = _draw_figures(plan, study)
    if figures:
        artifacts.log_figures(driver.parent, figures)
    with driver.lock:  # a session that ends at the same time must not overwrite the winner with none
        best = results.find_best(study, plan.objectives)
        best_run = None if best is None else driver.child_runs.get_run(best)
        winner = _read_winner(driver, best)
        summary: dict[str, Any] = results.summarize(study, plan.objectives, plan.space, best_run, winner)
        outcomes = results.read_outcomes(study, plan.objectives)
        default = compare_default(study, plan.objectives)
        summary["default"] = None if default is None else default.to_dict()
        results.write_results(folder, summary, outcomes)
        end_lost_runs(driver.parent, driver.search.queue.watch.list_live())
        _end_runs(plan, driver, summary, best, folder)
        RECORDER.flush()
    return summary | {"report": _write_report(plan, driver, folder, outcomes, figures)}


def _read_winner(driver: PipelineDriver, best: FrozenTrial | None) -> dict[str, Any] | None:
    """Read the refit of this session, or the one that an earlier session has made of the best trial."""
    search = driver.search
    run_id = None if driver.winner_run is None else driver.winner_run.run_id
    if run_id is None and best is not None and search.settings.refit and not search.interrupts.count:
        run_id = winner_claim.find_refit(search.study, best.number)
    if run_id is None:
        return None
    metrics, model_uri = run_log.read_results(run_id)
    winner = {"run_id": run_id, "model_uri": model_uri, "metrics": metrics, **read_deployment(run_id)}
    return winner | {"columns": asdict(driver.winner_columns)}


def _draw_figures(plan: SearchPlan, study: Study) -> dict[str, Figure]:
    if not plan.first.composition.settings.tracking.plots:
        return {}
    from mlrunner.evaluation.plots.search import draw_search_figures

    return draw_search_figures(study, plan.objectives.metrics)


def _end_runs(
    plan: SearchPlan, driver: PipelineDriver, summary: dict[str, Any], best: FrozenTrial | None, folder: Path
) -> None:
    winner = summary["winner"]
    tags = {ZENML_RUN_TAG: driver.pipeline_run}
    if (best_run := summary.get("best_mlflow_run_id")) is not None:
        tags |= {BEST_TAG: best_run, BEST_NAME_TAG: ",".join(summary["best_overrides"])}
    if winner is not None:
        tags |= {WINNER_TAG: winner["run_id"], MODEL_TAG: str(winner["model_uri"])}
        if driver.winner_run is not None:
            run_log.end_run(winner["run_id"], "FINISHED")
    metrics = {} if best is None else dict(zip(plan.objectives.metrics, best.values, strict=True))
    status = "KILLED" if driver.search.interrupts.count else "FAILED" if best is None else "FINISHED"
    close_parent_run(driver.parent, None if driver.search.queue.others_run else status, tags, metrics, folder)


def _write_report(
    plan: SearchPlan, driver: PipelineDriver, folder: Path, outcomes: list[Outcome], figures: dict[str, Figure]
) -> str | None:
    """Write the report of a search into its folder; return its path, None without plots or when it fails."""
    settings, objectives = plan.first.composition.settings, plan.objectives
    if not settings.tracking.plots:
        return None
    from mlrunner.history.report import publishing

    study = driver.search.study
    return publishing.publish_sweep(
        driver.parent,
        settings.home,
        folder,
        outcomes=outcomes,
        figures=figures,
        verdict=describe_lead(study, objectives),
    )


def abandon_search(driver: PipelineDriver) -> None:
    """End the open runs of a search that failed; errors are ignored, since the first one matters more."""
    with suppress(Exception):
        RECORDER.flush(hurry=True)
        if driver.winner_run is not None:
            run_log.end_run(driver.winner_run.run_id, "FAILED")
        run_log.end_run(driver.parent, "KILLED")
