"""Print the start and the results of a search."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from mlrunner.core.formatting import format_number
from mlrunner.core.process_control import start_time
from mlrunner.core.terminal import console, relative_path, show_deployment, show_line, show_ranking, show_warnings
from mlrunner.search import results
from mlrunner.search.default_trials import describe_gaps
from mlrunner.search.display import format_command
from mlrunner.search.lead import compare_default, compute_study_lead

if TYPE_CHECKING:
    from optuna import Study

    from mlrunner.search.pipeline_driver import PipelineDriver
    from mlrunner.search.plan import SearchPlan

MAX_TRIALS = 10  # in the closing table


def show_start(plan: SearchPlan, study: Study, folder: Path) -> None:
    """Print what is searched, and how much of it an earlier session has done."""
    pairs = zip(plan.objectives.metrics, plan.objectives.directions, strict=True)
    objectives = ", ".join(f"{direction} {name}" for name, direction in pairs)
    keys = [dimension.key.removeprefix("model.estimator.") for dimension in plan.space.dimensions]
    done = sum(trial.state.is_finished() for trial in results.list_valid_trials(study))
    head = ("mlrunner  ", "bold"), ("search", "bold cyan"), f"  {plan.limit} trials, {objectives}"
    console().print(Text.assemble(*head))
    show_line("dataset", plan.first.repeats[0].data.dataset.label)
    show_line("varies", ", ".join(dict.fromkeys(keys)))
    show_line("study", study.study_name + (f"  {done} trials done before" if done else ""))
    for sentence in describe_gaps(plan):
        show_line("defaults", sentence)
    show_line("folder", relative_path(str(folder)))
    show_warnings(notice._asdict() for notice in plan.first.repeats[0].notices)


def show_results(plan: SearchPlan, driver: PipelineDriver, summary: dict[str, Any], folder: Path) -> None:
    """Print the ranking, the winner and the next commands; for `output=json` all of it as JSON; nothing for quiet."""
    outcomes = results.read_outcomes(driver.search.study, plan.objectives)
    if plan.first.composition.settings.output != "text":
        trials = [json.loads(outcome.json()) for outcome in outcomes]
        times = {"folder": str(folder), "parent_run_id": driver.parent, "timing": measure_times(driver)}
        if plan.first.composition.settings.output == "json":
            warnings = [notice._asdict() for notice in plan.first.repeats[0].notices]
            print(json.dumps({**summary, **times, "warnings": warnings, "trials": trials}))
        return
    show_ranking(outcomes[:MAX_TRIALS], str(folder))
    if len(outcomes) > MAX_TRIALS:
        console().print(Text(f"  and {len(outcomes) - MAX_TRIALS} more: trials.csv", "dim"))
    for label, text in _describe_end(plan, driver, summary):
        show_line(label, text)
    if summary["winner"] is not None:
        _print_winner(plan.objectives.metrics[0], summary["winner"])
        show_line("columns", driver.winner_columns.line)
    if "best_overrides" in summary:
        show_line("again", format_command(summary["best_overrides"], plan.config_flags))
    show_line("study", f"mlrunner resume {summary['study_name']}")
    if summary["report"] is not None:
        show_line("report", relative_path(summary["report"]))


def _describe_end(plan: SearchPlan, driver: PipelineDriver, summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Describe why a search stopped and how far the best trial leads, as labels and texts."""
    if driver.search.stop_reason:
        yield "stopped", driver.search.stop_reason
    if foreign := results.list_foreign(driver.search.study):
        numbers = ", ".join(map(str, foreign))
        yield "left out", f"trial {numbers}: made by another program than mlrunner, so it counts but cannot win"
    if len(plan.objectives.metrics) > 1:
        yield "front", f"{len(summary['solutions'])} trials that none beats"
    elif "best_trial_number" in summary:
        study, objectives = driver.search.study, plan.objectives
        yield "best", f"trial {summary['best_trial_number']} {compute_study_lead(study, objectives).sentence}"
        default = compare_default(study, objectives)
        if default is not None:
            yield "default", default.sentence


def _print_winner(metric: str, winner: dict[str, Any]) -> None:
    score = format_number(winner["metrics"].get(f"test/{metric}"))
    model = "" if winner["model_uri"] is None else f", {winner['model_uri']}"
    run = f", refitted on train and validation, run {winner['run_id'][:8]}{model}"
    show_line("winner", (f"test {metric} {score}", "bold green"), run)
    show_deployment(winner["gate"], winner["deployment"])


def measure_times(driver: PipelineDriver) -> dict[str, float]:
    """Measure the seconds of the search, of the search with its results, and since the process started."""
    search = driver.search_seconds  # before the others: a record that ends now would make it longer than the whole
    whole, process = time.monotonic() - driver.started, time.time() - start_time()
    return {"search": search, "whole": whole, "process": process}
